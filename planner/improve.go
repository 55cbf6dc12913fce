package planner

import "github.com/tubercdn/tuber"

// improve moves single peers where that is a clear gain: fewer copies from the
// origin, boosters at the root, those who feed others nearer to it, no long ways.
// Every move lowers a measure that none of lower standing raises, so it comes to
// rest; after a plan there are at most g.moves at a time, because each costs a
// hand-over.
func (g *grove) improve() {
	if g.origin == none || !g.settled {
		return
	}
	g.mix()
	for _, f := range g.wantedFirst() {
		g.turn++ // not the same tree first each time
		for step := range f.trees {
			p := (step + g.turn) % f.K
			for g.moves > 0 && (g.relieveOrigin(f, p) || g.raiseBooster(f, p)) {
				g.moves--
			}
			g.promote(f, p)
			g.shorten(f, p)
		}
	}
}

// relieveOrigin moves one of several children of the origin below another peer.
func (g *grove) relieveOrigin(f *forest, p int) bool {
	t := &f.trees[p]
	only := t.at(g.origin).first
	if only == none || t.at(only).next == none {
		return false
	}
	var kids []int32
	for k := range t.kids(g.origin) {
		kids = append(kids, k)
	}
	g.sortBy(kids, func(i int32) int { return g.rootRank(i) })
	// The last in rank first.
	for n := len(kids) - 1; n >= 0; n-- {
		i := kids[n]
		if g.shares[i].traits&isAway != 0 {
			continue
		}
		parent := g.choose(f, p, i, maxDepth-t.height(i))
		if parent == none {
			parent = g.recruit(f, p, i)
		}
		if n == 0 && parent != none && g.shares[parent].traits&isProven == 0 {
			continue // all would wait for one of whom nothing is known
		}
		if parent != none {
			g.move(f, p, parent, i)
			return true
		}
		if g.shares[i].budget < f.slot {
			continue // it cannot take another's place and keep that one below it
		}
		g.detach(f, p, i)
		if g.splice(f, p, i) {
			return true
		}
		g.set(f, p, g.origin, i)
	}
	return false
}

// rootRank orders those whom the origin might feed: one who may have no upload at
// all comes after those who were seen to pass something on.
func (g *grove) rootRank(i int32) int {
	const proven = 300
	r := g.peers[i].rank(g.now)
	if g.shares[i].traits&isProven != 0 {
		r += proven
	}
	return r
}

