package planner

import (
	"cmp"
	"slices"

	"github.com/tubercdn/tuber"
)

// grow attaches those who lack a parent and can have one. The origin gives each
// partition once; it gives more only where nobody else can, as far as its own
// line goes. Of those who lacked one already the last time, all are looked at
// if every, else a few for each slot that came free since.
func (g *grove) grow(every bool) {
	if g.origin == none {
		g.giveUp()
		return
	}
	tries := 4 * g.released
	if every {
		tries = len(g.peers) * tuber.MaxPartitions
	}
	g.mix()
	g.pentRead = false
	order := g.wantedFirst()
	waiting := make([][]int32, len(order))
	reserved := map[int32]upload{} // of peers that the origin feeds, for their children
	for n, f := range order {
		if waiting[n] = g.waitingFor(f, tries); len(waiting[n]) > 0 {
			g.plantRoots(f, waiting[n], reserved)
		}
	}
	for n, f := range order {
		left := waiting[n]
		for len(left) > 0 {
			left = g.attachAll(f, left)
			if g.feed(f, left) {
				continue
			}
			leaf := g.unseat(f, left)
			if leaf == none {
				break
			}
			if f.queued[leaf] == inNone {
				f.queued[leaf] = inWaiting
				left = append(left, leaf)
			}
		}
		for _, i := range left {
			g.sink(f, i)
		}
		f.wait(left)
	}
	g.adrift, g.released = false, 0
}

// wait puts peers among those who have lacked a parent for longer.
func (f *forest) wait(peers []int32) {
	for _, i := range peers {
		f.queued[i] = inWaiting
	}
	f.waiting = append(f.waiting, peers...)
}

// giveUp leaves everybody without a parent who lacks one.
func (g *grove) giveUp() {
	for _, f := range g.forests {
		for _, i := range f.fresh {
			g.sink(f, i)
		}
		f.wait(f.fresh)
		f.fresh = f.fresh[:0]
	}
	g.adrift = false
}

// sink says of i, and of what hangs below it, that nothing comes to them in the
// trees where i lacks a parent.
func (g *grove) sink(f *forest, i int32) {
	for rest := f.lacks(i); rest != 0; rest &= rest - 1 {
		g.settle(f, first(rest), i, 0)
	}
}

// lacks are the partitions for which i has no parent.
func (f *forest) lacks(i int32) tuber.Partitions { return f.needs[i] &^ f.fed[i] }

// waitingFor takes those who are to be looked at now out of fresh and waiting,
// in the order in which they are attached: boosters, for they feed the others;
// then those that few can feed; then by rank.
func (g *grove) waitingFor(f *forest, tries int) []int32 {
	tries = min(tries, len(f.waiting))
	out := append(f.waiting[:tries:tries], f.fresh...)
	f.waiting = slices.Clone(f.waiting[tries:])
	f.fresh = f.fresh[:0]
	keep := out[:0]
	for _, i := range out {
		if f.needs[i] == 0 || g.shares[i].traits&isAway != 0 || f.lacks(i) == 0 {
			f.queued[i] = inNone
			g.sink(f, i)
			continue
		}
		keep = append(keep, i)
	}
	g.sortBy(keep, func(i int32) int { return g.peers[i].order(g.now) })
	return keep
}

// sortBy sorts from the highest value to the lowest; those of one value are in
// the order of their ids.
func (g *grove) sortBy(list []int32, value func(int32) int) {
	type ranked struct {
		value int
		key   uint64
		i     int32
	}
	if len(list) < 2 {
		return
	}
	all := make([]ranked, len(list))
	for n, i := range list {
		all[n] = ranked{value(i), g.shares[i].key, i}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		switch {
		case a.value != b.value:
			return cmp.Compare(b.value, a.value)
		case a.key != b.key:
			return cmp.Compare(a.key, b.key)
		}
		return cmp.Compare(a.i, b.i)
	})
	for n := range all {
		list[n] = all[n].i
	}
}

// plantRoots chooses for every partition without one the peer that the origin
// feeds. Roots are spread: each counts with the children it will be given.
func (g *grove) plantRoots(f *forest, waiting []int32, reserved map[int32]upload) {
	receivers := upload(len(g.peers))
	reserve := func(i int32) {
		reserved[i] += min((receivers-1)*f.slot, max(0, g.shares[i].budget-reserved[i]))
	}
	for p := range f.trees {
		for root := range f.trees[p].kids(g.origin) {
			reserve(root)
		}
	}
	for p := range f.trees {
		if f.trees[p].at(g.origin).first != none || g.shares[g.origin].budget < f.slot {
			continue
		}
		if root := g.bestRoot(f, p, waiting, reserved); root != none {
			g.set(f, p, g.origin, root)
			g.settleHome(f, root, p)
			reserve(root)
		}
	}
}

func (g *grove) bestRoot(f *forest, p int, waiting []int32, reserved map[int32]upload) int32 {
	best, bestClass, bestLeft := none, -1, upload(0)
	for _, i := range waiting {
		left := g.shares[i].budget
		if left < bestLeft && bestClass == 4 || f.needs[i]&(1<<p) == 0 || f.trees[p].at(i).parent != none {
			continue
		}
		left -= reserved[i]
		class := 0
		switch {
		case left < f.slot: // it would be a leaf: only if there is nobody else
		case g.peers[i].Role == tuber.RoleBooster:
			class = 4
		case g.peers[i].Hidden:
			class = 1
		case g.shares[i].traits&isProven == 0: // all would wait for one that may have no upload at all
			class = 2
		default:
			class = 3
		}
		if (class > bestClass || class == bestClass && left > bestLeft) && g.mayLink(g.origin, i) {
			best, bestClass, bestLeft = i, class, left
		}
	}
	return best
}

