package planner

import (
	"cmp"
	"slices"

	"github.com/tubercdn/tuber"
)

// edge is one partition's step from a parent to a child.
type edge struct {
	f             *forest
	p             int
	parent, child int32
}

// keep takes over what the previous plan says, as far as it can still be: a
// peer is moved only for a reason. What is left are trees rooted at the origin
// and subtrees whose top has lost its parent.
func (g *grove) keep(previous *tuber.Plan) {
	if previous == nil {
		return
	}
	edges := g.edgesOf(previous)
	kids := map[edge]int{} // how many a child feeds itself, under {f, p, child, child}
	for _, e := range edges {
		kids[edge{e.f, e.p, e.parent, e.parent}]++
	}
	// Those that feed most come first, in case not all of them fit any more.
	slices.SortStableFunc(edges, func(a, b edge) int {
		return cmp.Compare(kids[edge{b.f, b.p, b.child, b.child}], kids[edge{a.f, a.p, a.child, a.child}])
	})
	for _, e := range edges {
		if g.valid(e) {
			g.set(e.f, e.p, e.parent, e.child)
		}
	}
	for _, f := range g.forests {
		for p := range f.trees {
			g.breakCycles(f, p)
		}
	}
}

// edgesOf reads a plan's edges in an order that depends on nothing but ids: as
// the receivers have them first, then as the senders do. After a restart one
// side may not have told its part yet.
func (g *grove) edgesOf(previous *tuber.Plan) []edge {
	var out []edge
	add := func(c tuber.ContentID, ps tuber.Partitions, parent, child int32) {
		f := g.byID[c]
		if f == nil {
			return
		}
		for p := range f.K {
			if ps.Has(tuber.Partition(p)) {
				out = append(out, edge{f, p, parent, child})
			}
		}
	}
	for i := range g.peers {
		if pp := previous.Peers[g.peers[i].ID]; pp != nil {
			for _, s := range pp.Sources {
				if from, ok := g.index[s.From]; ok && !s.Standby {
					add(s.Content, s.Partitions, from, int32(i))
				}
			}
		}
	}
	for i := range g.peers {
		if pp := previous.Peers[g.peers[i].ID]; pp != nil {
			for _, a := range pp.Assignments {
				if to, ok := g.index[a.To]; ok {
					add(a.Content, a.Partitions, int32(i), to)
				}
			}
		}
	}
	return out
}

// valid tells whether an edge of the previous plan may stay. Where uplinks are
// concerned it is more generous than for new edges: up to all of it. While peers
// rejoin everything stays but what a viewer does not want any more.
func (g *grove) valid(e edge) bool {
	t := &e.f.trees[e.p]
	switch {
	case t.parent[e.child] != none || e.child == g.origin || e.parent == e.child:
		return false
	case g.peers[e.parent].Mute || g.avoid[pair(e.parent, e.child)]:
		return false
	case !g.receives(e.f, e.p, e.child) || e.parent != g.origin && !g.receives(e.f, e.p, e.parent):
		return false
	case !g.settled:
		return true
	case !g.mayLink(e.parent, e.child):
		return false
	}
	slack := (1 - useOfUplink) * g.uplink(e.parent)
	return g.budget[e.parent]+slack >= e.f.slot || g.peers[e.parent].Away
}

// receives tells whether i is to have partition p. While peers rejoin, what
// the absent and the boosters had is still theirs.
func (g *grove) receives(f *forest, p int, i int32) bool {
	if f.needs[i]&(1<<p) != 0 {
		return true
	}
	peer := &g.peers[i]
	if g.settled || peer.Role == tuber.RoleViewer && !peer.Away {
		return false
	}
	f.needs[i] |= 1 << p
	g.pending[i]++
	return true
}

// breakCycles cuts every cycle at its smallest index. A plan of ours has none;
// what rejoining peers report may.
func (g *grove) breakCycles(f *forest, p int) {
	t := &f.trees[p]
	seen := make([]int32, len(g.peers)) // the walk that passed here, from 1
	for i := range t.parent {
		walk := int32(i) + 1
		j := int32(i)
		for j != none && seen[j] == 0 {
			seen[j] = walk
			j = t.parent[j]
		}
		if j == none || seen[j] != walk {
			continue
		}
		least := j
		for k := t.parent[j]; k != j; k = t.parent[k] {
			least = min(least, k)
		}
		g.cut(f, p, least)
	}
}
