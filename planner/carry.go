package planner

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// state is what the next plan is made of.
func (c *cell) state(now time.Time) State {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := State{Epoch: c.epoch, Origin: c.origin, Contents: slices.Clone(c.contents), Settled: c.settled}
	if len(c.plan.Peers)+len(c.adopted) > 0 {
		plan := c.plan
		plan.Peers = maps.Clone(plan.Peers)
		maps.Copy(plan.Peers, c.adopted)
		clear(c.adopted)
		st.Previous = &plan
	}
	for _, m := range c.members {
		st.Peers = append(st.Peers, m.peer(now))
	}
	for id, g := range c.ghosts {
		if c.members[id] == nil {
			st.Peers = append(st.Peers, g)
		}
	}
	return st
}

func (m *member) peer(now time.Time) Peer {
	p := Peer{
		ID: m.id, Key: m.key, Role: m.role, Upload: m.ledger.upload(m.means.Upload), Means: m.means,
		Since: m.since.Add(-m.record.Online), Wants: m.wants, Hidden: m.hidden,
	}
	if m.conn == nil {
		p.Away = true
		p.Mute = now.Sub(m.away) >= muteAfter
	}
	p.Met = m.acquaintances()
	if now.Before(m.lone) {
		p.Means.Reach = tuber.ReachNone
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
func (c *cell) carryOut(plan tuber.Plan, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if plan.Version != c.plan.Version {
		c.improve = now.Add(improveEvery)
	}
	c.plan = plan
	for id, m := range c.members {
		pp := plan.Peers[id]
		if pp == nil || c.adopted[id] != nil {
			continue // it joined while the plan was made: it has a part in the next one
		}
		m.introduce(pp, plan.Version, now)
		if pp.Version != m.told {
			m.told = pp.Version
			m.send(wire.Plan{PeerPlan: *pp})
		}
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
