package planner

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// homes are who is in which cell.
func (w *town) homes() map[cellNumber][]tuber.PeerID {
	out := map[cellNumber][]tuber.PeerID{}
	for _, c := range w.r.all() {
		out[c.number] = slices.SortedFunc(maps.Keys(c.members), comparePeers)
	}
	return out
}

// fills a town with viewers of one stream; a booster comes before the first of
// each so many.
func (w *town) fills(viewers, each int) {
	for n := range viewers {
		if each > 0 && n%each == 0 {
			w.boosts(20e6)
		}
		w.watches(2e6, w.contents[0].ID)
		w.plans()
	}
}

func TestAPeerThatReturnsIsInItsCellAgain(t *testing.T) {
	w := newTown(t, 8, 20e6, testContent("/live.m3u8", 4, 800e3))
	w.fills(10, 0)
	var p *resident
	for _, q := range w.people {
		if q.cell.number == 1 {
			p = q
		}
	}
	tests := map[string]func(){
		"after a reload":               func() { p.leaves(); w.plans(); p.plan = nil; p.enters() },
		"after its session broke":      func() { p.cell.exit(p.member, p); w.plans(); p.enters() },
		"with its plan, after a while": func() { p.leaves(); w.passes(2 * returnFor); p.enters() },
		"when the other one has room": func() {
			for _, q := range w.people {
				if q.cell.number == 0 && q.id != w.origin {
					q.leaves()
					break
				}
			}
			p.leaves()
			w.plans()
			p.enters()
		},
	}
	for name, happens := range tests {
		happens()
		w.plans()
		if p.cell.number != 1 {
			t.Errorf("%s it is in cell %d, it was in 1", name, p.cell.number)
		}
		w.check()
	}
}

func TestAPlaceIsKeptForWhoLeftAMomentAgo(t *testing.T) {
	w := newTown(t, 8, 20e6, testContent("/live.m3u8", 4, 800e3))
	w.fills(7, 0)
	var p *resident
	for id, q := range w.people {
		if id != w.origin {
			p = q
		}
	}
	p.leaves()
	w.plans()
	if q := w.watches(2e6, w.contents[0].ID); q.cell.number != 1 {
		t.Errorf("the next one is in cell %d, in the place of one who may come back", q.cell.number)
	}
	w.passes(2 * returnFor)
	if q := w.watches(2e6, w.contents[0].ID); q.cell.number != 0 {
		t.Errorf("the next one is in cell %d, though the first has a place that nobody comes back to", q.cell.number)
	}
	w.plans()
	w.check()
}

func TestAnEmptyCellIsClosed(t *testing.T) {
	w := newTown(t, 8, 20e6, testContent("/live.m3u8", 4, 800e3))
	w.fills(24, 8)
	for _, p := range w.people {
		if p.cell.number == 1 {
			p.leaves()
		}
	}
	w.passes(2 * returnFor)
	if _, open := w.homes()[1]; open {
		t.Errorf("cell 1 is open still, with nobody in it: %v", w.homes())
	}
	if v := w.check(); v.copies(w.contents[0]) != 1 || len(v.plan.Short) != 0 {
		t.Errorf("the origin sends %.2f copies; short: %v", v.copies(w.contents[0]), v.plan.Short)
	}
}

// A booster stands in a cell that does not need it, and the first one, which the
// others cannot lend anything, has none.
func TestABoosterGoesWhereItIsNeeded(t *testing.T) {
	c := testContent("/live.m3u8", 4, 800e3)
	w := newTown(t, 8, 900e3, c)
	for range 7 {
		w.watches(0, c.ID)
	}
	small := w.boosts(0)
	w.plans()
	big := w.boosts(20e6)
	for range 3 {
		w.watches(2e6, c.ID)
	}
	w.plans()
	if big.cell.number != 1 {
		t.Fatalf("void: the booster joined in cell %d", big.cell.number)
	}
	if v := w.check(); len(v.plan.Short) == 0 {
		t.Fatal("void: nobody is short")
	}
	small.leaves()
	w.passes(2 * time.Minute)
	if big.cell.number != 0 {
		t.Errorf("the booster is in cell %d", big.cell.number)
	}
	if v := w.check(); len(v.plan.Short) != 0 || v.copies(c) != 1 {
		t.Errorf("short: %+v, with %.2f copies from the origin", v.plan.Short, v.copies(c))
	}
}

