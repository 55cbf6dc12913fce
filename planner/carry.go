package planner

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// replan brings the plan up to date and carries it out. Joins and leaves of the
// meantime are in the next one. It is called by one goroutine.
func (c *cell) replan(now time.Time) {
	if st, ok := c.state(now); ok {
		standing, plan := NewStanding(st, now)
		c.standing = standing
		c.carryOut(plan, map[tuber.PeerID]*tuber.PeerPlan{}, now)
		c.settleUp(now)
		return
	}
	change, improve := c.news(now)
	c.carryOut(c.standing.Apply(change, now), c.plan.Peers, now)
	if improve {
		c.carryOut(c.standing.Improve(now), c.plan.Peers, now)
	}
	c.settleUp(now)
}

// settleUp has the other cells know what the new plan means for them.
func (c *cell) settleUp(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orderLocked(now)
	c.tellRefedLocked(now)
	c.serveVisitorsLocked()
	if c.number != firstCell || len(c.visitors) > 0 || now.Sub(c.sum.at) >= tickEvery {
		c.sum = c.sumLocked(now)
	}
}

// state is all that a plan is made of, where it is to be made afresh: the first
// one, one of other contents, and while peers rejoin after a planner's start.
func (c *cell) state(now time.Time) (State, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.standing != nil && !c.afresh && len(c.adopted) == 0 && c.settled.IsZero() {
		return State{}, false
	}
	c.afresh, c.stale = false, false
	clear(c.marked)
	c.improving = false
	st := State{Epoch: c.epoch, Origin: c.top(), Contents: slices.Clone(c.contents), Settled: c.settled}
	if len(c.plan.Peers)+len(c.adopted) > 0 {
		plan := c.plan
		plan.Peers = maps.Clone(plan.Peers)
		maps.Copy(plan.Peers, c.adopted)
		clear(c.adopted)
		st.Previous = &plan
	}
	for _, m := range c.members {
		st.Peers = append(st.Peers, c.peerLocked(m, now))
	}
	for id, v := range c.visitors {
		if c.members[id] == nil {
			st.Peers = append(st.Peers, v.Peer)
		}
	}
	for id, g := range c.ghosts {
		if _, visits := c.visitors[id]; c.members[id] == nil && !visits {
			st.Peers = append(st.Peers, g)
		}
	}
	if c.number != firstCell {
		st.Peers = append(st.Peers, c.outsidePeer())
	}
	return st, true
}

// news is what happened since the last plan. Now and then it names everybody,
// because time alone changes some, and the plan is to be improved too.
func (c *cell) news(now time.Time) (change Change, improve bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = false
	if c.improving {
		c.improving, improve = false, true
		for id := range c.members {
			c.marked[id] = true
		}
	}
	for id := range c.marked {
		m := c.members[id]
		v, visits := c.visitors[id]
		switch {
		case m != nil:
			p := c.peerLocked(m, now)
			if slices.ContainsFunc(p.Avoid, func(id tuber.PeerID) bool { return id != outside }) {
				c.lookAgainLocked(now.Add(splitFor))
			}
			change.Peers = append(change.Peers, p)
		case visits:
			change.Peers = append(change.Peers, v.Peer)
		case id == outside && c.number != firstCell:
			change.Peers = append(change.Peers, c.outsidePeer())
		default:
			change.Gone = append(change.Gone, id)
			delete(c.plan.Peers, id)
		}
	}
	clear(c.marked)
	return change, improve
}

// lookAgainLocked has the plan improved at that time, or before.
func (c *cell) lookAgainLocked(at time.Time) {
	if c.improve.IsZero() || at.Before(c.improve) {
		c.improve = at
	}
}

func (m *member) peer(now time.Time) Peer {
	p := Peer{
		ID: m.id, Key: m.key, Role: m.role, Upload: m.ledger.upload(m.means.Upload), Proven: m.ledger.proven(), Means: m.means,
		Since: m.since.Add(-m.record.Online), Wants: m.wants, Hidden: m.hidden,
	}
	if m.conn == nil {
		p.Away = true
		p.Mute = now.Sub(m.away) >= muteAfter
	}
	p.Met = m.acquaintances()
	if now.Before(m.doubted) {
		p.Upload, p.Means.Upload, p.Means.Relay = 0, 0, false
	}
	for id, s := range m.avoid {
		if now.Before(s.until) {
			p.Avoid = append(p.Avoid, id)
		}
	}
	slices.SortFunc(p.Avoid, func(a, b tuber.PeerID) int { return bytes.Compare(a[:], b[:]) })
	return p
}

// carryOut makes a plan the one in force and tells those whose part changed.
// The plan holds the parts of those only; the others' are in parts already.
func (c *cell) carryOut(plan tuber.Plan, parts map[tuber.PeerID]*tuber.PeerPlan, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if plan.Version != c.plan.Version {
		c.lookAgainLocked(now.Add(improveEvery))
	}
	for id, pp := range plan.Peers {
		parts[id] = pp
		m := c.members[id]
		if m == nil || c.adopted[id] != nil {
			continue // it left or joined while the plan was made: it has a part in the next one
		}
		told := c.toldLocked(pp, id)
		c.introduceLocked(m, told, plan.Version, now)
		if pp.Version != m.told {
			delete(c.refed, id)
			m.told = pp.Version
			m.tell(told)
		}
	}
	plan.Peers = parts
	c.plan = plan
}

// tell sends m its part, or how it comes out of the one that was sent before.
func (m *member) tell(pp *tuber.PeerPlan) {
	if m.changes && m.said != nil {
		if c, out, ok := tuber.ChangePlan(m.said, pp); ok {
			m.said = out
			m.send(wire.PlanChange{PlanChange: c})
			return
		}
	}
	m.said = pp
	m.send(wire.Plan{PeerPlan: *pp})
}

// serveVisitorsLocked sends what the plan says of visitors to their cells.
func (c *cell) serveVisitorsLocked() {
	dry := c.dryLocked()
	for id, v := range c.visitors {
		pp := c.plan.Peers[id]
		if pp == nil || c.members[id] != nil || pp.Version == v.told && slices.Equal(v.dry, dry[id]) {
			continue
		}
		v.told, v.dry = pp.Version, dry[id]
		c.visitors[id] = v
		c.postLocked(v.home, part{c.number, id, *pp, v.dry})
	}
}

// introduceLocked remembers whom the plan links to m. One that has met its share
// of viewers meets no more from the next plan on.
func (c *cell) introduceLocked(m *member, pp *tuber.PeerPlan, by tuber.Version, now time.Time) {
	before := m.acquainted()
	m.introduce(pp, by, now)
	if m.acquainted() != before {
		c.markLocked(m.id)
	}
}

// introduce remembers whom m may signal to and report about. The plan is by's
// version, or one that m brought itself, which proves nothing: 0.
func (m *member) introduce(pp *tuber.PeerPlan, by tuber.Version, now time.Time) {
	for id, k := range m.known {
		if k.ended.IsZero() {
			k.ended = now
			m.known[id] = k
		}
	}
	for _, in := range pp.Introductions {
		m.meet(in, now)
		k := m.known[in.Peer]
		k.ended = time.Time{}
		if k.by == 0 {
			k.by = by
		}
		m.known[in.Peer] = k
	}
}

// stop ends every session.
func (c *cell) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, m := range c.members {
		if m.conn != nil {
			m.cancel(ErrStopped)
		}
	}
}
