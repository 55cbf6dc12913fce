package planner

import (
	"cmp"
	"slices"

	"github.com/tubercdn/tuber"
)

// improve moves single peers where that is a clear gain: fewer copies from the
// origin, boosters at the root, no long ways. Every move lowers a measure that
// no other move raises, so it comes to rest; after a plan there are at most
// g.moves at a time, because each costs a hand-over.
func (g *grove) improve() {
	if g.origin == none || !g.settled {
		return
	}
	for _, f := range g.wantedFirst() {
		for p := range f.trees {
			for g.moves > 0 && (g.relieveOrigin(f, p) || g.raiseBooster(f, p) || g.promote(f, p) || g.shorten(f, p)) {
				g.moves--
			}
		}
	}
}

// relieveOrigin moves one of several children of the origin below another peer.
func (g *grove) relieveOrigin(f *forest, p int) bool {
	t := &f.trees[p]
	kids := t.kids[g.origin]
	if len(kids) < 2 {
		return false
	}
	// The last in rank first: the first stays.
	for n := len(kids) - 1; n >= 0; n-- {
		i := g.lastRanked(kids, n)
		if g.peers[i].Away {
			continue
		}
		if parent := g.choose(f, p, i, maxDepth-t.height(i)); parent != none {
			g.cut(f, p, i)
			g.set(f, p, parent, i)
			return true
		}
		if g.budget[i] < f.slot {
			continue // it cannot take another's place and keep that one below it
		}
		g.cut(f, p, i)
		if g.splice(f, p, i) {
			return true
		}
		g.set(f, p, g.origin, i)
		kids = t.kids[g.origin]
	}
	return false
}

// lastRanked is the n-th of kids by rank, the first being 0.
func (g *grove) lastRanked(kids []int32, n int) int32 {
	for _, i := range kids {
		before := 0
		for _, j := range kids {
			a, b := g.peers[i].rank(g.now), g.peers[j].rank(g.now)
			if b > a || b == a && j < i {
				before++
			}
		}
		if before == n {
			return i
		}
	}
	return kids[0]
}

// raiseBooster puts a booster with slots to give between the origin and the
// viewer that it feeds.
func (g *grove) raiseBooster(f *forest, p int) bool {
	t := &f.trees[p]
	if len(t.kids[g.origin]) != 1 {
		return false
	}
	root := t.kids[g.origin][0]
	if g.peers[root].Role != tuber.RoleViewer || g.peers[root].Away {
		return false
	}
	for b := range g.peers {
		b := int32(b)
		if g.peers[b].Role != tuber.RoleBooster || g.peers[b].Away || t.depth[b] == 0 || g.budget[b] < f.slot {
			continue
		}
		if g.mayLink(b, root) && g.mayLink(b, g.origin) && g.insert(f, p, b, root) {
			return true
		}
	}
	return false
}

// insert puts b between the origin and its child root. It undoes itself where
// the two links together are more than b may have.
func (g *grove) insert(f *forest, p int, b, root int32) bool {
	parent := f.trees[p].parent[b]
	g.cut(f, p, b)
	g.cut(f, p, root)
	if g.mayLink(g.origin, b) {
		g.set(f, p, g.origin, b)
		if g.mayLink(b, root) {
			g.set(f, p, b, root)
			return true
		}
		g.cut(f, p, b)
	}
	g.set(f, p, g.origin, root)
	g.set(f, p, parent, b)
	return false
}

// promote swaps a peer that feeds many with one nearer to the origin that feeds
// fewer, if all of them together come closer by that: in a swarm that grew one
// by one the places near the roots belong to whoever came first.
func (g *grove) promote(f *forest, p int) bool {
	const worth = 4 // hops gained in all; less is not worth two hand-overs
	t := &f.trees[p]
	size := make([]int32, len(g.peers))
	var feeders, byDepth []int32
	for i := range t.depth {
		if t.depth[i] > 0 && size[i] == 0 {
			t.count(int32(i), size)
		}
	}
	for i := range t.depth {
		if t.depth[i] == 0 || g.peers[i].Away {
			continue
		}
		byDepth = append(byDepth, int32(i))
		if t.depth[i] > 1 && size[i] > 1 {
			feeders = append(feeders, int32(i))
		}
	}
	slices.SortStableFunc(feeders, func(a, b int32) int { return cmp.Compare(size[b], size[a]) })
	slices.SortStableFunc(byDepth, func(a, b int32) int {
		return cmp.Or(cmp.Compare(t.depth[a], t.depth[b]), cmp.Compare(size[a], size[b]))
	})
	const feedersLooked, looked = 64, 16 // a bounded search: the next plan goes on
	for _, i := range feeders[:min(len(feeders), feedersLooked)] {
		looks := 0
		for _, j := range byDepth {
			if (t.depth[i]-t.depth[j])*size[i] < worth || looks == looked {
				break
			}
			if (t.depth[i]-t.depth[j])*(size[i]-size[j]) < worth || t.below(i, j) {
				continue
			}
			looks++
			if g.swap(f, p, i, j) {
				return true
			}
		}
	}
	return false
}

// shorten moves a peer far from the origin at least two hops nearer, where a
// slot is free there.
func (g *grove) shorten(f *forest, p int) bool {
	const far, gain, looks = 4, 2, 64
	t := &f.trees[p]
	var deep []int32
	for i := range t.depth {
		if t.depth[i] >= far && !g.peers[i].Away {
			deep = append(deep, int32(i))
		}
	}
	slices.SortStableFunc(deep, func(a, b int32) int { return cmp.Compare(t.depth[b], t.depth[a]) })
	for _, i := range deep[:min(len(deep), looks)] {
		// A parent at depth d puts i at d+1: choose looks at depths below its limit.
		if parent := g.choose(f, p, i, t.depth[i]-gain); parent != none {
			g.cut(f, p, i)
			g.set(f, p, parent, i)
			return true
		}
	}
	return false
}

// count notes the number of peers at and below i.
func (t *tree) count(i int32, size []int32) int32 {
	size[i] = 1
	for _, k := range t.kids[i] {
		size[i] += t.count(k, size)
	}
	return size[i]
}

// swap lets i and j, with all below them, change places; neither is below the
// other. It undoes itself where a link cannot be.
func (g *grove) swap(f *forest, p int, i, j int32) bool {
	t := &f.trees[p]
	a, b := t.parent[i], t.parent[j]
	if a == b || g.peers[a].Away || g.peers[b].Away || !g.fits(b, i) || !g.fits(a, j) {
		return false
	}
	g.cut(f, p, i)
	g.cut(f, p, j)
	if g.mayLink(b, i) && g.mayLink(a, j) {
		g.set(f, p, b, i)
		if g.mayLink(a, j) {
			g.set(f, p, a, j)
			return true
		}
		g.cut(f, p, i)
	}
	g.set(f, p, a, i)
	g.set(f, p, b, j)
	return false
}

// fits tells whether a and b may be linked, the number of links apart.
func (g *grove) fits(a, b int32) bool {
	return !g.avoid[pair(a, b)] && (g.links[a][b] > 0 || g.linkable(a, b))
}
