package planner

import (
	"cmp"
	"slices"

	"github.com/tubercdn/tuber"
)

// grow attaches everything that can be. The origin gives each partition once;
// it gives more only where nobody else can, as far as its own line goes.
func (g *grove) grow() {
	if g.origin == none {
		return
	}
	g.plantRoots()
	for _, f := range g.wantedFirst() {
		order := g.order(f)
		for {
			g.attachAll(f, order)
			if !g.feed(f, order) {
				break
			}
		}
	}
}

// order is the order in which a content's receivers are attached: boosters, for
// they feed the others; then those that few can feed; then by rank.
func (g *grove) order(f *forest) []int32 {
	var out []int32
	for i := range g.peers {
		if f.needs[i] != 0 && !g.peers[i].Away {
			out = append(out, int32(i))
		}
	}
	key := func(i int32) int {
		p := &g.peers[i]
		switch {
		case p.Role == tuber.RoleBooster:
			return 100_000 + p.rank(g.now)
		case p.needsDialable():
			return 50_000
		}
		return p.rank(g.now)
	}
	slices.SortStableFunc(out, func(a, b int32) int { return cmp.Compare(key(b), key(a)) })
	return out
}

// plantRoots chooses for every partition without one the peer that the origin
// feeds. Roots are spread: each counts with the children it will be given.
func (g *grove) plantRoots() {
	reserved := make([]float64, len(g.peers))
	for _, f := range g.wantedFirst() {
		receivers := 0
		for i := range f.needs {
			if f.needs[i] != 0 {
				receivers++
			}
		}
		reserve := func(i int32) {
			reserved[i] += min(float64(receivers-1)*f.slot, max(0, g.budget[i]-reserved[i]))
		}
		for p := range f.trees {
			for _, root := range f.trees[p].kids[g.origin] {
				reserve(root)
			}
		}
		for p := range f.trees {
			if len(f.trees[p].kids[g.origin]) > 0 || g.budget[g.origin] < f.slot {
				continue
			}
			if root := g.bestRoot(f, p, reserved); root != none {
				g.set(f, p, g.origin, root)
				reserve(root)
			}
		}
	}
}

func (g *grove) bestRoot(f *forest, p int, reserved []float64) int32 {
	best, bestClass, bestLeft := none, -1, 0.0
	for i := range g.peers {
		i := int32(i)
		if f.needs[i]&(1<<p) == 0 || g.peers[i].Away || f.trees[p].parent[i] != none || !g.mayLink(g.origin, i) {
			continue
		}
		left := g.budget[i] - reserved[i]
		class := 0
		switch {
		case left < f.slot: // it would be a leaf: only if there is nobody else
		case g.peers[i].Role == tuber.RoleBooster:
			class = 3
		case g.peers[i].Hidden:
			class = 1
		default:
			class = 2
		}
		if class > bestClass || class == bestClass && left > bestLeft {
			best, bestClass, bestLeft = i, class, left
		}
	}
	return best
}

// attachAll gives parents that are not the origin to all that lack one, until
// nothing more is possible. Those that will feed others come first, each in the
// one tree that needs it most: so the places near the roots are theirs.
func (g *grove) attachAll(f *forest, order []int32) {
	for again := true; again; {
		again = g.attachHomes(f, order)
		for _, i := range order {
			for step := range f.K {
				p := (int(i) + step) % f.K // so that no tree is always the last
				if f.needs[i]&(1<<p) != 0 && f.trees[p].parent[i] == none && g.attach(f, p, i) {
					again = true
				}
			}
		}
	}
}

// attachHomes attaches every peer with slots to give in its home: the tree that
// it feeds already, else the one with the least to give.
func (g *grove) attachHomes(f *forest, order []int32) bool {
	done := false
	supply := make([]float64, f.K)
	homes := make([]int, len(g.peers)) // home + 1
	for _, i := range order {
		for p := range f.trees {
			if len(f.trees[p].kids[i]) > 0 || f.trees[p].parent[i] == g.origin {
				homes[i] = p + 1
				supply[p] += max(0, g.budget[i])
				break
			}
		}
	}
	byRank := slices.Clone(order)
	slices.SortStableFunc(byRank, func(a, b int32) int {
		return cmp.Compare(g.peers[b].rank(g.now), g.peers[a].rank(g.now))
	})
	for _, i := range byRank {
		if g.budget[i] < f.slot {
			continue
		}
		if homes[i] == 0 {
			homes[i] = 1 + g.poorest(f, i, supply)
			if homes[i] == 0 {
				continue
			}
			supply[homes[i]-1] += g.budget[i]
		}
		p := homes[i] - 1
		if f.needs[i]&(1<<p) != 0 && f.trees[p].parent[i] == none && g.attach(f, p, i) {
			done = true
		}
	}
	return done
}

// poorest is the tree that i receives with the least supply, or -1.
func (g *grove) poorest(f *forest, i int32, supply []float64) int {
	best := -1
	for p := range f.trees {
		if f.needs[i]&(1<<p) != 0 && (best < 0 || supply[p] < supply[best]) {
			best = p
		}
	}
	return best
}

func (g *grove) attach(f *forest, p int, i int32) bool {
	if parent := g.choose(f, p, i, maxDepth); parent != none {
		g.set(f, p, parent, i)
		return true
	}
	return g.displace(f, p, i) || g.splice(f, p, i)
}

