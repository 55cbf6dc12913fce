package planner

import "github.com/tubercdn/tuber"

// How many peers a search looks at before it tries elsewhere: on one level, and
// in one of the other trees or for a place to take.
const (
	looksLevel = 64
	looksOther = 48
	looksSwap  = 8
)

// mixing is how a peer's children are mixed: those that feed others, which it sends
// to first, are one in share, the rest leaves; peers with fewer than from slots are
// left out, for ways would become much longer by it.
type mixing struct{ share, from upload }

// mix decides the mixing. One in four has chunks sooner at the price of a few more
// hops: at 50,000 viewers p99 was 492 ms, 576 with one in two (bench/delay). But where
// means are short, more viewers are served in full with one in two
// (bench/efficiency).
func (g *grove) mix() {
	spare, need := g.left, upload(0)
	for _, f := range g.forests {
		spare -= upload(f.lacking) * f.slot
		need += upload(f.viewers*f.K) * f.slot
	}
	g.mixing = mixing{share: 2, from: 8}
	if spare > need/10 {
		g.mixing = mixing{share: 4, from: 20}
	}
}

// choose finds a parent for i at a depth below deepest: as near to the root as
// can be, there in turn among those who are at home in the tree. The slots that
// some viewers depend on are left to them. Where links are short, a peer that is
// linked already is as good one hop further away.
func (g *grove) choose(f *forest, p int, i int32, deepest int) int32 {
	t := &f.trees[p]
	classes := [2]int{0, 1}
	later := 0 // levels that dialable ones come after the others
	switch {
	case g.shares[i].traits&isSymmetric != 0:
		classes[0] = -1
	case f.scarce == 0:
		classes = [2]int{1, 0}
	case f.scarcer[0] <= f.scarcer[1]:
		later = 1
	}
	if int(f.main[i]) == p+1 {
		// It will feed others here: leave the later turns of a parent to leaves.
		for d := 1; d < min(deepest, maxDepth) && t.opened > 0; d++ {
			for _, class := range classes {
				if class >= 0 && len(t.levels[d].free[class]) > 0 {
					if j := g.inTurn(f, p, i, d, class, true); j != none {
						return j
					}
				}
			}
		}
	}
	for d := 1; d < min(deepest, maxDepth)+later && t.opened > 0; d++ {
		for n, class := range classes {
			at := d - n*later
			if class < 0 || at < 1 || at >= min(deepest, maxDepth) || len(t.levels[at].free[class]) == 0 {
				continue
			}
			j := g.inTurn(f, p, i, at, class, false)
			if j == none {
				continue
			}
			if g.shortOfLinks(i) || g.shortOfLinks(j) {
				if k := g.neighbour(f, p, i, min(at+2, deepest), f.home); k != none {
					return k
				}
			}
			return j
		}
	}
	return g.neighbour(f, p, i, deepest, f.home)
}

// inTurn finds a parent for i on one level: the next one who can. Those who have no slot or no link left are taken off the
// list; who is linked to one of them already finds it by neighbour.
// If early, it is one with turns left that are for those who feed others.
func (g *grove) inTurn(f *forest, p int, i int32, d, class int, early bool) int32 {
	t := &f.trees[p]
	l := &t.levels[d]
	tall := t.at(i).first != none
	for looks := looksLevel; looks > 0 && len(l.free[class]) > 0; looks-- {
		list := l.free[class]
		at := l.turn[class] % uint32(len(list))
		j := list[at]
		if g.shares[j].budget < f.slot || g.shares[j].linked >= g.shares[j].room {
			t.close(j)
			continue
		}
		l.turn[class] = at + 1
		if s := &g.shares[j]; early && s.base >= g.mixing.from*f.slot && g.mixing.share*(s.base-s.budget) > s.base {
			continue
		}
		if !g.mayFeed(j, i) || tall && t.below(j, i) || g.adrift && !g.rooted(t, j) {
			continue
		}
		return j
	}
	return none
}

// neighbour finds a parent for i among those who are linked to it already, and
// of whom in says that they may be asked; nil asks all.
func (g *grove) neighbour(f *forest, p int, i int32, deepest int, in []tuber.Partitions) int32 {
	t := &f.trees[p]
	tall := t.at(i).first != none
	best, bestDepth := none, min(deepest, maxDepth)
	for n := range g.links[i] { // what is nearest in memory and rules out most is asked first
		l := &g.links[i][n]
		j := l.peer
		if l.edges == 0 || in != nil && in[j]&(1<<p) == 0 || j == g.origin {
			continue
		}
		if s := &g.shares[j]; s.budget < f.slot || s.traits&isAway != 0 {
			continue
		}
		if d := int(t.at(j).depth); d == 0 || d >= bestDepth || g.avoided(i, j) || tall && t.below(j, i) || g.adrift && !g.rooted(t, j) {
			continue
		} else {
			best, bestDepth = j, d
		}
	}
	return best
}

