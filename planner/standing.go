package planner

import (
	"bytes"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// Standing is a plan that is kept in memory and changed in place: the incremental
// form of MakePlan. What somebody's coming, going or changing costs depends on
// its children and partitions, not on how many peers there are; nobody else is
// touched. It is all the state of one cell's plan, and is used by one goroutine.
type Standing struct {
	g       *grove
	epoch   tuber.Epoch
	origin  tuber.PeerID
	version tuber.Version
	told    []*tuber.PeerPlan // by index
	watched []watch           // by forest: what the boosters' parts depend on
	short   []tuber.Shortage
	lacked  []int                 // by forest: what short was computed for
	bounds  []tuber.BitsPerSecond // by forest: the class bound at the last background pass, 0 if it was not needed
	helpers int                   // the next one whose standbys are looked at
}

// watch is what the boosters' shares of a content depend on.
type watch struct {
	viewers int
	place   int // in the order of wantedFirst
}

// Change is what happened to a swarm: peers that are new or not what they were,
// and those that left.
type Change struct {
	Peers []Peer
	Gone  []tuber.PeerID
}

// NewStanding makes the plan of a state, as MakePlan does, and keeps it.
func NewStanding(st State, now time.Time) (*Standing, tuber.Plan) {
	g := makeGrove(st, now)
	plan := g.answer(st)
	g.whole = false
	s := &Standing{g: g, epoch: st.Epoch, origin: st.Origin, version: plan.Version, short: plan.Short}
	s.told = make([]*tuber.PeerPlan, len(g.peers))
	for i := range g.peers {
		s.told[i] = plan.Peers[g.peers[i].ID]
	}
	s.bounds = make([]tuber.BitsPerSecond, len(g.forests))
	s.watched, s.lacked = g.watched(nil), g.lacked(nil)
	return s, plan
}

// Apply takes in what happened. The plan that it returns holds the parts of those
// only for whom something changed. Those who left are not among them.
func (s *Standing) Apply(c Change, now time.Time) tuber.Plan {
	s.Take(c, now)
	return s.Tell()
}

// Take is the first half of Apply: it decides, and writes nothing down.
func (s *Standing) Take(c Change, now time.Time) {
	g := s.g
	g.now = now
	boosters := false
	slices.SortFunc(c.Gone, func(a, b tuber.PeerID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range c.Gone {
		if i, ok := g.index[id]; ok {
			boosters = boosters || g.peers[i].permanent()
			g.leave(i)
			s.told[i] = nil
		}
	}
	for _, p := range inOrder(c.Peers, now) {
		i, ok := g.index[p.ID]
		switch {
		case ok && samePeer(&g.peers[i], p):
			continue
		case ok && (g.peers[i].Role != p.Role || g.peers[i].Key != p.Key || g.peers[i].visits() != p.visits()):
			g.leave(i)
			s.told[i] = nil
			s.join(p)
		case ok:
			g.change(i, p)
		default:
			s.join(p)
		}
		boosters = boosters || p.permanent()
	}
	s.subscribe(boosters)
	g.grow(false)
	s.standBy()
}

// Improve is the background pass: it looks again at all who lack a parent, moves
// a few peers where that is a clear gain, and looks over some standbys.
func (s *Standing) Improve(now time.Time) tuber.Plan {
	const some = 64
	g := s.g
	g.now = now
	if g.forgone {
		s.subscribe(true)
	}
	g.grow(true)
	g.moves = max(8, g.edges()/50)
	g.improve()
	g.forgo()
	g.grow(true) // who came nearer, or forgoes something, may have made room
	for range min(some, len(g.peers)) {
		s.helpers = (s.helpers + 1) % len(g.peers)
		for _, f := range g.forests {
			g.chooseHelpers(f, int32(s.helpers))
		}
	}
	s.lacked = nil // what the bound is made of may have changed
	clear(s.bounds)
	s.standBy()
	return s.Tell()
}

func (s *Standing) join(p *Peer) {
	g := s.g
	var i int32
	if n := len(g.free); n > 0 {
		i, g.free = g.free[n-1], g.free[:n-1]
	} else {
		i = int32(len(g.peers))
		g.extend(len(g.peers) + 1)
		s.told = append(s.told, nil)
	}
	g.peers[i], g.index[p.ID] = *p, i
	g.enter(i, s.origin)
	g.note(i)
}

// subscribe looks at the boosters' shares again, where they depend on what
// changed.
func (s *Standing) subscribe(boosters bool) {
	g := s.g
	before := s.watched
	s.watched = g.watched(make([]watch, 0, len(g.forests)))
	for n := range s.watched {
		a, b := before[n], s.watched[n]
		boosters = boosters || a.place != b.place || (a.viewers == 0) != (b.viewers == 0) || a.viewers != b.viewers && g.small
	}
	if boosters {
		g.subscribe(nil)
		for _, i := range g.boosters {
			g.note(i) // holds follow what is wanted
		}
	}
	for n := range s.watched {
		if f := g.forests[n]; (before[n].viewers == 0) != (s.watched[n].viewers == 0) {
			g.noteViewers(f) // and their senders, with another priority
			g.note(g.origin)
		}
	}
}

func (g *grove) watched(out []watch) []watch {
	for _, f := range g.forests {
		out = append(out, watch{f.viewers, slices.Index(g.wantedFirst(), f)})
	}
	return out
}

func (g *grove) lacked(out []int) []int {
	for _, f := range g.forests {
		out = append(out, f.lacking, f.short)
	}
	return out
}

// standBy decides grants and standbys anew, where what they depend on changed.
func (s *Standing) standBy() {
	g := s.g
	g.setGrants()
	changed := g.changed // helpers noted from here on need none themselves
	for _, i := range changed {
		if g.peers[i].Role == "" {
			continue
		}
		for _, f := range g.forests {
			g.chooseHelpers(f, i)
		}
	}
}

// Tell is the second half of Apply: it writes down what changed since it last did.
func (s *Standing) Tell() tuber.Plan {
	g := s.g
	plan := tuber.Plan{Epoch: s.epoch, Version: s.version + 1, Peers: map[tuber.PeerID]*tuber.PeerPlan{}}
	for _, i := range g.changed {
		g.shares[i].changed = false
		if g.peers[i].Role == "" {
			continue
		}
		pp := g.peerPlan(i, s.told[i])
		pp.Epoch, pp.Version = plan.Epoch, plan.Version
		if s.told[i] != nil && sameOrders(s.told[i], pp) {
			continue
		}
		s.told[i] = pp
		plan.Peers[g.peers[i].ID] = pp
	}
	g.changed = g.changed[:0]
	if now := g.lacked(make([]int, 0, 2*len(g.forests))); !slices.Equal(now, s.lacked) {
		s.short, s.lacked = g.shortages(s.bounds), now
	}
	plan.Short = s.short
	if len(plan.Peers) == 0 {
		plan.Version = s.version
	}
	s.version = plan.Version
	return plan
}

// samePeer tells whether a plan need not look at b, where it knows a.
func samePeer(a, b *Peer) bool {
	return a.ID == b.ID && a.Key == b.Key && a.Role == b.Role && a.Upload == b.Upload && a.Means == b.Means &&
		a.Since.Equal(b.Since) && a.Hidden == b.Hidden && a.Away == b.Away && a.Mute == b.Mute &&
		sameFeeds(a, b) && slices.Equal(a.Wants, b.Wants) && slices.Equal(a.Avoid, b.Avoid) &&
		(a.Met == nil) == (b.Met == nil) && slices.Equal(a.Met, b.Met)
}

// Plan is the whole plan as it stands.
func (s *Standing) Plan() tuber.Plan {
	plan := tuber.Plan{Epoch: s.epoch, Version: s.version, Peers: make(map[tuber.PeerID]*tuber.PeerPlan, len(s.told)), Short: s.short}
	for i, pp := range s.told {
		if pp != nil {
			plan.Peers[s.g.peers[i].ID] = pp
		}
	}
	return plan
}
