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
//
// Standing is the same plan kept in memory and changed in place.
func MakePlan(st State, now time.Time) tuber.Plan { return Decide(st, now).Plan() }

// Draft is a plan that is decided, but not written down.
type Draft struct {
	g  *grove
	st State
}

// Decide makes a plan but for its words: the parts that peers are told.
func Decide(st State, now time.Time) *Draft { return &Draft{makeGrove(st, now), st} }

// Plan writes the draft down.
func (d *Draft) Plan() tuber.Plan { return d.g.answer(d.st) }

func makeGrove(st State, now time.Time) *grove {
	g := newGrove(st, now)
	g.whole = true
	g.subscribe(st.Previous)
	g.keep(st.Previous)
	g.moves = g.allowance(st.Previous)
	g.rest()
	for round, rests := 0, true; round < 16; round++ { // what one gets may make room for another; seldom more than twice
		moves, unfed := g.moves, g.unfed()
		g.settleHomes()
		g.grow(true)
		g.settleHomes()
		g.improve()
		if g.forgo() || g.moves != moves || g.unfed() != unfed {
			rests = false
			continue
		}
		if rests {
			break
		}
		g.rest()
		rests = true
	}
	g.setGrants()
	for _, f := range g.forests { // before others take the links
		g.keepDeputies(f, st.Previous)
		for p := range f.trees {
			if root := f.trees[p].root(g.origin); root != none {
				g.chooseDeputies(f, root)
			}
		}
	}
	for _, f := range g.forests {
		for i := range g.peers {
			g.keepHelpers(f, int32(i), st.Previous)
			g.chooseHelpers(f, int32(i))
		}
	}
	return g
}

// allowance is how many peers may be moved for improvement's sake: a fiftieth
// of the edges, with more where nothing was planned before.
func (g *grove) allowance(previous *tuber.Plan) int {
	if previous == nil || len(previous.Peers) == 0 {
		return max(200, g.edges()/50)
	}
	return max(8, g.edges()/50)
}

// edges is how many partitions are to be received in all.
func (g *grove) edges() int {
	n := 0
	for _, f := range g.forests {
		for _, need := range f.needs {
			n += need.Len()
		}
	}
	return n
}

// answer writes the plan down. The part of a peer for which nothing changed is
// the very one of the previous plan, with its version.
func (g *grove) answer(st State) tuber.Plan {
	const many = 1024 // pieces of the slices that parts are made of
	w := &g.scratch
	w.assignments.size, w.sources.size, w.introductions.size = many, many, many
	plan := tuber.Plan{Epoch: st.Epoch, Version: 1, Peers: make(map[tuber.PeerID]*tuber.PeerPlan, len(g.peers)), Short: g.shortages(make([]tuber.BitsPerSecond, len(g.forests)))}
	changed := st.Previous == nil || len(st.Previous.Peers) != len(g.peers)
	if st.Previous != nil {
		plan.Version = st.Previous.Version + 1
	}
	parts := make([]tuber.PeerPlan, len(g.peers))
	for i := range g.peers {
		var old *tuber.PeerPlan
		if st.Previous != nil {
			old = st.Previous.Peers[g.peers[i].ID]
		}
		pp := &parts[i]
		g.writePlan(pp, int32(i), old)
		pp.Epoch, pp.Version = plan.Epoch, plan.Version
		if old != nil && sameOrders(old, pp) {
			pp = old
		}
		changed = changed || pp.Version == plan.Version && pp.Epoch == plan.Epoch
		plan.Peers[g.peers[i].ID] = pp
	}
	if !changed {
		plan.Version = st.Previous.Version
	}
	w.assignments.size, w.sources.size, w.introductions.size = 0, 0, 0
	return plan
}

// sameOrders compares all but the version.
func sameOrders(a, b *tuber.PeerPlan) bool {
	return a.Epoch == b.Epoch && slices.Equal(a.Assignments, b.Assignments) && slices.Equal(a.Sources, b.Sources) &&
		slices.Equal(a.Holds, b.Holds) && slices.Equal(a.Introductions, b.Introductions) && slices.Equal(a.Grants, b.Grants)
}

// shortages says which contents the means do not suffice for: by the class
// bound, and by what this plan leaves unserved where that is more. A bound of 0
// is computed here.
func (g *grove) shortages(bounds []tuber.BitsPerSecond) []tuber.Shortage {
	var out []tuber.Shortage
	for n, f := range g.forests {
		if f.short == 0 {
			continue
		}
		if bounds[n] == 0 {
			bounds[n] = classBound(g.peers, g.originID(), f.Content).More(f.Content)
		}
		rate := tuber.BitsPerSecond(float64(f.lacking) * f.slot.perSecond() / useOfUplink)
		out = append(out, tuber.Shortage{Content: f.ID, Missing: max(rate, bounds[n]), Viewers: f.short})
	}
	return out
}

func (g *grove) originID() tuber.PeerID {
	if g.origin == none {
		return tuber.PeerID{}
	}
	return g.peers[g.origin].ID
}
