package planner

import (
	"math/bits"

	"github.com/tubercdn/tuber"
)

// tree is the way of one partition. A peer is attached when its parents lead to
// the origin.
type tree struct {
	nodes   []node // of this partition, beginning with the first peer's; see at
	stride  int    // from one peer's node to the next one's
	levels  [maxDepth + 1]level
	deepest int // no attached peer is deeper; it may be too high
	opened  int // how many are listed as taking children
}

// node is a peer's place in a tree. Children are a list threaded through their nodes.
type node struct {
	parent, first, next, prev int32
	at                        int32 // its place in its level's leaves or inner
	open                      int32 // its place in its level's free, from 1; 0 if it is in none
	mains                     int32 // children whose first home is this tree
	depth                     uint8 // hops from the origin, 0 while not attached
}

var noNode = node{parent: none, first: none, next: none, prev: none}

// at is i's place. A peer's places in all trees of a content lie side by side, for
// most of what is done to a peer is done to it in all of them.
func (t *tree) at(i int32) *node { return &t.nodes[int(i)*t.stride] }

// level lists the attached peers of one depth.
type level struct {
	leaves, inner []int32
	free          [2][]int32 // take children: those that not everybody can dial, and those that all can
	turn          [2]uint32  // whose turn it is to be asked first
}

func (t *tree) kids(i int32) func(func(int32) bool) {
	return func(yield func(int32) bool) {
		for k := t.at(i).first; k != none; {
			next := t.at(k).next
			if !yield(k) {
				return
			}
			k = next
		}
	}
}

// set makes parent feed child, which has none. If parent is attached, so is
// child's subtree.
func (g *grove) set(f *forest, p int, parent, child int32) {
	t := &f.trees[p]
	n, up := t.at(child), t.at(parent)
	n.parent, n.prev, n.next = parent, none, up.first
	if up.first != none {
		t.at(up.first).prev = child
	}
	first := up.first == none
	up.first = child
	if first {
		f.feeds[parent] |= 1 << p
		t.shelve(parent, true)
		g.note(up.parent) // which sends this partition to parent with more priority now
	}
	f.home[parent] |= 1 << p
	f.fed[child] |= 1 << p
	if int(f.main[child]) == p+1 {
		up.mains++
	}
	g.shares[child].pending--
	if g.shares[child].traits&isSymmetric != 0 {
		f.scarcer[1] -= f.slot
	}
	g.spend(parent, f.slot)
	if first {
		g.open(f, p, parent)
	}
	g.tie(parent, child, 1, 0)
	g.note(parent)
	g.note(child)
	switch {
	case parent == g.origin:
		g.settle(f, p, child, 1)
	case up.depth > 0:
		g.settle(f, p, child, up.depth+1)
	case n.depth > 0:
		g.settle(f, p, child, 0)
	}
}

// detach takes child from its parent. Its subtree keeps its depths: the caller
// gives it another parent, or calls settle with 0.
func (g *grove) detach(f *forest, p int, child int32) {
	t := &f.trees[p]
	n := t.at(child)
	parent := n.parent
	up := t.at(parent)
	if n.prev != none {
		t.at(n.prev).next = n.next
	} else {
		up.first = n.next
	}
	if n.next != none {
		t.at(n.next).prev = n.prev
	}
	n.parent, n.next, n.prev = none, none, none
	if int(f.main[child]) == p+1 {
		up.mains--
	}
	if up.first == none {
		f.feeds[parent] &^= 1 << p
		t.shelve(parent, false)
		g.note(up.parent)
		if int(f.main[parent]) != p+1 {
			f.home[parent] &^= 1 << p // one tree less to be at home in
			t.close(parent)
		}
	}
	f.fed[child] &^= 1 << p
	g.shares[child].pending++
	if g.shares[child].traits&isSymmetric != 0 {
		f.scarcer[1] += f.slot
	}
	g.spend(parent, -f.slot)
	g.untie(parent, child)
	g.note(parent)
	g.note(child)
	g.released++
	g.reopen(parent)
}

// untie ends one edge of a link. A standby link that is left of it stays only
// where both may have one more.
func (g *grove) untie(a, b int32) {
	g.tie(a, b, -1, 0)
	if g.shares[a].spare < 0 || g.shares[b].spare < 0 {
		if !g.active(a, b) {
			g.dropHelp(a, b)
		}
	}
	g.reopen(b)
}

// cut takes child and its subtree from its parent for now.
func (g *grove) cut(f *forest, p int, child int32) {
	g.detach(f, p, child)
	g.settle(f, p, child, 0)
	f.queue(child)
}

// move gives child another parent.
func (g *grove) move(f *forest, p int, parent, child int32) {
	g.detach(f, p, child)
	g.set(f, p, parent, child)
}

// settle gives i and what hangs below it their depths; 0 says not attached.
func (g *grove) settle(f *forest, p int, i int32, depth uint8) {
	t := &f.trees[p]
	n := t.at(i)
	if depth > maxDepth {
		depth = 0
	}
	if n.depth == depth {
		return
	}
	if (n.depth == 0) != (depth == 0) {
		g.note(i)
		f.flip(g, p, i, depth > 0)
	}
	t.unshelve(i)
	n.depth = depth
	if depth > 0 {
		t.deepest = max(t.deepest, int(depth))
		t.put(i, n.first != none)
		g.open(f, p, i)
	}
	next := depth + 1
	if depth == 0 {
		next = 0
	}
	for k := n.first; k != none; k = t.at(k).next {
		g.settle(f, p, k, next)
	}
}

