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
	kids := make([][]int32, len(g.forests)*tuber.MaxPartitions)
	count := func(e edge, i int32) *int32 {
		list := &kids[e.f.n*tuber.MaxPartitions+e.p]
		if *list == nil {
			*list = make([]int32, len(g.peers))
		}
		return &(*list)[i]
	}
	for _, e := range edges {
		*count(e, e.parent)++
	}
	// Those that feed most come first, in case not all of them fit any more.
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(*count(b, b.child), *count(a, a.child)) })
	for _, e := range edges {
		if g.valid(e) {
			g.set(e.f, e.p, e.parent, e.child)
		}
	}
	for _, f := range g.forests {
		for p := range f.trees {
			g.breakCycles(f, p)
			g.cutTooDeep(f, p)
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
	case t.at(e.child).parent != none || e.child == g.origin || e.parent == e.child:
		return false
	case g.peers[e.parent].Mute || g.avoided(e.parent, e.child):
		return false
	case !g.receives(e.f, e.p, e.child) || e.parent != g.origin && !g.receives(e.f, e.p, e.parent):
		return false
	case !g.settled:
		return true
	case !g.mayLink(e.parent, e.child):
		return false
	}
	return g.shares[e.parent].budget+g.slack(e.parent) >= e.f.slot || g.peers[e.parent].Away
}

// slack is what i's uplink has more than new edges may take.
func (g *grove) slack(i int32) upload {
	return upload(float64(g.shares[i].base) * (1 - useOfUplink) / useOfUplink)
}

// receives tells whether i is to have partition p. While peers rejoin, what
// the absent and the boosters had is still theirs.
func (g *grove) receives(f *forest, p int, i int32) bool {
	if f.needs[i]&(1<<p) != 0 {
		return true
	}
	peer := &g.peers[i]
	if g.settled || peer.visits() || peer.Role == tuber.RoleViewer && !peer.Away {
		return false
	}
	g.need(f, i, f.needs[i]|1<<p)
	return true
}

// breakCycles cuts every cycle at its smallest index. A plan of ours has none;
// what rejoining peers report may.
func (g *grove) breakCycles(f *forest, p int) {
	t := &f.trees[p]
	seen := make([]int32, len(g.peers)) // the walk that passed here, from 1
	for i := range int32(len(g.peers)) {
		if t.at(i).depth > 0 {
			continue
		}
		walk := i + 1
		j := i
		for j != none && seen[j] == 0 {
			seen[j] = walk
			j = t.at(j).parent
		}
		if j == none || seen[j] != walk {
			continue
		}
		least := j
		for k := t.at(j).parent; k != j; k = t.at(k).parent {
			least = min(least, k)
		}
		g.cut(f, p, least)
	}
}

// cutTooDeep takes off what hangs lower than ways may be long.
func (g *grove) cutTooDeep(f *forest, p int) {
	t := &f.trees[p]
	for i := range int32(len(g.peers)) {
		if parent := t.at(i).parent; parent != none && t.at(i).depth == 0 && t.at(parent).depth > 0 {
			g.cut(f, p, i)
		}
	}
}

// settleHomes gives everybody the homes that follow from the plan alone: the
// trees where it has children, or the one in which it is nearest to the origin.
// So a plan read back has the same ones as when it was made.
func (g *grove) settleHomes() {
	for _, f := range g.forests {
		for i := range g.peers {
			i := int32(i)
			if i == g.origin || f.needs[i] == 0 && f.home[i] == 0 {
				continue
			}
			main, homes := -1, f.feeds[i]
			switch {
			case g.shares[i].base < f.slot:
			case homes != 0:
				main = first(homes)
			default:
				if main = f.shallowest(i); main >= 0 {
					homes = 1 << main
				}
			}
			if int(f.main[i]) == main+1 && f.home[i] == homes {
				continue
			}
			g.leaveHome(f, i)
			if main >= 0 {
				g.setMain(f, i, main)
				f.home[i] |= homes
			}
			g.reopen(i)
		}
	}
}

// shallowest is the tree in which i is nearest to the origin, or -1.
func (f *forest) shallowest(i int32) int {
	best := -1
	for rest := f.needs[i]; rest != 0; rest &= rest - 1 {
		p := first(rest)
		if d := f.trees[p].at(i).depth; d > 0 && (best < 0 || d < f.trees[best].at(i).depth) {
			best = p
		}
	}
	return best
}
