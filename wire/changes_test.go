package wire

import (
	"reflect"
	"testing"

	"github.com/tubercdn/tuber"
)

// changeRow is a plan, a change, both as messages, and the plan that comes of it.
type changeRow struct {
	Name   string `json:"name"`
	Old    string `json:"old"`
	Change string `json:"change"`
	Next   string `json:"next,omitempty"`
	Error  string `json:"error,omitempty"`
}

func changeRows() []changeRow {
	peer := func(n byte) tuber.PeerID { return tuber.PeerID{n} }
	source := func(n byte) tuber.Source { return tuber.Source{Content: content, Partitions: 1 << n, From: peer(n)} }
	intro := func(n byte) tuber.Introduction {
		return tuber.Introduction{Peer: peer(n), Key: tuber.PublicKey{n}, Role: tuber.RoleViewer}
	}
	old := tuber.PeerPlan{
		Epoch: 4, Version: 11,
		Sources:       []tuber.Source{source(1), source(2), source(3)},
		Introductions: []tuber.Introduction{intro(1), intro(2), intro(3)},
		Assignments:   []tuber.Assignment{{Content: content, Partitions: 2, To: peer(3), Rate: 5e5, Priority: 2}},
		Grants:        []tuber.Grant{{Rate: 2e6}},
		Holds:         []tuber.Hold{{Content: content, Partitions: 3, Window: 60e9, Priority: 2}},
	}
	change := tuber.PlanChange{From: 11, Epoch: 4, Version: 13}
	text := func(m Message) string {
		b, err := Encode(m)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	var rows []changeRow
	row := func(name string, edit func(*tuber.PlanChange)) {
		c := change
		edit(&c)
		r := changeRow{Name: name, Old: text(Plan{old}), Change: text(PlanChange{c})}
		if p, err := c.Apply(&old); err != nil {
			r.Error = "malformed"
		} else {
			r.Next = text(Plan{*p})
		}
		rows = append(rows, r)
	}
	row("nothing but the version", func(*tuber.PlanChange) {})
	row("of another cell", func(c *tuber.PlanChange) { c.Cell = 3 })
	row("a parent gives way to another", func(c *tuber.PlanChange) {
		c.Sources = tuber.Change[tuber.Source]{Less: []int{1}, More: []tuber.Source{source(7)}}
		c.Introductions = tuber.Change[tuber.Introduction]{Less: []int{1}, More: []tuber.Introduction{intro(7)}}
	})
	row("all goes", func(c *tuber.PlanChange) {
		c.Sources.Less, c.Introductions.Less, c.Assignments.Less, c.Grants.Less, c.Holds.Less = []int{0, 1, 2}, []int{0, 1, 2}, []int{0}, []int{0}, []int{0}
	})
	row("other words for what stays", func(c *tuber.PlanChange) {
		c.Assignments = tuber.Change[tuber.Assignment]{Less: []int{0}, More: []tuber.Assignment{{Content: content, Partitions: 6, To: peer(3), Rate: 1e6, Priority: 3}}}
		c.Grants = tuber.Change[tuber.Grant]{Less: []int{0}, More: []tuber.Grant{{Rate: 1e6}}}
		c.Holds = tuber.Change[tuber.Hold]{More: []tuber.Hold{{Content: content, Partitions: 4, Window: 30e9}}}
	})
	row("behind the end", func(c *tuber.PlanChange) { c.Sources.Less = []int{3} })
	row("twice the same", func(c *tuber.PlanChange) { c.Sources.Less = []int{1, 1} })
	row("descending", func(c *tuber.PlanChange) { c.Sources.Less = []int{2, 1} })
	row("of another plan", func(c *tuber.PlanChange) { c.From = 10 })
	row("of another epoch", func(c *tuber.PlanChange) { c.Epoch = 5 })
	return rows
}

func TestVectorsChanges(t *testing.T) {
	for _, row := range corpus(t, "changes.json", changeRows) {
		old, errOld := Decode([]byte(row.Old))
		change, errChange := Decode([]byte(row.Change))
		if errOld != nil || errChange != nil {
			t.Fatal(row.Name, errOld, errChange)
		}
		plan, c := old.(Plan), change.(PlanChange)
		got, err := c.Apply(&plan.PeerPlan)
		if (err != nil) != (row.Error != "") {
			t.Errorf("%s: %v, want %q", row.Name, err, row.Error)
		}
		if err != nil {
			continue
		}
		if next, err := Encode(Plan{*got}); err != nil || !reflect.DeepEqual(object(next), object([]byte(row.Next))) {
			t.Errorf("%s: %s, %v\nwant %s", row.Name, next, err, row.Next)
		}
	}
}