// raiseBooster puts a booster with slots to give between the origin and the
// viewer that it feeds.
func (g *grove) raiseBooster(f *forest, p int) bool {
	t := &f.trees[p]
	root := t.at(g.origin).first
	if root == none || t.at(root).next != none || g.peers[root].Role != tuber.RoleViewer || g.shares[root].traits&isAway != 0 {
		return false
	}
	if t.height(root) >= maxDepth-1 {
		return false
	}
	for _, b := range g.boosters {
		if g.shares[b].traits&isAway != 0 || t.at(b).depth == 0 || g.shares[b].budget < f.slot {
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
	parent := f.trees[p].at(b).parent
	g.detach(f, p, b)
	g.detach(f, p, root)
	if g.mayLink(g.origin, b) {
		g.set(f, p, g.origin, b)
		if g.mayLink(b, root) {
			g.set(f, p, b, root)
			g.settleHome(f, b, p)
			return true
		}
		g.detach(f, p, b)
	}
	g.set(f, p, g.origin, root)
	g.set(f, p, parent, b)
	return false
}

// promote swaps peers that are to feed many with leaves nearer to the origin: in
// a swarm that grew one by one the places near the roots belong to whoever came
// first. What is gained is counted in hops of those who hang below, or could.
func (g *grove) promote(f *forest, p int) {
	t := &f.trees[p]
	from := t.deepestLevel()
	looks := looksOther
	for d := from; d > 1 && looks > 0 && g.moves > 0; d-- {
		for _, list := range []*[]int32{&t.levels[d].inner, &t.levels[d].leaves} {
			for n := len(*list) - 1; n >= 0 && looks > 0 && g.moves > 0; n-- {
				if n >= len(*list) {
					continue
				}
				i := (*list)[n]
				if int(f.main[i]) != p+1 || g.shares[i].traits&isAway != 0 {
					continue
				}
				looks--
				if g.promoteOne(f, p, i) {
					g.moves--
				}
			}
		}
	}
}

// promoteOne lets i change places with a leaf nearer to the origin that is not to
// feed anybody in this tree.
func (g *grove) promoteOne(f *forest, p int, i int32) bool {
	const worth = 4 // hops gained in all; less is not worth two hand-overs
	t := &f.trees[p]
	d := int(t.at(i).depth)
	feeds := int(min(g.shares[i].base/f.slot, tuber.MaxLinks))
	for at := 1; at < d && (d-at)*feeds >= worth; at++ {
		leaves, looks := t.levels[at].leaves, looksSwap // on each level: those next to the origin are crowded first
		for n := range leaves {
			j := leaves[(int(g.shares[i].key&0xffff)+n)%len(leaves)]
			if int(f.main[j]) == p+1 && g.shares[j].base >= f.slot {
				continue
			}
			if looks--; looks < 0 {
				break
			}
			if g.crowded(f, p, t.at(j).parent) {
				continue
			}
			if g.swap(f, p, i, j) {
				return true
			}
		}
	}
	return false
}

// crowded tells whether j has as many children as it should that are to feed
// others in this tree.
func (g *grove) crowded(f *forest, p int, j int32) bool {
	if g.shares[j].base < g.mixing.from*f.slot {
		return false
	}
	return g.mixing.share*(upload(f.trees[p].at(j).mains)+1) > g.shares[j].base/f.slot
}

// shorten moves those far from the origin nearer, where a slot is free there.
func (g *grove) shorten(f *forest, p int) {
	const far, gain = 4, 1
	t := &f.trees[p]
	looks := looksOther
	for d := t.deepestLevel(); d >= far && looks > 0 && g.moves > 0; d-- {
		if !g.openAbove(f, p, d-gain) {
			return
		}
		for _, list := range []*[]int32{&t.levels[d].inner, &t.levels[d].leaves} {
			for n := len(*list) - 1; n >= 0 && looks > 0 && g.moves > 0; n-- {
				if n >= len(*list) {
					continue
				}
				i := (*list)[n]
				if g.shares[i].traits&isAway != 0 {
					continue
				}
				looks--
				// A parent at depth d puts i at d+1: choose looks at depths below its limit.
				if parent := g.choose(f, p, i, d-gain); parent != none {
					g.move(f, p, parent, i)
					g.moves--
				}
			}
		}
	}
}

// deepestLevel is the depth of the deepest peer.
func (t *tree) deepestLevel() int {
	for t.deepest > 0 && len(t.levels[t.deepest].leaves)+len(t.levels[t.deepest].inner) == 0 {
		t.deepest--
	}
	return t.deepest
}

// openAbove tells whether somebody at a depth less than d takes children.
func (g *grove) openAbove(f *forest, p, d int) bool {
	t := &f.trees[p]
	for at := 1; at < d; at++ {
		for class := range t.levels[at].free {
			list := &t.levels[at].free[class]
			for n := len(*list); n > 0; n = len(*list) {
				if j := (*list)[n-1]; g.shares[j].budget >= f.slot && g.shares[j].linked < g.shares[j].room {
					return true
				}
				t.close((*list)[n-1])
			}
		}
	}
	return false
}

// swap lets i and j, with all below them, change places; neither is below the
// other. It undoes itself where a link cannot be.
func (g *grove) swap(f *forest, p int, i, j int32) bool {
	t := &f.trees[p]
	a, b := t.at(i).parent, t.at(j).parent
	if a == b || a == j || b == i || g.shares[a].traits&isAway != 0 || g.shares[b].traits&isAway != 0 || g.shares[j].traits&isAway != 0 || !g.fits(b, i) || !g.fits(a, j) || t.below(j, i) {
		return false
	}
	g.detach(f, p, i)
	g.detach(f, p, j)
	if g.mayLink(b, i) && g.mayLink(a, j) {
		g.set(f, p, b, i)
		if g.mayLink(a, j) {
			g.set(f, p, a, j)
			return true
		}
		g.detach(f, p, i)
	}
	g.set(f, p, a, i)
	g.set(f, p, b, j)
	return false
}
