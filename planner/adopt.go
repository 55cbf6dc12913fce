package planner

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// adoptLocked takes over what a rejoining peer still carries out, so that it is
// not moved. After the planner's start the neighbours that it names count as
// peers too, until they rejoin or adoptFor is over.
func (c *cell) adoptLocked(m *member, j wire.Join, now time.Time) {
	_, ghost := c.ghosts[m.id]
	delete(c.ghosts, m.id)
	if j.Plan == nil || c.plan.Peers[m.id] != nil && !ghost {
		return
	}
	c.adopted[m.id] = j.Plan
	m.introduce(j.Plan, 0, now)
	if m.wants == nil {
		m.wants = wantsOf(j.Plan)
	}
	if j.Plan.Epoch >= c.epoch {
		return
	}
	if !c.adopting {
		c.adopting, c.settled = true, now.Add(adoptFor)
	}
	if c.settled.IsZero() {
		return
	}
	for _, in := range j.Plan.Introductions {
		c.ghostLocked(in, j.Plan, now)
	}
}

// ghostLocked counts a neighbour that has not rejoined yet as a peer that is away.
func (c *cell) ghostLocked(in tuber.Introduction, plan *tuber.PeerPlan, now time.Time) {
	if c.members[in.Peer] != nil || in.Key.PeerID() != in.Peer || c.quarantined.has(in.Peer) || len(c.ghosts) >= maxGhosts {
		return
	}
	g, ok := c.ghosts[in.Peer]
	if !ok {
		g = Peer{ID: in.Peer, Key: in.Key, Role: in.Role, Since: now, Means: tuber.Means{Relay: true}, Away: true}
	}
	g.Wants = slices.Clone(g.Wants)
	for _, a := range plan.Assignments {
		if a.To == in.Peer && !slices.Contains(g.Wants, a.Content) && len(g.Wants) < maxWants {
			g.Wants = append(g.Wants, a.Content)
		}
	}
	c.ghosts[in.Peer] = g
}

// wantsOf is what a viewer wants until it says so itself.
func wantsOf(pp *tuber.PeerPlan) []tuber.ContentID {
	var out []tuber.ContentID
	for _, s := range pp.Sources {
		if !slices.Contains(out, s.Content) && len(out) < maxWants {
			out = append(out, s.Content)
		}
	}
	return out
}
