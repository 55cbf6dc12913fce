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
	fastestLink = 1e9 / 8 // bytes per second that one link may be said to carry
)

// reportLocked takes one peer's figures in. Only pairs that the plan introduced
// count, and only the receiver's word for what was delivered.
func (c *cell) reportLocked(m *member, r tuber.Report, now time.Time) {
	interval := min(max(r.Interval, shortest), longest)
	m.ledger.http += min(r.HTTP, uint64(fastestLink*interval.Seconds()))
	c.totals.http += min(r.HTTP, uint64(fastestLink*interval.Seconds()))
	m.ledger.ranges = r.Ranges[:min(len(r.Ranges), maxReported)]
	used, behind := 0, 0
	for _, l := range r.Links[:min(len(r.Links), maxReported)] {
		other := c.members[l.Peer]
		if other == nil || !m.knows(l.Peer) {
			continue
		}
		c.linkLocked(m, other, l, interval, now)
		if l.Sent > 0 || l.Queue > 0 {
			used++
		}
		if l.Queue > time.Second {
			behind++
		}
	}
	m.ledger.behind = 2*behind > used // else those few are slow themselves
	c.learnLocked(m, now)
	c.totals.mark(now)
}

func (c *cell) linkLocked(m, other *member, l tuber.LinkReport, interval time.Duration, now time.Time) {
	bytes := min(l.Received, uint64(fastestLink*interval.Seconds()))
	m.ledger.received += bytes
	other.ledger.sent += bytes
	switch {
	case m.role != tuber.RoleViewer: // what boosters take in is not yet with anyone who watches
	case other.id == c.origin:
		c.totals.origin += bytes
	default:
		c.totals.peers += bytes
	}
	seconds := interval.Seconds()
	other.ledger.flows[m.id] = flow{
		rate: 8 * float64(bytes) / seconds, late: l.Late, chunks: float64(bytes) / tuber.ChunkSize, at: now,
	}
	other.ledger.taken.add(bytes, now)
	m.ledger.claimed.add(min(l.Sent, uint64(fastestLink*seconds)), now)
	switch {
	case l.Bad:
		c.accuseLocked(m, other, l.Blame, now)
	case l.Failed && !returned(m, other, now):
		c.splitLocked(m.id, other.id, now)
	}
	if other.id != c.origin {
		c.learnLocked(other, now)
	}
}

// learnLocked corrects the estimate of one uplink, at most every learnEvery.
func (c *cell) learnLocked(m *member, now time.Time) {
	if m.id == c.origin || now.Sub(m.ledger.learntAt) < learnEvery {
		return
	}
	e := m.ledger.evidence(c.plan.Peers[m.id], m.means.Upload, now)
	next := learn(m.ledger.learnt, e)
	if next == m.ledger.learnt {
		return
	}
	m.ledger.learnt, m.ledger.learntAt, m.ledger.behind = next, now, false
	c.markLocked(m.id)
}
