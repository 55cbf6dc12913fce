package planner

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// MakePlan decides who sends what to whom. It is a pure function: it reads no
// clock, uses no chance, and the order of the peers and contents given does not
// matter.
//
// Each of a content's K partitions goes its own way down a tree whose root is
// fed by the origin, once. Boosters stand near the roots, peers with wide
// uplinks and long stays next; each feeds others in as few trees as its slots
// allow, a slot being the rate of one partition, so that a departure costs those
// below it little. In a small swarm this comes out as trees of depth two.
//
// What the previous plan says stays as long as it can; then those without a
// parent get one; then a few moves are made that are clear gains. From the same
// state, with its own answer as the previous plan, the answer is the same one.
func MakePlan(st State, now time.Time) tuber.Plan {
	g := newGrove(st, now)
	g.subscribe(st.Previous)
	g.countPending()
	g.keep(st.Previous)
	g.moves = g.allowance(st.Previous)
	for range 16 { // what one gets may make room for another; seldom more than twice
		moves, unfed := g.moves, g.unfed()
		g.grow()
		g.improve()
		if g.moves == moves && g.unfed() == unfed {
			break
		}
	}
	return g.answer(st)
}

// allowance is how many peers may be moved for improvement's sake: a fiftieth
// of the edges, with more where nothing was planned before.
func (g *grove) allowance(previous *tuber.Plan) int {
	edges := 0
	for _, f := range g.forests {
		for _, n := range f.needs {
			edges += n.Len()
		}
	}
	if previous == nil || len(previous.Peers) == 0 {
		return max(200, edges/50)
	}
	return max(8, edges/50)
}

// answer writes the plan down. The part of a peer for which nothing changed is
// the very one of the previous plan, with its version.
func (g *grove) answer(st State) tuber.Plan {
	w := newWriter(g, st)
	plan := tuber.Plan{Epoch: st.Epoch, Version: 1, Peers: map[tuber.PeerID]*tuber.PeerPlan{}, Short: g.shortages(st)}
	changed := st.Previous == nil || len(st.Previous.Peers) != len(g.peers)
	if st.Previous != nil {
		plan.Version = st.Previous.Version + 1
	}
	for i := range g.peers {
		id := g.peers[i].ID
		pp := w.peerPlan(int32(i))
		pp.Epoch, pp.Version = plan.Epoch, plan.Version
		if st.Previous != nil {
			if old := st.Previous.Peers[id]; old != nil && sameOrders(old, pp) {
				pp = old
			}
		}
		changed = changed || pp.Version == plan.Version && pp.Epoch == plan.Epoch
		plan.Peers[id] = pp
	}
	if !changed {
		plan.Version = st.Previous.Version
	}
	return plan
}

// sameOrders compares all but the version.
func sameOrders(a, b *tuber.PeerPlan) bool {
	return a.Epoch == b.Epoch && slices.Equal(a.Assignments, b.Assignments) && slices.Equal(a.Sources, b.Sources) &&
		slices.Equal(a.Holds, b.Holds) && slices.Equal(a.Introductions, b.Introductions) && slices.Equal(a.Grants, b.Grants)
}

// shortages says which contents the means do not suffice for: by the class
// bound, and by what this plan leaves unserved where that is more.
func (g *grove) shortages(st State) []tuber.Shortage {
	var out []tuber.Shortage
	for _, f := range g.forests {
		missing, viewers := 0, 0
		for i := range g.peers {
			if g.peers[i].Role != tuber.RoleViewer {
				continue
			}
			short := 0
			for p := range f.trees {
				if f.needs[i]&(1<<p) != 0 && f.trees[p].depth[i] == 0 {
					short++
				}
			}
			missing += short
			if short > 0 {
				viewers++
			}
		}
		if viewers > 0 {
			rate := tuber.BitsPerSecond(float64(missing) * f.slot / useOfUplink)
			rate = max(rate, ClassBound(st, f.ID).More(f.Content))
			out = append(out, tuber.Shortage{Content: f.ID, Missing: rate, Viewers: viewers})
		}
	}
	return out
}
