package planner

import (
	"cmp"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// writer turns a finished grove into the words of each peer.
type writer struct {
	g       *grove
	st      State
	standby []map[int32][]tuber.Source // by child, by content's forest index
	helps   []map[int32]bool           // by standby parent: the children it helps
}

// The priorities of assignments and holds.
const (
	priorityIdle     tuber.Priority = 1 // nobody watches
	priorityLeaf     tuber.Priority = 2
	priorityInterior tuber.Priority = 3 // others hang below
)

// The windows that boosters keep.
const (
	holdLeast = 30 * time.Second
	holdMost  = 10 * time.Minute
)

func newWriter(g *grove, st State) *writer {
	w := &writer{g: g, st: st}
	w.standby = make([]map[int32][]tuber.Source, len(g.peers))
	w.helps = make([]map[int32]bool, len(g.peers))
	for i := range g.peers {
		w.standby[i], w.helps[i] = map[int32][]tuber.Source{}, map[int32]bool{}
	}
	w.chooseStandbys()
	return w
}

// peerPlan is all that peer i has to carry out.
func (w *writer) peerPlan(i int32) *tuber.PeerPlan {
	pp := &tuber.PeerPlan{}
	for n, f := range w.g.forests {
		pp.Assignments = append(pp.Assignments, w.assignments(f, i)...)
		pp.Sources = append(pp.Sources, w.sources(f, i)...)
		pp.Sources = append(pp.Sources, w.standby[i][int32(n)]...)
	}
	pp.Grants = w.g.grants(i)
	pp.Holds = w.g.holds(i)
	w.carryUnknown(pp, i)
	pp.Introductions = w.introductions(i, pp)
	return pp
}

func (w *writer) assignments(f *forest, i int32) []tuber.Assignment {
	to := map[int32]tuber.Partitions{}
	interior := map[int32]bool{}
	for p := range f.trees {
		t := &f.trees[p]
		if i != w.g.origin && t.depth[i] == 0 && w.g.settled {
			continue // nothing comes to it, so there is nothing to pass on
		}
		for _, k := range t.kids[i] {
			to[k] |= 1 << p
			interior[k] = interior[k] || len(t.kids[k]) > 0
		}
	}
	var out []tuber.Assignment
	for _, k := range sortedKeys(to) {
		a := tuber.Assignment{Content: f.ID, Partitions: to[k], To: w.g.peers[k].ID, Priority: priorityLeaf}
		a.Rate = tuber.BitsPerSecond(float64(to[k].Len()) * f.slot)
		switch {
		case f.viewers == 0:
			a.Priority = priorityIdle
		case interior[k]:
			a.Priority = priorityInterior
		}
		out = append(out, a)
	}
	return out
}

func (w *writer) sources(f *forest, i int32) []tuber.Source {
	from := map[int32]tuber.Partitions{}
	for p := range f.trees {
		if parent := f.trees[p].parent[i]; parent != none && (f.trees[p].depth[i] > 0 || !w.g.settled) {
			from[parent] |= 1 << p
		}
	}
	var out []tuber.Source
	for _, j := range sortedKeys(from) {
		out = append(out, tuber.Source{Content: f.ID, Partitions: from[j], From: w.g.peers[j].ID})
	}
	return out
}

func sortedKeys[V any](m map[int32]V) []int32 {
	out := make([]int32, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// carryUnknown keeps, while peers rejoin, what the plans they brought say of
// contents that the origin has not listed yet.
func (w *writer) carryUnknown(pp *tuber.PeerPlan, i int32) {
	if w.g.settled || w.st.Previous == nil {
		return
	}
	old := w.st.Previous.Peers[w.g.peers[i].ID]
	if old == nil {
		return
	}
	unknown := func(c tuber.ContentID, other tuber.PeerID) bool {
		_, here := w.g.index[other]
		return here && w.g.byID[c] == nil
	}
	for _, a := range old.Assignments {
		if unknown(a.Content, a.To) {
			pp.Assignments = append(pp.Assignments, a)
		}
	}
	for _, s := range old.Sources {
		if unknown(s.Content, s.From) {
			pp.Sources = append(pp.Sources, s)
		}
	}
	for _, h := range old.Holds {
		if w.g.byID[h.Content] == nil {
			pp.Holds = append(pp.Holds, h)
		}
	}
}

// introductions names everybody whom the plan links to i: a viewer makes the
// offer to a permanent peer, otherwise the higher id does.
func (w *writer) introductions(i int32, pp *tuber.PeerPlan) []tuber.Introduction {
	others := map[int32]bool{}
	for _, a := range pp.Assignments {
		others[w.g.index[a.To]] = true
	}
	for _, s := range pp.Sources {
		others[w.g.index[s.From]] = true
	}
	for child := range w.helps[i] {
		others[child] = true
	}
	self := &w.g.peers[i]
	var out []tuber.Introduction
	for _, j := range sortedKeys(others) {
		p := &w.g.peers[j]
		offer := i > j // indices are in the order of ids
		if self.permanent() != p.permanent() {
			offer = !self.permanent()
		}
		out = append(out, tuber.Introduction{Peer: p.ID, Key: p.Key, Role: p.Role, Offer: offer})
	}
	return out
}

// holds is what booster i keeps on disk: what it receives, most wanted first,
// each as far back as its quota allows.
func (g *grove) holds(i int32) []tuber.Hold {
	p := &g.peers[i]
	if p.Role != tuber.RoleBooster || p.Means.Quota == 0 {
		return nil
	}
	quota := float64(p.Means.Quota) * 8 * 0.9 // bits; the file holds more than payload
	var held []*forest
	var rate float64
	for _, f := range g.wantedFirst() {
		r := float64(f.needs[i].Len()) * f.slot
		if r > 0 && (rate+r)*holdLeast.Seconds() <= quota {
			held, rate = append(held, f), rate+r
		}
	}
	if len(held) == 0 {
		return nil
	}
	window := min(holdMost, time.Duration(quota/rate)*time.Second)
	var out []tuber.Hold
	for _, f := range held {
		h := tuber.Hold{Content: f.ID, Partitions: f.needs[i], Window: window, Priority: priorityLeaf}
		if f.viewers == 0 {
			h.Priority = priorityIdle
		}
		out = append(out, h)
	}
	slices.SortStableFunc(out, func(a, b tuber.Hold) int { return cmp.Compare(b.Priority, a.Priority) })
	return out
}
