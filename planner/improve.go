package planner

import "github.com/tubercdn/tuber"

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
			for g.moves > 0 && (g.relieveOrigin(f, p) || g.raiseBooster(f, p) || g.shorten(f, p)) {
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
		if !g.mayLink(b, root) || !g.mayLink(b, g.origin) {
			continue
		}
		g.cut(f, p, b)
		g.cut(f, p, root)
		g.set(f, p, g.origin, b)
		g.set(f, p, b, root)
		return true
	}
	return false
}

// shorten moves a peer far from the origin at least three hops nearer.
func (g *grove) shorten(f *forest, p int) bool {
	const far, gain = 5, 3
	t := &f.trees[p]
	for i := range t.depth {
		i := int32(i)
		d := t.depth[i]
		if d < far || g.peers[i].Away {
			continue
		}
		if parent := g.choose(f, p, i, d-gain); parent != none {
			g.cut(f, p, i)
			g.set(f, p, parent, i)
			return true
		}
	}
	return false
}
