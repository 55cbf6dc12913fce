package planner

import (
	"cmp"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// The priorities of assignments and holds.
const (
	priorityIdle     tuber.Priority = 1 // nobody watches
	priorityLeaf     tuber.Priority = 2
	priorityInterior tuber.Priority = 3 // others hang below; more the longer they wait, see weight
)

// The windows that boosters keep.
const (
	holdLeast = 30 * time.Second
	holdMost  = 10 * time.Minute
)

// words is room for the making of one peer's part.
type words struct {
	lines []line  // its links, in the order of ids
	seat  []int32 // by peer: its place in lines, if it has one
	as    []tuber.Assignment
	ss    []tuber.Source

	assignments   arena[tuber.Assignment]
	sources       arena[tuber.Source]
	introductions arena[tuber.Introduction]
}

// line is a link, and what goes over it of one content.
type line struct {
	key         uint64
	peer        int32
	helps       bool
	named       bool // the part says something of it
	sends, gets tuber.Partitions
	inner       tuber.Priority // of the other as a child; 0 for a leaf
}

// arena hands out pieces of large slices, where many are needed at once.
type arena[T any] struct {
	rest []T
	size int // of a large slice; 0 makes each piece by itself
}

// room returns an empty slice with room for n.
func (a *arena[T]) room(n int) []T {
	switch {
	case n == 0:
		return nil
	case a.size == 0:
		return make([]T, 0, n)
	case len(a.rest) < n:
		a.rest = make([]T, max(a.size, n))
	}
	out := a.rest[:0:n]
	a.rest = a.rest[n:]
	return out
}

// copy returns what is in list, at a place of its own.
func (a *arena[T]) copy(list []T) []T { return append(a.room(len(list)), list...) }

// peerPlan is all that peer i has to carry out. before is what it was told last;
// it matters while peers rejoin.
func (g *grove) peerPlan(i int32, before *tuber.PeerPlan) *tuber.PeerPlan {
	pp := &tuber.PeerPlan{}
	g.writePlan(pp, i, before)
	return pp
}

func (g *grove) writePlan(pp *tuber.PeerPlan, i int32, before *tuber.PeerPlan) {
	w := &g.scratch
	g.readLinks(i)
	as, ss := w.as[:0], w.ss[:0]
	for _, f := range g.forests {
		if f.needs[i] == 0 && f.feeds[i] == 0 {
			continue
		}
		g.readWays(f, i)
		for n := range w.lines {
			l := &w.lines[n]
			if l.sends != 0 {
				as = append(as, g.assignment(f, l))
			}
			if l.gets != 0 {
				ss = append(ss, tuber.Source{Content: f.ID, Partitions: l.gets, From: g.names[l.peer].ID})
			}
		}
		for _, h := range f.helpers[i] {
			if h.peer != 0 {
				ss = append(ss, tuber.Source{Content: f.ID, Partitions: h.parts, From: g.names[h.peer-1].ID, Standby: true})
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

// readLinks sorts i's links by the ids of those at their other ends.
func (g *grove) readLinks(i int32) {
	w := &g.scratch
	if len(w.seat) < len(g.peers) {
		w.seat = make([]int32, len(g.peers)+len(g.peers)/4)
	}
	lines := w.lines[:0]
	for n := range g.links[i] {
		l := &g.links[i][n]
		lines = append(lines, line{key: keyOf(g.names[l.peer].ID), peer: l.peer, helps: l.helps > 0})
	}
	sortLines(lines)
	for n := range lines {
		w.seat[lines[n].peer] = int32(n)
	}
	w.lines = lines
}

// sortLines sorts as grove.compare has it. Lists are short, but there is one for
// every peer: a general sort takes twice as long.
func sortLines(lines []line) {
	const long = 64
	if len(lines) > long {
		slices.SortFunc(lines, func(a, b line) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.peer, b.peer)) })
		return
	}
	for n := range lines {
		l := lines[n]
		for ; n > 0 && (lines[n-1].key > l.key || lines[n-1].key == l.key && lines[n-1].peer > l.peer); n-- {
			lines[n] = lines[n-1]
		}
		lines[n] = l
	}
}

// readWays notes at i's links what i sends and gets of a content.
func (g *grove) readWays(f *forest, i int32) {
	w := &g.scratch
	for n := range w.lines {
		l := &w.lines[n]
		l.sends, l.gets, l.inner = 0, 0, 0
	}
	for rest := f.feeds[i]; rest != 0; rest &= rest - 1 {
		p := first(rest)
		t := &f.trees[p]
		if i != g.origin && t.at(i).depth == 0 && g.settled {
			continue // nothing comes to it, so there is nothing to pass on
		}
		for k := t.at(i).first; k != none; {
			child := t.at(k)
			l := &w.lines[w.seat[k]]
			l.sends |= 1 << p
			l.named = true
			if child.first != none || g.visits(k) {
				l.inner = max(l.inner, g.weight(f, k))
			}
			k = child.next
		}
	}
	for rest := f.needs[i]; rest != 0; rest &= rest - 1 {
		p := first(rest)
		n := f.trees[p].at(i)
		if n.parent != none && (n.depth > 0 || !g.settled) {
			l := &w.lines[w.seat[n.parent]]
			l.gets |= 1 << p
			l.named = true
		}
	}
}

// assignment is what is sent of a content over a link.
func (g *grove) assignment(f *forest, l *line) tuber.Assignment {
	a := tuber.Assignment{Content: f.ID, Partitions: l.sends, To: g.names[l.peer].ID, Priority: priorityLeaf}
	a.Rate = tuber.BitsPerSecond(float64(l.sends.Len()) * f.slot.perSecond())
	switch {
	case f.viewers == 0:
		a.Priority = priorityIdle
	case l.inner > 0:
		a.Priority = l.inner
	}
	return a
}

// weight is the priority of a child that feeds others: the longer the last of its
// own children waits for a chunk, which is as long as sending all of them takes on
// its line, the sooner it comes. One with many slots has others below it who feed
// again. It does not depend on how many children there are at the moment, so it
// seldom changes.
func (g *grove) weight(f *forest, k int32) tuber.Priority {
	const (
		wholeLine = 5  // steps, for one whose line is all given away
		many      = 32 // slots
		ahead     = 2
	)
	if g.visits(k) {
		return priorityInterior + wholeLine + ahead // a whole cell waits
	}
	out := priorityInterior
	if up := g.peers[k].Upload; up > 0 {
		out += tuber.Priority(min(wholeLine, wholeLine*g.shares[k].base.perSecond()/float64(up)))
	}
	if g.shares[k].base >= many*f.slot {
		out += ahead
	}
	return out
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
	linked := func(l line) bool { return l.named || l.helps }
	count := 0
	for n := range w.lines {
		if linked(w.lines[n]) {
			count++
		}
	}
	out := w.introductions.room(count) // filled where it stays: roles are pointers, which cost the collector a look each time
	for n := range w.lines {
		if l := &w.lines[n]; linked(*l) {
			out = append(out, g.introduction(i, l.peer))
		}
	}
	if !g.settled {
		out = g.introduceUnknown(pp, i, out)
	}
	pp.Introductions = out
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
	other := &g.names[j]
	offer := g.compare(i, j) > 0
	if viewer := g.shares[i].traits&isViewer != 0; viewer != (other.Role == tuber.RoleViewer) {
		offer = viewer
	}
	return tuber.Introduction{Peer: other.ID, Key: other.Key, Role: other.Role, Offer: offer}
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
