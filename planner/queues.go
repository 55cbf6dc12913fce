package planner

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

const (
	inflated   = 100 * time.Millisecond // round trips of most links, on a full line
	bringsDue  = 0.9                    // of what it is to bring: a sender that keeps up
	mostBehind = 0.5                    // of what is assigned
)

// queues are what one report says of a sender's links.
type queues struct {
	wait          time.Duration             // more than a segment takes
	gives         map[tuber.PeerID]float64  // by receiver, what the plan has it send, bits per second
	used, waiting float64                   // of that, on links in use, and on those where chunks wait for longer
	trips         []time.Duration           // of links in use
	elsewhere     func(r tuber.PeerID) bool // tells whether the receiver gets from another sender what it is to
	passed        bool                      // chunks wait for one that does
}

// add takes one link in.
func (q *queues) add(l *tuber.LinkReport) {
	if l.Sent == 0 && l.Queue == 0 {
		return
	}
	q.used += q.gives[l.Peer]
	q.trips = append(q.trips, l.RTT)
	if l.Queue > q.wait && q.gives[l.Peer] > 0 {
		q.waiting += q.gives[l.Peer]
		q.passed = q.passed || q.elsewhere(l.Peer)
	}
}

// behind tells whether the line is full, by the chunks that wait: most of what is
// assigned does; or what a receiver is to have that gets the rest from others, while
// round trips are long. On a full line links do not get equal parts: those with least
// to carry keep up, and one with more starves. Else the few that wait are slow themselves.
func (q *queues) behind() bool {
	if q.waiting == 0 {
		return false
	}
	if q.waiting >= mostBehind*q.used {
		return true
	}
	slices.Sort(q.trips)
	return q.passed && q.trips[len(q.trips)/2] >= inflated
}

// givesLocked is what the plan has a member send to each, bits per second.
func (c *cell) givesLocked(id tuber.PeerID) map[tuber.PeerID]float64 {
	gives := make(map[tuber.PeerID]float64)
	if pp := c.plan.Peers[id]; pp != nil {
		for _, a := range pp.Assignments {
			gives[a.To] += float64(a.Rate)
		}
	}
	return gives
}

// keepsUpLocked tells whether somebody else than one sender brings a receiver what the
// plan has it bring.
func (c *cell) keepsUpLocked(receiver, sender tuber.PeerID, now time.Time) bool {
	pp := c.plan.Peers[receiver]
	if pp == nil {
		return false
	}
	due := make(map[tuber.PeerID]float64)
	for _, s := range pp.Sources {
		if !s.Standby && s.From != sender {
			due[s.From] += c.rateLocked(s)
		}
	}
	for id, rate := range due {
		if m := c.members[id]; m != nil {
			f := m.ledger.flows[receiver]
			if now.Sub(f.at) <= flowLife && f.rate >= bringsDue*rate {
				return true
			}
		}
	}
	return false
}

// rateLocked is what a source is to bring, bits per second.
func (c *cell) rateLocked(s tuber.Source) float64 {
	for i := range c.contents {
		if x := &c.contents[i]; x.ID == s.Content {
			return float64(x.Rate) * float64(s.Partitions.Len()) / float64(x.K)
		}
	}
	return 0
}

// dueLocked is what the plan has others send a member, bits per second.
func (c *cell) dueLocked(id tuber.PeerID) (due float64) {
	if pp := c.plan.Peers[id]; pp != nil {
		for _, s := range pp.Sources {
			if !s.Standby {
				due += c.rateLocked(s)
			}
		}
	}
	return due
}
