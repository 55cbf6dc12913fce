package planner

// relink finds i a place where uplinks have slots left but no links to give them
// over. One such peer gives the partition to somebody it is linked to already;
// whoever fed that one so far has a slot, and often a link, for i.
func (g *grove) relink(f *forest, p int, i int32) bool {
	t := &f.trees[p]
	pent := g.pentUp()
	looks := looksOther
	start := int(g.shares[i].key & 0xffff)
	for n := range pent {
		j := pent[(start+n)%len(pent)] // not the same for everybody
		if g.shares[j].budget < f.slot || t.at(j).depth == 0 || j == i {
			continue
		}
		if looks--; looks < 0 {
			return false
		}
		for n := range g.links[j] {
			if l := &g.links[j][n]; l.edges > 0 && g.handOver(f, p, i, j, l.peer) {
				return true
			}
		}
	}
	return false
}

// handOver gives child from its parent to j, and the place that it leaves to i,
// or changes nothing.
func (g *grove) handOver(f *forest, p int, i, j, child int32) bool {
	t := &f.trees[p]
	parent := t.at(child).parent
	switch {
	case parent == none || parent == j || parent == g.origin || child == i,
		(g.shares[child].traits|g.shares[parent].traits)&isAway != 0,
		int(t.at(j).depth)+1+t.height(child) > maxDepth,
		int(t.at(parent).depth)+1+t.height(i) > maxDepth,
		!g.fits(parent, i) || t.below(j, child) || t.below(parent, i) || t.below(j, i),
		g.adrift && !(g.rooted(t, parent) && g.rooted(t, j)):
		return false
	}
	g.move(f, p, j, child)
	if g.shares[parent].budget >= f.slot && g.mayFeed(parent, i) {
		g.set(f, p, parent, i)
		return true
	}
	g.move(f, p, parent, child)
	return false
}

// pentUp lists the peers that have a slot left, be it the smallest, and no link.
// It is read once while peers are being attached.
func (g *grove) pentUp() []int32 {
	if g.pentRead {
		return g.pent
	}
	slot := g.forests[0].slot
	for _, f := range g.forests {
		slot = min(slot, f.slot)
	}
	g.pent, g.pentRead = g.pent[:0], true
	for i := range g.shares {
		if s := &g.shares[i]; s.budget >= slot && s.linked+s.pending >= s.room && s.traits&isAway == 0 && int32(i) != g.origin {
			g.pent = append(g.pent, int32(i))
		}
	}
	return g.pent
}
