package planner

import (
	"bytes"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// How a cell is fed. In the plan of every cell but the first, the root of all
// trees is outside: a made-up peer that stands for another cell, the feeder. Whom
// outside feeds by that plan, the cell orders from its feeder, where those peers
// are visitors: leaves, fed by whoever has slots, and by the origin, in the first
// cell, only where nobody else has. What the feeder's plan says of a visitor takes
// the place of outside in what the peer is told.

// outside is nobody's id.
var outside tuber.PeerID

const outsideLinks = 6144 // of outside: it is many peers

// top is the root of this cell's trees.
func (c *cell) top() tuber.PeerID {
	if c.number == firstCell {
		return c.origin
	}
	return outside
}

// outsidePeer is what the plan of this cell sees of all others.
func (c *cell) outsidePeer() Peer {
	return Peer{
		ID: outside, Role: tuber.RoleOrigin, Upload: c.lent,
		Means: tuber.Means{Upload: c.lent, Links: outsideLinks, Reach: tuber.ReachDialable, Relay: true},
	}
}

// feedLinks is how many of n links a peer of another cell than the first keeps
// free for those who feed it there.
func feedLinks(n int) int {
	if n < 6 {
		return 0 // it needs them all here, and is not fed from elsewhere
	}
	return n / 6
}

// peerLocked is a member as the plan of this cell sees it.
func (c *cell) peerLocked(m *member, now time.Time) Peer {
	p := m.peer(now)
	if c.number == firstCell {
		return p
	}
	active, standby := p.links()
	if kept := feedLinks(active + standby); kept > 0 {
		p.Means.Links = active + standby - kept
	} else {
		p.Avoid = append([]tuber.PeerID{outside}, p.Avoid...)
	}
	return p
}

// visitorLocked is a member as the plan of the feeder sees it. Outside does not
// feed it there: it has no links left for a third cell.
func (c *cell) visitorLocked(m *member, now time.Time) Peer {
	p := m.peer(now)
	active, standby := p.links()
	p.Upload, p.Wants = 0, nil
	p.Avoid = append([]tuber.PeerID{outside}, p.Avoid...)
	p.Means = tuber.Means{Links: max(1, feedLinks(active+standby)), Reach: p.Means.Reach, Relay: p.Means.Relay}
	return p
}

// orderLocked orders from the feeder what outside is to feed, if that is not what
// was ordered last.
func (c *cell) orderLocked(now time.Time) {
	if c.number == firstCell {
		return
	}
	feeds := map[tuber.PeerID][]Feed{}
	if pp := c.plan.Peers[outside]; pp != nil {
		for _, a := range pp.Assignments {
			feeds[a.To] = append(feeds[a.To], Feed{a.Content, a.Partitions})
		}
	}
	var peers []Peer
	for id, fs := range feeds {
		if m := c.members[id]; m != nil {
			p := c.visitorLocked(m, now)
			p.Feeds = fs
			peers = append(peers, p)
		}
	}
	slices.SortFunc(peers, func(a, b Peer) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	if slices.EqualFunc(peers, c.ordered, func(a, b Peer) bool { return samePeer(&a, &b) }) {
		return
	}
	for _, p := range c.ordered {
		if feeds[p.ID] == nil && c.parts[p.ID] != nil {
			delete(c.parts, p.ID) // its own plan does not count on it any more
			c.refed[p.ID] = true
		}
	}
	c.ordered = peers
	c.postLocked(c.feeder, order{c.number, peers})
}

// setFeeder changes the cell by which this one is fed.
func (c *cell) setFeeder(n cellNumber) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.feeder == n {
		return
	}
	if len(c.ordered) > 0 {
		c.postLocked(c.feeder, order{from: c.number})
	}
	for id := range c.parts {
		c.refed[id] = true
	}
	clear(c.parts)
	c.feeder, c.ordered = n, nil
	c.touchLocked()
}

// lose hears that a cell was closed.
func (c *cell) lose(n cellNumber) {
	if c.summary().feeder == n {
		c.setFeeder(firstCell)
	}
	c.take(order{from: n})
}

// visitor is a peer of another cell.
type visitor struct {
	Peer
	home cellNumber
	told tuber.Version // of the plan of which its cell knows
	dry  []Feed        // as its cell knows
}

// orderedLocked changes the visitors from one cell.
func (c *cell) orderedLocked(o order) {
	here := make(map[tuber.PeerID]bool, len(o.peers))
	for _, p := range o.peers {
		here[p.ID] = true
		old, ok := c.visitors[p.ID]
		if !ok || !samePeer(&old.Peer, &p) {
			c.markLocked(p.ID)
		}
		if old.home != o.from {
			old.told = 0
		}
		c.visitors[p.ID] = visitor{p, o.from, old.told, old.dry}
	}
	for id, v := range c.visitors {
		if v.home == o.from && !here[id] {
			delete(c.visitors, id)
			c.markLocked(id)
		}
	}
}

// partLocked takes what the feeder's plan says of a member.
func (c *cell) partLocked(p part) {
	if p.from != c.feeder || c.members[p.visitor] == nil || !slices.ContainsFunc(c.ordered, func(o Peer) bool { return o.ID == p.visitor }) {
		return // it left, or is not fed any more: the next order says so
	}
	c.parts[p.visitor] = &p
	c.refed[p.visitor] = true
	c.touchLocked()
}

// toldLocked is what a member is to be told: its own cell's plan, and that of the
// one that feeds it.
func (c *cell) toldLocked(pp *tuber.PeerPlan, id tuber.PeerID) *tuber.PeerPlan {
	if c.number == firstCell && c.lift == 0 {
		return pp
	}
	out := *pp
	out.Cell, out.Version = int(c.number), out.Version+c.lift
	if c.number == firstCell {
		return &out
	}
	out.Sources = slices.DeleteFunc(slices.Clone(pp.Sources), func(s tuber.Source) bool { return s.From == outside })
	out.Introductions = slices.DeleteFunc(slices.Clone(pp.Introductions), func(in tuber.Introduction) bool { return in.Peer == outside })
	if fed := c.parts[id]; fed != nil {
		for _, s := range fed.plan.Sources {
			if s.Partitions &= outsideParts(pp, s.Content); s.Partitions != 0 {
				out.Sources = append(out.Sources, s)
			}
		}
		out.Introductions = append(out.Introductions, fed.plan.Introductions...)
	}
	return &out
}

// outsideParts is what comes from outside by a part of the plan.
func outsideParts(pp *tuber.PeerPlan, content tuber.ContentID) tuber.Partitions {
	var out tuber.Partitions
	for _, s := range pp.Sources {
		if s.From == outside && s.Content == content && !s.Standby {
			out |= s.Partitions
		}
	}
	return out
}

// tellRefedLocked tells those whose part from elsewhere changed, and who have not
// been told since.
func (c *cell) tellRefedLocked(now time.Time) {
	if len(c.refed) == 0 {
		return
	}
	c.lift++
	for id := range c.refed {
		m, pp := c.members[id], c.plan.Peers[id]
		if m == nil || pp == nil || c.adopted[id] != nil {
			continue
		}
		told := c.toldLocked(pp, id)
		c.introduceLocked(m, told, c.plan.Version, now)
		m.told = pp.Version
		m.tell(told)
	}
	clear(c.refed)
}

// outrankLocked makes the next plan newer than one that a peer brings from
// another cell of this planner. No honest one has more than a plan each tenth of
// a second.
func (c *cell) outrankLocked(brought *tuber.PeerPlan, now time.Time) {
	if brought == nil || brought.Epoch != c.epoch {
		return
	}
	most := tuber.Version(max(0, now.Sub(c.began)) / (100 * time.Millisecond))
	if v := min(brought.Version, most); v > c.plan.Version+c.lift {
		c.lift = v - c.plan.Version
	}
}
