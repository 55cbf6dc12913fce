package planner

import (
	"math"

	"github.com/tubercdn/tuber"
)

// chooseHelpers names for receiver i up to two peers to ask for what does not
// come: those whom it has already, where they still can help; parents of other
// partitions, which are linked already, those first that have room to answer;
// then boosters, then viewers with something left to give.
func (g *grove) chooseHelpers(f *forest, i int32) {
	g.reviewHelpers(f, i)
	if f.needs[i] == 0 || i == g.origin {
		return
	}
	if !g.whole { // else they were chosen before all others
		g.chooseDeputies(f, i)
	}
	from := int(g.shares[i].key % uint64(f.K)) // not the same parents for everybody
	for _, least := range []upload{f.slot, math.MinInt64} {
		for step := 0; step < f.K && !f.helped(i); step++ {
			p := (from + step) % f.K
			if j := f.trees[p].at(i).parent; j != none && g.shares[j].budget >= least {
				g.help(f, i, j)
			}
		}
	}
	if !f.helped(i) {
		g.helpFromBoosters(f, i)
	}
	if !f.helped(i) {
		g.helpFromViewers(f, i)
	}
}

// chooseDeputies has the origin stand by for a deputy in every tree of which i is
// the only root, or a child of that: all below hang on the root, and cannot help
// each other without it.
func (g *grove) chooseDeputies(f *forest, i int32) {
	for rest := f.needs[i]; rest != 0; rest &= rest - 1 {
		p := first(rest)
		root := f.trees[p].root(g.origin)
		if root == none || root != i && f.trees[p].at(i).parent != root {
			continue
		}
		d := g.deputy(f, p)
		if d == none {
			continue
		}
		if f.helpedBy(d, g.origin) || g.shares[g.origin].spare <= 0 && !g.active(d, g.origin) {
			continue
		}
		if f.helped(d) {
			g.unhelp(f, d, f.helpers[d][tuber.StandbyLinks-1].peer-1)
		}
		if g.shares[d].spare <= 0 {
			g.freeStandby(d)
		}
		g.help(f, d, g.origin)
	}
}

// freeStandby ends one link of i that is there for standing by alone.
func (g *grove) freeStandby(i int32) {
	for n := range g.links[i] {
		if l := &g.links[i][n]; l.edges == 0 && l.helps > 0 {
			g.dropHelp(i, l.peer)
			return
		}
	}
}

// deputy is the child of a tree's only root for which the origin stands by: a
// booster, or else who has most to give. It stays the same while it can.
func (g *grove) deputy(f *forest, p int) int32 {
	t := &f.trees[p]
	if g.origin == none || g.originID() == outside {
		return none
	}
	root := t.root(g.origin)
	if root == none {
		return none
	}
	if d := f.deputies[p] - 1; d != none && t.at(d).parent == root && g.shares[d].traits&isAway == 0 {
		return d
	}
	best, bestRank := none, 0
	for k := range t.kids(root) {
		_, standby := g.peers[k].links()
		if g.shares[k].traits&(isAway|isVisitor) != 0 || standby == 0 || !g.fits(g.origin, k) {
			continue
		}
		r := g.peers[k].rank(g.now)
		if best == none || r > bestRank || r == bestRank && g.compare(k, best) < 0 {
			best, bestRank = k, r
		}
	}
	f.deputies[p] = best + 1
	return best
}

// root is the only child of the origin, or none.
func (t *tree) root(origin int32) int32 {
	if origin == none {
		return none
	}
	if r := t.at(origin).first; r != none && t.at(r).next == none {
		return r
	}
	return none
}

// helpedBy tells whether j is a helper of i.
func (f *forest) helpedBy(i, j int32) bool {
	for _, h := range f.helpers[i] {
		if h.peer == j+1 {
			return true
		}
	}
	return false
}

// helpFromViewers tries a bounded number of viewers that have something left.
func (g *grove) helpFromViewers(f *forest, i int32) {
	looks := looksOther / 2
	from := int(g.shares[i].key % uint64(len(g.peers))) // neighbours by index are alike
	for step := 1; step < len(g.peers) && step < 8*looksOther && looks > 0 && !f.helped(i); step++ {
		j := int32((from + step) % len(g.peers))
		if g.peers[j].Role == tuber.RoleViewer && g.shares[j].budget >= f.slot && f.has[j]&f.needs[i] != 0 {
			looks--
			g.help(f, i, j)
		}
	}
}

// helped tells whether i has as many helpers as one may have.
func (f *forest) helped(i int32) bool {
	for _, h := range f.helpers[i] {
		if h.peer == 0 {
			return false
		}
	}
	return true
}

