package planner

import (
	"cmp"
	"slices"
)

// unseat gives a place next to the origin to one who passes the partition on, and
// takes it from one who does not: where the origin's line is full, peers that
// nobody else may feed would else keep a partition from all others. Each time more
// are fed than before. It returns who lost it, or none.
func (g *grove) unseat(f *forest, waiting []int32) int32 {
	for _, i := range waiting {
		for rest := f.lacks(i) & f.feeds[i]; rest != 0; rest &= rest - 1 {
			if leaf := g.takeSeat(f, first(rest), i, none); leaf != none {
				return leaf
			}
		}
	}
	givers := slices.DeleteFunc(slices.Clone(waiting), func(i int32) bool { return g.shares[i].budget < f.slot })
	slices.SortStableFunc(givers, func(a, b int32) int { return cmp.Compare(g.shares[b].budget, g.shares[a].budget) })
	for _, i := range givers[:min(looksOther, len(givers))] {
		for rest := f.lacks(i); rest != 0; rest &= rest - 1 {
			p := first(rest)
			child := g.wouldFeed(f, p, i, waiting)
			if child == none {
				continue
			}
			if leaf := g.takeSeat(f, p, i, child); leaf != none {
				return leaf
			}
		}
	}
	return none
}

// wouldFeed is somebody who lacks the partition and could have it from i.
func (g *grove) wouldFeed(f *forest, p int, i int32, waiting []int32) int32 {
	t := &f.trees[p]
	if t.height(i)+1 > maxDepth {
		return none
	}
	looks := looksOther
	for _, k := range waiting {
		if f.lacks(k)&(1<<p) == 0 || k == i {
			continue
		}
		if looks--; looks < 0 {
			return none
		}
		if t.height(k)+2 <= maxDepth && g.mayFeed(i, k) {
			return k
		}
	}
	return none
}

// takeSeat puts i, and a child if it has none, in the place of a leaf below the
// origin, in this tree or else in another one. It undoes itself where a link is
// too many, and returns none.
func (g *grove) takeSeat(f *forest, p int, i, child int32) int32 {
	for step := range f.K {
		q := (p + step) % f.K
		t := &f.trees[q]
		for leaf := range t.kids(g.origin) {
			s := &g.shares[leaf]
			if t.at(leaf).first != none || s.traits&(isAway|isSymmetric) != 0 || q != p && t.at(t.at(g.origin).first).next == none {
				continue // the last one of another tree would have to be missed there
			}
			g.detach(f, q, leaf)
			if g.shares[g.origin].budget >= f.slot && g.mayLink(g.origin, i) {
				g.set(f, p, g.origin, i)
				g.settleHome(f, i, p)
				if child == none || g.mayFeed(i, child) {
					if child != none {
						g.set(f, p, i, child)
					}
					g.settle(f, q, leaf, 0)
					return leaf
				}
				g.detach(f, p, i)
				g.settle(f, p, i, 0)
			}
			g.set(f, q, g.origin, leaf)
		}
	}
	return none
}
