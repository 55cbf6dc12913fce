package peer

import (
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	maxGone   = 256 // ended links kept for one report
	maxRanges = 64  // in one report or join

	// What an uplink carries is learnt from reports: they come soon where it is not
	// known, and where it turns out to carry less.
	lookEvery   = time.Second
	earlyFor    = 20 * time.Second // of a membership
	earlyEvery  = 2 * time.Second
	behindAfter = 3 * time.Second // that the oldest chunk waits: a second and the longest usual segment's duration
)

// reportDue tells whether it is time for a report after the one of since.
func (s *swarm) reportDue(since, now time.Time) bool {
	age := now.Sub(since) + lookEvery/2 // ticks are not exact
	if age >= tuber.ReportEvery {
		return true
	}
	if age < earlyEvery {
		return false
	}
	links := s.allLinks()
	if len(links) > 0 && now.Sub(s.born) < earlyFor {
		return true
	}
	var used, behind float64 // bits per second that the plan has links carry
	for _, l := range links {
		l.mu.Lock()
		wait, rate := l.q.behind(now), float64(l.rate)
		if l.count.sent > l.told.sent || wait > 0 {
			used += rate
		}
		l.mu.Unlock()
		if wait > behindAfter {
			behind += rate
		}
	}
	return behind > 0 && 2*behind >= used
}

// LinkStats is one open link.
type LinkStats struct {
	Peer     tuber.PeerID
	Role     tuber.Role
	Sent     uint64 // payload bytes
	Received uint64
	RTT      time.Duration
	Behind   time.Duration // how long the oldest assigned chunk has waited
	Since    time.Time
}

// SwarmStats is one membership since it began.
type SwarmStats struct {
	Connected bool // to its planner
	Sent      uint64
	Received  uint64
	Rooted    uint64 // of Received, from the origin's own peer
	Links     []LinkStats
}

// Stats is the whole peer, by the site keys of its swarms.
func (p *Peer) Stats() map[tuber.PublicKey]SwarmStats {
	p.mu.Lock()
	swarms := make([]*swarm, 0, len(p.swarms))
	for _, s := range p.swarms {
		swarms = append(swarms, s)
	}
	p.mu.Unlock()
	out := make(map[tuber.PublicKey]SwarmStats)
	for _, s := range swarms {
		out[s.site] = s.stats()
	}
	return out
}

func (s *swarm) stats() SwarmStats {
	links := s.allLinks()
	s.mu.Lock()
	st := SwarmStats{Connected: s.conn != nil, Sent: s.sent, Received: s.received, Rooted: s.rooted}
	s.mu.Unlock()
	for _, l := range links {
		l.mu.Lock()
		x := LinkStats{
			Peer: l.id(), Role: l.in.Role, Sent: l.count.sent, Received: l.count.received, RTT: l.ping.rtt,
			Behind: l.q.behind(time.Now()), Since: l.since,
		}
		l.mu.Unlock()
		st.Sent += x.Sent
		st.Received += x.Received
		if x.Role == tuber.RoleOrigin {
			st.Rooted += x.Received
		}
		st.Links = append(st.Links, x)
	}
	return st
}

// takeReport is what happened on the link since it was last asked.
func (l *link) takeReport(now time.Time) tuber.LinkReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.q.tick(now)
	l.count.busy = l.q.busy
	r := tuber.LinkReport{
		Busy: l.count.busy - l.told.busy,
		Peer: l.id(), Sent: l.count.sent - l.told.sent, Received: l.count.received - l.told.received,
		Late: l.count.late - l.told.late, Repairs: l.count.repairs - l.told.repairs, Twice: l.count.twice - l.told.twice,
		RTT: l.ping.rtt, Queue: l.q.behind(now), Since: now.Sub(l.since), Bad: l.bad != nil,
	}
	if l.bad != nil && *l.bad != (tuber.Blame{}) {
		r.Blame = l.bad
	}
	l.told, l.bad = l.count, nil
	return r
}

// keepReportLocked keeps what an ended link still has to report.
func (s *swarm) keepReportLocked(r tuber.LinkReport) {
	old := s.gone[r.Peer]
	switch {
	case old == nil && len(s.gone) < maxGone:
		s.gone[r.Peer] = &r
	case old != nil:
		old.Sent += r.Sent
		old.Received += r.Received
		old.Late += r.Late
		old.Repairs += r.Repairs
		old.Twice += r.Twice
		old.Busy += r.Busy
		old.Failed = old.Failed || r.Failed
		if old.Bad = old.Bad || r.Bad; r.Blame != nil {
			old.Blame = r.Blame
		}
	}
}

// failed notes that a link could not be opened.
func (s *swarm) failed(id tuber.PeerID) {
	s.peer.unopened()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepReportLocked(tuber.LinkReport{Peer: id, Failed: true})
}

// report is all that happened since the last one.
func (s *swarm) report(since time.Time) wire.Report {
	now := time.Now()
	var r wire.Report
	r.Interval = now.Sub(since)
	for _, l := range s.allLinks() {
		x := l.takeReport(now)
		s.mu.Lock()
		s.keepReportLocked(x)
		s.mu.Unlock()
	}
	s.mu.Lock()
	for _, x := range s.gone {
		r.Links = append(r.Links, *x)
	}
	clear(s.gone)
	s.mu.Unlock()
	r.Ranges = s.ranges()
	if s.m.FillReport != nil {
		s.m.FillReport(&r.Report)
	}
	return r
}

func (s *swarm) ranges() []tuber.Range {
	var out []tuber.Range
	for _, c := range s.m.Chunks.Contents() {
		if r, ok := s.m.Chunks.Range(c); ok && len(out) < maxRanges {
			out = append(out, r)
		}
	}
	return out
}