// reviewHelpers drops the helpers that cannot help i any more.
func (g *grove) reviewHelpers(f *forest, i int32) {
	for n := tuber.StandbyLinks - 1; n >= 0; n-- {
		h := f.helpers[i][n]
		if h.peer == 0 {
			continue
		}
		j := h.peer - 1
		parts := g.helpful(f, i, j)
		switch {
		case parts == 0 || g.shares[j].traits&isAway != 0 || g.avoided(i, j):
			g.unhelp(f, i, j)
		case parts != h.parts:
			f.helpers[i][n].parts = parts
			g.note(i)
		}
	}
}

// helpFromBoosters tries a bounded number of them, beginning at a different one
// for everybody.
func (g *grove) helpFromBoosters(f *forest, i int32) {
	n := len(g.boosters)
	for step := 0; step < n && step < looksOther && !f.helped(i); step++ {
		g.help(f, i, g.boosters[(int(g.shares[i].key&0xffff)+step)%n])
	}
}

// help makes j a helper of i, if it can be one.
func (g *grove) help(f *forest, i, j int32) {
	if j == i || g.shares[j].traits&isAway != 0 || g.avoided(i, j) {
		return
	}
	at := -1
	if f.helpedBy(i, j) {
		return
	}
	for n, h := range f.helpers[i] {
		if h.peer == 0 && at < 0 {
			at = n
		}
	}
	parts := g.helpful(f, i, j)
	if at < 0 || parts == 0 {
		return
	}
	if n, linked := g.find(i, j); !linked || g.links[i][n].edges == 0 && g.links[i][n].helps == 0 {
		if g.shares[i].spare <= 0 || g.shares[j].spare <= 0 || !g.linkable(i, j) {
			return
		}
	}
	f.helpers[i][at] = helper{j + 1, parts}
	g.tie(i, j, 0, 1)
	g.note(i)
	g.note(j)
}

// helpful is the set of partitions that j receives otherwise than through i,
// and does not send to i anyway. The origin helps deputies only.
func (g *grove) helpful(f *forest, i, j int32) tuber.Partitions {
	if j == g.origin {
		var out tuber.Partitions
		for rest := f.needs[i]; rest != 0; rest &= rest - 1 {
			if p := first(rest); g.deputy(f, p) == i {
				out |= 1 << p
			}
		}
		return out
	}
	out := f.needs[i] & f.has[j]
	for rest := out; rest != 0; rest &= rest - 1 {
		p := first(rest)
		t := &f.trees[p]
		if t.at(i).parent == j || f.feeds[i]&(1<<p) != 0 && t.below(j, i) {
			out &^= 1 << p
		}
	}
	return out
}

// unhelp ends a standby relation.
func (g *grove) unhelp(f *forest, i, j int32) {
	for n, h := range f.helpers[i] {
		if h.peer == j+1 {
			f.helpers[i][n] = helper{}
			g.tie(i, j, 0, -1)
			g.note(i)
			g.note(j)
		}
	}
	if f.helpers[i][0].peer == 0 { // no gap before the other
		f.helpers[i][0], f.helpers[i][1] = f.helpers[i][1], helper{}
	}
}

// dropHelp ends all standby relations between a and b.
func (g *grove) dropHelp(a, b int32) {
	for _, f := range g.forests {
		g.unhelp(f, a, b)
		g.unhelp(f, b, a)
	}
}

// keepDeputies takes over whom the origin stood by for in the previous plan.
func (g *grove) keepDeputies(f *forest, previous *tuber.Plan) {
	if previous == nil || g.origin == none {
		return
	}
	for i := range g.peers {
		pp := previous.Peers[g.peers[i].ID]
		if pp == nil {
			continue
		}
		for _, s := range pp.Sources {
			if !s.Standby || s.Content != f.ID || s.From != g.originID() {
				continue
			}
			for rest := s.Partitions & f.needs[i]; rest != 0; rest &= rest - 1 {
				f.deputies[first(rest)] = int32(i) + 1
			}
		}
	}
}

// keepHelpers takes over the standbys that the previous plan gave i.
func (g *grove) keepHelpers(f *forest, i int32, previous *tuber.Plan) {
	if previous == nil || f.needs[i] == 0 {
		return
	}
	pp := previous.Peers[g.peers[i].ID]
	if pp == nil {
		return
	}
	for _, s := range pp.Sources {
		if j, ok := g.index[s.From]; ok && s.Standby && s.Content == f.ID {
			g.help(f, i, j)
		}
	}
}