func TestBoostersAreSharedOut(t *testing.T) {
	c := testContent("/live.m3u8", 4, 800e3)
	w := newTown(t, 16, 20e6, c)
	w.fills(40, 0)
	for range 6 {
		w.boosts(20e6)
		w.passes(2 * time.Second)
	}
	for _, s := range summaries(w.r.all()) {
		if len(s.boosters) != 2 {
			t.Errorf("cell %d has %d boosters of 6", s.cell, len(s.boosters))
		}
	}
	w.check()
}

func TestTheOrderOfWhatHappensAtOnceDoesNotMatter(t *testing.T) {
	var first map[tuber.PeerID]*tuber.PeerPlan
	for seed := range uint64(5) {
		w := newTown(t, 10, 20e6, testContent("/live.m3u8", 8, 800e3), testContent("/other.m3u8", 4, 400e3))
		for n := range 40 {
			if n%12 == 0 {
				w.boosts(10e6)
			}
			w.watches(2e6)
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		people := slices.SortedFunc(maps.Keys(w.people), comparePeers)
		rng.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		for _, id := range people {
			if p := w.people[id]; p.join.Role == tuber.RoleViewer {
				p.wants = []tuber.ContentID{w.contents[int(id[0])%2].ID}
				p.says(wire.Want{Contents: p.wants})
			}
		}
		w.plans()
		for _, id := range people {
			if p := w.people[id]; id[1]%5 == 0 && id != w.origin {
				p.leaves()
			}
		}
		w.plans()
		w.check()
		got := map[tuber.PeerID]*tuber.PeerPlan{}
		for id, p := range w.people {
			got[id] = p.plan
		}
		if first == nil {
			first = got
		}
		if !reflect.DeepEqual(first, got) {
			t.Errorf("with order %d the plans are others", seed)
		}
	}
}

func TestANewPlannerPutsCellsTogetherAgain(t *testing.T) {
	for seed := range uint64(4) {
		c := testContent("/live.m3u8", 4, 800e3)
		w := newTown(t, 12, 20e6, c)
		w.fills(40, 14)
		w.passes(5 * time.Second)
		before := w.homes()
		w.begins(6, 12)
		people := slices.SortedFunc(maps.Keys(w.people), comparePeers)
		rand.New(rand.NewPCG(seed, 2)).Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		old := w.people
		w.people = map[tuber.PeerID]*resident{}
		for n, id := range people {
			old[id].enters()
			if n%5 == 0 {
				w.now = w.now.Add(time.Second)
				w.r.expire(w.now)
				w.plans()
			}
		}
		w.plans()
		after := w.homes()
		for number, ids := range before {
			if !slices.ContainsFunc(slices.Collect(maps.Values(after)), func(other []tuber.PeerID) bool { return slices.Equal(ids, other) }) {
				t.Errorf("cell %d is not together any more: it had %d, now there are %v", number, len(ids), sizes(after))
			}
		}
		w.passes(adoptFor + 15*time.Second)
		if v := w.check(); v.copies(c) != 1 || len(v.plan.Short) != 0 {
			t.Errorf("once all is settled the origin sends %.2f copies; short: %v", v.copies(c), v.plan.Short)
		}
	}
}

func sizes(homes map[cellNumber][]tuber.PeerID) map[cellNumber]int {
	out := map[cellNumber]int{}
	for n, ids := range homes {
		out[n] = len(ids)
	}
	return out
}