// flip notes that partition p comes to i, or does not any more.
func (f *forest) flip(g *grove, p int, i int32, comes bool) {
	before := f.needs[i] &^ f.has[i]
	if comes {
		f.has[i] |= 1 << p
	} else {
		f.has[i] &^= 1 << p
	}
	after := f.needs[i] &^ f.has[i]
	if !g.watches(i) || g.visits(i) {
		return
	}
	f.lacking += after.Len() - before.Len()
	switch {
	case before == 0 && after != 0:
		f.short++
		g.note(i)
	case before != 0 && after == 0:
		f.short--
		g.note(i)
	}
}

// put adds i to the list of its depth.
func (t *tree) put(i int32, inner bool) {
	n := t.at(i)
	l := &t.levels[n.depth]
	list := &l.leaves
	if inner {
		list = &l.inner
	}
	n.at = int32(len(*list))
	*list = append(*list, i)
}

// take removes i from the list of its depth.
func (t *tree) take(i int32, inner bool) {
	n := t.at(i)
	l := &t.levels[n.depth]
	list := &l.leaves
	if inner {
		list = &l.inner
	}
	last := (*list)[len(*list)-1]
	(*list)[n.at] = last
	t.at(last).at = n.at
	*list = (*list)[:len(*list)-1]
}

// shelve moves i between leaves and inner, after it got its first child or lost
// its last one.
func (t *tree) shelve(i int32, inner bool) {
	if t.at(i).depth > 0 {
		t.take(i, !inner)
		t.put(i, inner)
	}
}

// unshelve takes i out of all lists of its depth.
func (t *tree) unshelve(i int32) {
	if t.at(i).depth > 0 {
		t.close(i)
		t.take(i, t.at(i).first != none)
	}
}

// class is where a peer is listed that takes children.
func (g *grove) class(i int32) int {
	if g.shares[i].traits&isDialable != 0 {
		return 1
	}
	return 0
}

// open lists i among those that take children, if it does.
func (g *grove) open(f *forest, p int, i int32) {
	n := f.trees[p].at(i)
	if n.open != 0 || n.depth == 0 || n.depth >= maxDepth || f.home[i]&(1<<p) == 0 || g.shares[i].budget < f.slot || g.shares[i].traits&isAway != 0 {
		return
	}
	list := &f.trees[p].levels[n.depth].free[g.class(i)]
	*list = append(*list, i)
	n.open = int32(len(*list))
	f.trees[p].opened++
}

// close takes i off the list of those that take children.
func (t *tree) close(i int32) {
	n := t.at(i)
	if n.open == 0 {
		return
	}
	lists := &t.levels[n.depth].free
	list := &lists[0]
	if int(n.open) > len(*list) || (*list)[n.open-1] != i {
		list = &lists[1]
	}
	last := (*list)[len(*list)-1]
	(*list)[n.open-1] = last
	t.at(last).open = n.open
	*list = (*list)[:len(*list)-1]
	n.open = 0
	t.opened--
}

// reopen lists i wherever it takes children, after it got something back.
func (g *grove) reopen(i int32) {
	for _, f := range g.forests {
		for home := f.home[i]; home != 0; home &= home - 1 {
			g.open(f, first(home), i)
		}
	}
}

// first is the lowest partition of a set that is not empty.
func first(ps tuber.Partitions) int {
	return bits.TrailingZeros8(uint8(ps))
}

// below tells whether i is x or hangs below it.
func (t *tree) below(i, x int32) bool {
	for ; i != none; i = t.at(i).parent {
		if i == x {
			return true
		}
	}
	return false
}

// rooted tells whether i's parents really lead to the origin, while subtrees are
// adrift that keep their depths.
func (g *grove) rooted(t *tree, i int32) bool {
	for t.at(i).parent != none {
		i = t.at(i).parent
	}
	return i == g.origin
}

// height is at least the number of levels that hang below i.
func (t *tree) height(i int32) int {
	if t.at(i).first == none {
		return 0
	}
	for t.deepest > 0 && len(t.levels[t.deepest].leaves)+len(t.levels[t.deepest].inner) == 0 {
		t.deepest--
	}
	return max(1, t.deepest-int(t.at(i).depth))
}

// drop takes a peer out of one tree: it is not to receive that partition any
// more. Its children there look for other parents.
func (g *grove) drop(f *forest, p int, i int32) {
	t := &f.trees[p]
	if t.at(i).parent != none {
		g.detach(f, p, i)
	}
	for k := range t.kids(i) {
		g.castOff(f, p, k)
	}
	if t.at(i).depth > 0 {
		g.settle(f, p, i, 0)
	}
	if int(f.main[i]) == p+1 {
		g.leaveHome(f, i)
	}
	t.close(i)
	f.home[i] &^= 1 << p
}