// recruit finds a parent for i who is not at home in tree p so far: one that is
// linked to i, or one with something left in another tree.
func (g *grove) recruit(f *forest, p int, i int32) int32 {
	t := &f.trees[p]
	deepest := maxDepth - t.height(i)
	if j := g.neighbour(f, p, i, deepest, nil); j != none {
		return j
	}
	tall := t.at(i).first != none
	best, bestDepth := none, deepest
	for step := 1; step < f.K; step++ {
		other := &f.trees[(p+step)%f.K]
		looks := looksOther
		for d := 1; d < maxDepth && looks > 0 && other.opened > 0; d++ {
			for class := range other.levels[d].free {
				if class == 0 && g.shares[i].traits&isSymmetric != 0 {
					continue
				}
				for n := len(other.levels[d].free[class]) - 1; n >= 0 && looks > 0; n-- {
					j := other.levels[d].free[class][n]
					if g.shares[j].budget < f.slot || g.shares[j].linked >= g.shares[j].room {
						other.close(j)
						continue
					}
					looks--
					depth := int(t.at(j).depth)
					if depth == 0 || depth >= bestDepth || !g.mayFeed(j, i) || tall && t.below(j, i) || g.adrift && !g.rooted(t, j) {
						continue
					}
					best, bestDepth = j, depth
				}
			}
		}
	}
	return best
}

// displace takes a slot that only few can use from a peer that has a choice.
func (g *grove) displace(f *forest, p int, i int32) bool {
	if g.shares[i].traits&isSymmetric == 0 {
		return false
	}
	t := &f.trees[p]
	looks := looksOther
	start := int(g.shares[i].key % uint64(max(1, len(g.dialable))))
	for step := 0; step < len(g.dialable) && looks > 0; step++ {
		j := g.dialable[(start+step)%len(g.dialable)]
		looks--
		if n := t.at(j); j == g.origin || n.first == none || n.depth == 0 || n.depth >= maxDepth || g.shares[j].traits&isAway != 0 || !g.mayLink(i, j) || t.below(j, i) {
			continue
		}
		for k := range t.kids(j) {
			if looks--; looks < 0 {
				break
			}
			if g.shares[k].traits&isSymmetric != 0 || g.shares[k].traits&isAway != 0 || k == i {
				continue
			}
			other := g.choose(f, p, k, maxDepth-t.height(k))
			if other == none || other == j || t.below(other, i) {
				continue
			}
			g.move(f, p, other, k)
			if g.mayFeed(j, i) {
				g.set(f, p, j, i)
				return true
			}
			g.move(f, p, j, k)
		}
	}
	return false
}

// splice puts i in the place of a leaf and the leaf below i. It serves one more
// for one of i's own slots, when nobody above has any left.
func (g *grove) splice(f *forest, p int, i int32) bool {
	if g.shares[i].budget < f.slot || g.shares[i].linked+max(0, g.shares[i].pending-1) >= g.shares[i].room {
		return false
	}
	t := &f.trees[p]
	looks := 2 * looksOther
	deepest := maxDepth - t.height(i)
	for d := 1; d < deepest && looks > 0; d++ {
		leaves := t.levels[d].leaves
		for n := 0; n < len(leaves) && looks > 0; n++ {
			leaf := leaves[(int(g.shares[i].key&0xffff)+n)%len(leaves)] // not the same leaves for everybody
			if g.shares[leaf].traits&isAway != 0 || g.shares[leaf].traits&isSymmetric != 0 {
				continue
			}
			looks--
			parent := t.at(leaf).parent
			if parent == i || parent == none || g.shares[parent].traits&isAway != 0 || g.avoided(i, leaf) || t.below(leaf, i) || g.adrift && !g.rooted(t, leaf) {
				continue
			}
			if !g.fits(parent, i) || !g.fits(i, leaf) {
				continue
			}
			if g.takePlace(f, p, i, leaf, parent) {
				return true
			}
			leaves = t.levels[d].leaves
		}
	}
	return false
}

// takePlace puts i below parent and leaf, which was there, below i. It undoes
// itself where a link is too many.
func (g *grove) takePlace(f *forest, p int, i, leaf, parent int32) bool {
	g.detach(f, p, leaf)
	if g.shares[parent].budget >= f.slot && g.mayLink(parent, i) {
		g.set(f, p, parent, i)
		if g.mayFeed(i, leaf) {
			g.set(f, p, i, leaf)
			return true
		}
		g.detach(f, p, i)
		g.settle(f, p, i, 0)
	}
	g.set(f, p, parent, leaf)
	return false
}
