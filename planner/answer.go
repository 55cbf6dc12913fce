package planner

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// The priorities of assignments and holds.
const (
	priorityIdle     tuber.Priority = 1 // nobody watches
	priorityLeaf     tuber.Priority = 2
	priorityInterior tuber.Priority = 3 // others hang below; more for each time that they could be twice as many
)

// The windows that boosters keep.
const (
	holdLeast = 30 * time.Second
	holdMost  = 10 * time.Minute
)

// words is room for the making of one peer's part: by its links, what goes over
// each in either direction.
type words struct {
	sends, gets []tuber.Partitions
	inner       []tuber.Priority // 0 for a leaf
	named       []bool
	as          []tuber.Assignment
	ss          []tuber.Source
	ins         []tuber.Introduction

	assignments   arena[tuber.Assignment]
	sources       arena[tuber.Source]
	introductions arena[tuber.Introduction]
}

// arena hands out pieces of large slices, where many are needed at once.
type arena[T any] struct {
	rest []T
	size int // of a large slice; 0 makes each piece by itself
}

// copy returns what is in list, at a place of its own.
func (a *arena[T]) copy(list []T) []T {
	if len(list) == 0 {
		return nil
	}
	if a.size == 0 {
		return append(make([]T, 0, len(list)), list...)
	}
	if len(a.rest) < len(list) {
		a.rest = make([]T, max(a.size, len(list)))
	}
	out := a.rest[:len(list):len(list)]
	a.rest = a.rest[len(list):]
	copy(out, list)
	return out
}

// peerPlan is all that peer i has to carry out. before is what it was told last;
// it matters while peers rejoin.
func (g *grove) peerPlan(i int32, before *tuber.PeerPlan) *tuber.PeerPlan {
	pp := &tuber.PeerPlan{}
	g.writePlan(pp, i, before)
	return pp
}

func (g *grove) writePlan(pp *tuber.PeerPlan, i int32, before *tuber.PeerPlan) {
	w := &g.scratch
	n := len(g.links[i])
	w.named = append(w.named[:0], make([]bool, n)...)
	as, ss := w.as[:0], w.ss[:0]
	for _, f := range g.forests {
		if f.needs[i] == 0 && f.feeds[i] == 0 {
			continue
		}
		g.readLinks(f, i)
		for n := range w.sends {
			if w.sends[n] != 0 {
				as = append(as, g.assignment(f, i, n))
			}
		}
		for n := range w.gets {
			if w.gets[n] != 0 {
				ss = append(ss, tuber.Source{Content: f.ID, Partitions: w.gets[n], From: g.peers[g.links[i][n].peer].ID})
			}
		}
		for _, h := range f.helpers[i] {
			if h.peer != 0 {
				ss = append(ss, tuber.Source{Content: f.ID, Partitions: h.parts, From: g.peers[h.peer-1].ID, Standby: true})
			}
		}
	}
	pp.Grants = g.grants(i)
	pp.Holds = g.holds(i)
	w.as, w.ss = as, ss
	pp.Assignments, pp.Sources = w.assignments.copy(as), w.sources.copy(ss)
	if !g.settled && before != nil {
		g.carryUnknown(pp, before)
	}
	g.introduce(pp, i)
}

// readLinks sorts what i sends and gets of a content by its links.
func (g *grove) readLinks(f *forest, i int32) {
	w := &g.scratch
	n := len(g.links[i])
	w.sends = append(w.sends[:0], make([]tuber.Partitions, n)...)
	w.gets = append(w.gets[:0], make([]tuber.Partitions, n)...)
	w.inner = append(w.inner[:0], make([]tuber.Priority, n)...)
	for rest := f.feeds[i]; rest != 0; rest &= rest - 1 {
		p := first(rest)
		t := &f.trees[p]
		if i != g.origin && t.nodes[i].depth == 0 && g.settled {
			continue // nothing comes to it, so there is nothing to pass on
		}
		for k := t.nodes[i].first; k != none; k = t.nodes[k].next {
			at, _ := g.find(i, k)
			w.sends[at] |= 1 << p
			if t.nodes[k].first != none || g.visits(k) {
				w.inner[at] = max(w.inner[at], g.weight(f, k))
			}
			w.named[at] = true
		}
	}
	for rest := f.needs[i]; rest != 0; rest &= rest - 1 {
		p := first(rest)
		t := &f.trees[p]
		if parent := t.nodes[i].parent; parent != none && (t.nodes[i].depth > 0 || !g.settled) {
			at, _ := g.find(i, parent)
			w.gets[at] |= 1 << p
			w.named[at] = true
		}
	}
}

