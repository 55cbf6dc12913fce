package planner

import (
	"time"

	"github.com/tubercdn/tuber"
)

// The bounds of a report.
const (
	maxReported = 256 // links and ranges in one report
	shortest    = time.Second
	longest     = time.Minute

	behindAfter  = time.Second
	longestDrain = 4 * time.Second // a link drops what waits for longer than it is of use
	fastestLink  = 1e9 / 8         // bytes per second that one link may be said to carry
)

// reportLocked takes one peer's figures in. Only pairs that the plan introduced
// count, and only the receiver's word for what was delivered.
func (c *cell) reportLocked(m *member, r tuber.Report, now time.Time) {
	interval := min(max(r.Interval, shortest), longest)
	m.ledger.http += min(r.HTTP, uint64(fastestLink*interval.Seconds()))
	c.totals.http += min(r.HTTP, uint64(fastestLink*interval.Seconds()))
	m.ledger.ranges = r.Ranges[:min(len(r.Ranges), maxReported)]
	q := queues{wait: c.drainLocked(), gives: c.givesLocked(m.id), elsewhere: func(r tuber.PeerID) bool { return c.keepsUpLocked(r, m.id, now) }}
	var sent, received uint64
	var busy, waited float64 // seconds that links were, weighed by what they carried, and not
	for _, l := range r.Links[:min(len(r.Links), maxReported)] {
		if !m.knows(l.Peer) || !c.linkLocked(m, l, interval, now) {
			continue
		}
		m.ledger.came.add(min(l.Received, uint64(fastestLink*interval.Seconds()))/tuber.ChunkSize, now)
		m.ledger.cameLate.add(uint64(l.Late), now)
		received += min(l.Received, uint64(fastestLink*interval.Seconds()))
		sent += min(l.Sent, uint64(fastestLink*interval.Seconds()))
		waited += min(l.Busy, interval).Seconds()
		busy += min(l.Busy, interval).Seconds() * float64(min(l.Sent, uint64(fastestLink*interval.Seconds())))
		q.add(&l)
	}
	m.ledger.behind = q.behind()
	m.ledger.leaves = 8 * float64(sent) / interval.Seconds()
	m.ledger.had = 1
	if due := c.dueLocked(m.id); due > 0 {
		m.ledger.had = max(leastHad, min(1, 8*float64(received)/interval.Seconds()/due))
	}
	// One slow receiver is not a full line, unless it has most of it; on a full line one
	// link may carry most, and not wait, while the others starve.
	share := max(busy/float64(max(sent, 1)), waited/float64(max(len(q.trips), 1))) / interval.Seconds()
	if m.id != c.origin && m.ledger.carries(m.ledger.leaves/min(1, max(share, busyEnough)), share, m.means.Upload, now) {
		c.markLocked(m.id)
	}
	c.learnLocked(m, now)
	c.totals.mark(now)
}

// drainLocked is how long the oldest chunk on a link may wait while its sender
// keeps up: segments come at once, and a line that is all given away takes as long
// as the segment plays to pass one on. A second more is behind (design section 5.6).
func (c *cell) drainLocked() time.Duration {
	var longest tuber.Millis // of a segment
	for i := range c.contents {
		longest = max(longest, c.contents[i].Target)
	}
	longest = min(longest, tuber.Millis(longestDrain.Milliseconds()))
	return behindAfter + time.Duration(longest)*time.Millisecond
}

// linkLocked takes in what m says of one neighbour, and has the neighbour's cell
// hear of it. It tells whether that one is known.
func (c *cell) linkLocked(m *member, l tuber.LinkReport, interval time.Duration, now time.Time) bool {
	t := testimony{m.id, l.Peer, l, interval}
	other := c.members[l.Peer]
	_, visits := c.visitors[l.Peer]
	switch {
	case other != nil:
	case visits:
		t.link.Received = 0 // they give nothing
	case c.number == firstCell:
		return false
	}
	bytes := t.received()
	m.ledger.received += bytes
	switch {
	case m.role != tuber.RoleViewer: // what boosters take in is not yet with anyone who watches
	case l.Peer == c.origin:
		c.totals.origin += bytes
	default:
		c.totals.peers += bytes
	}
	m.ledger.claim(l.Peer, min(l.Sent, uint64(fastestLink*interval.Seconds())))
	if other != nil {
		c.confirmLocked(other, t, now)
		switch {
		case l.Bad:
			c.accuseLocked(m.witnessOf(other.id, now), other, l.Blame, now)
		case l.Failed && !returned(m, other, now):
			c.splitLocked(m.id, other.id, now)
		}
		return true
	}
	switch {
	case l.Bad:
		c.accusedLocked(m.id, l.Peer, now)
	case l.Failed && !returned(m, m, now):
		c.splitLocked(m.id, l.Peer, now)
	}
	if !visits {
		c.postLocked(c.feeder, t)
	}
	return true
}

// testifyLocked takes in what a peer of another cell says of a member.
func (c *cell) testifyLocked(t testimony, now time.Time) {
	other := c.members[t.sender]
	v, visits := c.visitors[t.by]
	if other == nil || !visits || !other.knows(t.by) {
		return
	}
	c.confirmLocked(other, t, now)
	switch {
	case t.link.Bad:
		c.accuseLocked(witness{id: v.ID, role: v.Role, plan: other.known[v.ID].by}, other, t.link.Blame, now)
	case t.link.Failed && !returned(other, other, now):
		c.splitLocked(t.by, other.id, now)
	}
}

// received is what the receiver may be believed to have had.
func (t *testimony) received() uint64 {
	return min(t.link.Received, uint64(fastestLink*t.interval.Seconds()))
}

// confirmLocked credits a sender with what one receiver confirms.
func (c *cell) confirmLocked(other *member, t testimony, now time.Time) {
	bytes := t.received()
	other.ledger.sent += bytes
	other.ledger.flows[t.by] = flow{
		rate: 8 * float64(bytes) / t.interval.Seconds(), late: t.link.Late, chunks: float64(bytes) / tuber.ChunkSize, at: now,
	}
	if !other.ledger.proven() && bytes > 0 {
		c.markLocked(other.id)
	}
	other.ledger.take(t.by, bytes+min(t.link.Twice, uint64(fastestLink*t.interval.Seconds())), now)
	if other.id != c.origin {
		c.learnLocked(other, now)
	}
}

// enoughLocked tells whether nobody lacks anything, and the origin sends no more
// than one copy of each stream.
func (c *cell) enoughLocked() bool {
	if len(c.plan.Short) > 0 {
		return false
	}
	origin := c.plan.Peers[c.origin]
	if origin == nil {
		return true
	}
	var sends, once tuber.BitsPerSecond
	for _, a := range origin.Assignments {
		sends += a.Rate
	}
	for i := range c.contents {
		once += c.contents[i].Rate
	}
	return sends <= once
}

// learnLocked corrects the estimate of one uplink, where that is due.
func (c *cell) learnLocked(m *member, now time.Time) {
	if m.id == c.origin {
		return
	}
	e := m.ledger.evidence(c.plan.Peers[m.id], m.means.Upload, now)
	e.enough = c.enoughLocked()
	if m.ledger.learn(e, now) {
		m.ledger.behind = false // it was judged by that
		c.markLocked(m.id)
	}
}