// settleHome makes i at home in tree p: it takes children there.
func (g *grove) settleHome(f *forest, i int32, p int) {
	if f.main[i] == 0 && g.shares[i].budget >= f.slot {
		g.setMain(f, i, p)
	}
	f.home[i] |= 1 << p
	g.open(f, p, i)
}

// setMain makes tree p the first home of i; -1 stands for none.
func (g *grove) setMain(f *forest, i int32, p int) {
	count := func(p int, by int32) {
		f.supply[p] += upload(by) * g.shares[i].base
		if parent := f.trees[p].at(i).parent; parent != none {
			f.trees[p].at(parent).mains += by
		}
	}
	if was := int(f.main[i]) - 1; was >= 0 {
		count(was, -1)
	}
	if f.main[i] = uint8(p + 1); p >= 0 {
		count(p, 1)
	}
}

// leaveHome takes i out of all its homes but those where it has children.
func (g *grove) leaveHome(f *forest, i int32) {
	g.setMain(f, i, -1)
	for rest := f.home[i] &^ f.feeds[i]; rest != 0; rest &= rest - 1 {
		f.trees[first(rest)].close(i)
	}
	f.home[i] &= f.feeds[i]
}

// attachAll gives parents that are not the origin to all that lack one, until
// nothing more is possible, and returns those who lack one still. Those that will feed others come first, each in the
// one tree that needs it most: so the places near the roots are theirs.
func (g *grove) attachAll(f *forest, waiting []int32) []int32 {
	for again := true; again && len(waiting) > 0; {
		again = g.attachHomes(f, waiting)
		left := waiting[:0]
		for _, i := range waiting {
			lacks := f.lacks(i)
			before := lacks
			from := int(g.shares[i].key % uint64(f.K)) // so that no tree is always the last
			for step := 0; step < f.K && lacks != 0; step++ {
				p := from + step
				if p >= f.K {
					p -= f.K
				}
				if lacks&(1<<p) != 0 && g.attach(f, p, i) {
					lacks &^= 1 << p
				}
			}
			again = again || lacks != before
			if lacks != 0 {
				left = append(left, i)
			} else {
				f.queued[i] = inNone
			}
		}
		waiting = left
	}
	return waiting
}

// attachHomes attaches every peer with slots to give in its home: the tree that
// it feeds already, else the one with the least to give.
func (g *grove) attachHomes(f *forest, waiting []int32) bool {
	done := false
	var byRank []int32
	for _, i := range waiting {
		if g.shares[i].budget >= f.slot && (f.main[i] == 0 || f.trees[f.main[i]-1].at(i).parent == none) {
			byRank = append(byRank, i)
		}
	}
	g.sortBy(byRank, func(i int32) int { return g.peers[i].rank(g.now) })
	for _, i := range byRank {
		if g.shares[i].budget < f.slot {
			continue
		}
		if f.main[i] == 0 {
			p := g.poorest(f, i)
			if p < 0 {
				continue
			}
			g.settleHome(f, i, p)
		}
		p := int(f.main[i]) - 1
		if f.needs[i]&(1<<p) != 0 && f.trees[p].at(i).parent == none && g.attach(f, p, i) {
			done = true
		}
	}
	return done
}

// poorest is the tree that i receives with the least supply, or -1: one where it
// has children comes before any other.
func (g *grove) poorest(f *forest, i int32) int {
	if own := f.feeds[i] & f.needs[i]; own != 0 {
		return first(own)
	}
	best := -1
	for rest := f.needs[i]; rest != 0; rest &= rest - 1 {
		if p := first(rest); best < 0 || f.supply[p] < f.supply[best] {
			best = p
		}
	}
	return best
}

// attach finds i a parent in tree p.
func (g *grove) attach(f *forest, p int, i int32) bool {
	parent := g.choose(f, p, i, maxDepth-f.trees[p].height(i))
	if parent == none {
		parent = g.recruit(f, p, i)
	}
	if parent != none {
		g.set(f, p, parent, i)
		return true
	}
	return g.displace(f, p, i) || g.splice(f, p, i) || g.relink(f, p, i)
}

// passesOn is 1 for one who has slots to give and was seen to send, else 0.
func (g *grove) passesOn(f *forest, i int32) int {
	if s := &g.shares[i]; s.budget >= f.slot && s.traits&isProven != 0 {
		return 1
	}
	return 0
}

// feed lets the origin feed those without a parent, the one that helps most
// first. It returns true once somebody has slots for the others again.
func (g *grove) feed(f *forest, waiting []int32) bool {
	if g.shares[g.origin].budget < f.slot {
		return false
	}
	type want struct {
		p int
		i int32
	}
	var wants []want
	for _, i := range waiting {
		for rest := f.lacks(i); rest != 0; rest &= rest - 1 {
			wants = append(wants, want{first(rest), i})
		}
	}
	slices.SortStableFunc(wants, func(a, b want) int {
		return cmp.Or(g.passesOn(f, b.i)-g.passesOn(f, a.i), cmp.Compare(g.shares[b.i].budget, g.shares[a.i].budget))
	})
	for _, w := range wants {
		if g.shares[g.origin].budget < f.slot {
			return false
		}
		if !g.mayLink(g.origin, w.i) {
			continue
		}
		g.set(f, w.p, g.origin, w.i)
		if g.shares[w.i].budget >= f.slot || f.trees[w.p].at(w.i).first != none {
			g.settleHome(f, w.i, w.p)
			return true
		}
	}
	return false
}