// assignment is what i sends of a content over its n-th link.
func (g *grove) assignment(f *forest, i int32, n int) tuber.Assignment {
	w := &g.scratch
	a := tuber.Assignment{Content: f.ID, Partitions: w.sends[n], To: g.peers[g.links[i][n].peer].ID, Priority: priorityLeaf}
	a.Rate = tuber.BitsPerSecond(float64(w.sends[n].Len()) * f.slot.perSecond())
	switch {
	case f.viewers == 0:
		a.Priority = priorityIdle
	case w.inner[n] > 0:
		a.Priority = w.inner[n]
	}
	return a
}

// weight is the priority of a child that feeds others: the more slots it has,
// the longer the last of its own children waits. It does not depend on how many
// there are at the moment, so it seldom changes.
func (g *grove) weight(f *forest, k int32) tuber.Priority {
	const most = 6 // 64 slots
	if g.visits(k) {
		return priorityInterior + most // a whole cell waits
	}
	slots := max(1, g.base[k]/f.slot)
	return priorityInterior + tuber.Priority(min(most, bits.Len64(uint64(slots))-1))
}

// carryUnknown keeps, while peers rejoin, what the plans they brought say of
// contents that the origin has not listed yet.
func (g *grove) carryUnknown(pp, before *tuber.PeerPlan) {
	unknown := func(c tuber.ContentID, other tuber.PeerID) bool {
		_, here := g.index[other]
		return here && g.byID[c] == nil
	}
	for _, a := range before.Assignments {
		if unknown(a.Content, a.To) {
			pp.Assignments = append(pp.Assignments, a)
		}
	}
	for _, s := range before.Sources {
		if unknown(s.Content, s.From) {
			pp.Sources = append(pp.Sources, s)
		}
	}
	for _, h := range before.Holds {
		if g.byID[h.Content] == nil {
			pp.Holds = append(pp.Holds, h)
		}
	}
}

// introduce names everybody whom the plan links to i, in the order of ids.
func (g *grove) introduce(pp *tuber.PeerPlan, i int32) {
	w := &g.scratch
	out := w.ins[:0]
	for n, l := range g.links[i] {
		if w.named[n] || l.helps > 0 {
			out = append(out, g.introduction(i, l.peer))
		}
	}
	if !g.settled {
		out = g.introduceUnknown(pp, i, out)
	}
	w.ins = out
	pp.Introductions = w.introductions.copy(out)
}

// introduceUnknown adds those whom only carryUnknown names.
func (g *grove) introduceUnknown(pp *tuber.PeerPlan, i int32, out []tuber.Introduction) []tuber.Introduction {
	add := func(id tuber.PeerID) {
		j := g.index[id]
		at, ok := slices.BinarySearchFunc(out, j, func(in tuber.Introduction, j int32) int { return g.compare(g.index[in.Peer], j) })
		if !ok {
			out = slices.Insert(out, at, g.introduction(i, j))
		}
	}
	for _, a := range pp.Assignments {
		add(a.To)
	}
	for _, s := range pp.Sources {
		add(s.From)
	}
	return out
}

// introduction: a viewer makes the offer to a permanent peer, otherwise the
// higher id does.
func (g *grove) introduction(i, j int32) tuber.Introduction {
	self, p := &g.peers[i], &g.peers[j]
	offer := g.compare(i, j) > 0
	if self.permanent() != p.permanent() {
		offer = !self.permanent()
	}
	return tuber.Introduction{Peer: p.ID, Key: p.Key, Role: p.Role, Offer: offer}
}

// holds is what booster i keeps on disk: what it receives, most wanted first,
// each as far back as its quota allows.
func (g *grove) holds(i int32) []tuber.Hold {
	p := &g.peers[i]
	if p.Role != tuber.RoleBooster || p.Means.Quota == 0 || p.visits() {
		return nil
	}
	quota := float64(p.Means.Quota) * 8 * 0.9 // bits; the file holds more than payload
	var held []*forest
	var rate float64
	for _, f := range g.wantedFirst() {
		r := float64(f.needs[i].Len()) * f.slot.perSecond()
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