// feed lets the origin feed those without a parent, the one that helps most
// first. It returns true once somebody has slots for the others again.
func (g *grove) feed(f *forest, order []int32) bool {
	type want struct {
		p int
		i int32
	}
	var wants []want
	for _, i := range order {
		for p := range f.trees {
			if f.needs[i]&(1<<p) != 0 && f.trees[p].parent[i] == none && g.mayLink(g.origin, i) {
				wants = append(wants, want{p, i})
			}
		}
	}
	slices.SortStableFunc(wants, func(a, b want) int { return cmp.Compare(g.budget[b.i], g.budget[a.i]) })
	for _, w := range wants {
		if g.budget[g.origin] < f.slot {
			return false
		}
		if !g.mayLink(g.origin, w.i) {
			continue
		}
		g.set(f, w.p, g.origin, w.i)
		if g.budget[w.i] >= f.slot || len(f.trees[w.p].kids[w.i]) > 0 {
			return true
		}
	}
	return false
}

// choose finds the best parent for i at a depth of at most deepest-1: near the
// root, feeding in few trees, linked already where links are scarce, with much
// left to give. It looks at a bounded number of peers on each depth.
func (g *grove) choose(f *forest, p int, i int32, deepest int32) int32 {
	const looks, sweepAt = 64, 32
	t := &f.trees[p]
	tall := len(t.kids[i]) > 0
	best, bestCost := none, 0
	for d := int32(1); d < min(deepest, maxDepth); d++ {
		if best != none && bestCost <= int(d)*costDepth {
			break
		}
		looked, stale := 0, 0
		for _, at := range t.open[d] {
			j := at.peer
			if t.mark[j] == at.mark && g.budget[j] < f.slot {
				t.mark[j] = 0
			}
			if t.mark[j] != at.mark {
				stale++
				continue
			}
			if g.peers[j].Away || tall && t.below(j, i) || !g.mayFeed(j, i) {
				continue
			}
			cost := g.cost(f, p, i, j)
			if best == none || cost < bestCost || cost == bestCost && g.budget[j] > g.budget[best] {
				best, bestCost = j, cost
			}
			if looked++; looked == looks {
				break
			}
		}
		if stale > sweepAt {
			t.sweep(d)
		}
	}
	return best
}

// What one hop, and one more tree to feed in, count.
const (
	costDepth  = 4
	costSecond = 2 // a second tree: fine where it saves a hop
	costMore   = 5 // a third: worth more than a hop
	costBundle = 1
	costLink   = 3 // a new link where links are short
)

func (g *grove) cost(f *forest, p int, i, j int32) int {
	t := &f.trees[p]
	cost := int(t.depth[j]) * costDepth
	if len(t.kids[j]) == 0 {
		switch g.interior(f, j) {
		case 0:
		case 1:
			cost += costSecond
		default:
			cost += costMore
		}
	}
	if f.scarce && g.peers[j].Means.Reach == tuber.ReachDialable && !g.peers[i].needsDialable() {
		cost += costSecond // leave it to those who have no choice
	}
	linked := g.links[i][j] > 0
	short := 2*len(g.links[i]) > g.room[i] || 2*len(g.links[j]) > g.room[j]
	switch {
	case linked && !short:
		cost += costBundle // several parents are better than one
	case !linked && short:
		cost += costLink
	}
	return cost
}

// interior is the number of trees of f in which j feeds others.
func (g *grove) interior(f *forest, j int32) int {
	n := 0
	for p := range f.trees {
		if len(f.trees[p].kids[j]) > 0 {
			n++
		}
	}
	return n
}

// displace takes a slot that only few can use from a peer that has a choice.
func (g *grove) displace(f *forest, p int, i int32) bool {
	if !g.peers[i].needsDialable() {
		return false
	}
	t := &f.trees[p]
	for _, j := range g.dialable {
		if j == g.origin || len(t.kids[j]) == 0 || t.depth[j] == 0 || t.depth[j] >= maxDepth || t.below(j, i) || g.peers[j].Away || !g.mayLink(i, j) {
			continue
		}
		kids := slices.Sorted(slices.Values(t.kids[j]))
		for _, k := range kids {
			if g.peers[k].needsDialable() || g.peers[k].Away || k == i {
				continue
			}
			g.cut(f, p, k)
			other := g.choose(f, p, k, maxDepth)
			if other == none || other == j || t.below(other, i) || !g.mayFeed(j, i) {
				g.set(f, p, j, k)
				continue
			}
			g.set(f, p, other, k)
			g.set(f, p, j, i)
			return true
		}
	}
	return false
}

// splice puts i in the place of a leaf and the leaf below i. It serves one more
// for one of i's own slots, when nobody above has any left.
func (g *grove) splice(f *forest, p int, i int32) bool {
	if g.budget[i] < f.slot {
		return false
	}
	const looks = 64
	t := &f.trees[p]
	looked := 0
	for step := range g.peers {
		leaf := int32((int(i) + step) % len(g.peers)) // not the same leaves for everybody
		d := t.depth[leaf]
		if d == 0 || d >= maxDepth-1 || len(t.kids[leaf]) > 0 || g.peers[leaf].Away || g.peers[leaf].needsDialable() {
			continue
		}
		parent := t.parent[leaf]
		if parent == i || parent == none || g.peers[parent].Away || g.avoid[pair(i, leaf)] || t.below(leaf, i) {
			continue
		}
		if !g.fits(parent, i) || !g.fits(i, leaf) {
			continue
		}
		if looked++; looked > looks {
			break
		}
		g.cut(f, p, leaf)
		if g.budget[parent] >= f.slot && g.mayLink(parent, i) {
			g.set(f, p, parent, i)
			if g.mayFeed(i, leaf) {
				g.set(f, p, i, leaf)
				return true
			}
			g.cut(f, p, i)
		}
		g.set(f, p, parent, leaf)
	}
	return false
}
