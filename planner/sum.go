package planner

import (
	"bytes"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// sum is all that the root knows of the means of a cell.
type sum struct {
	at       time.Time
	cell     cellNumber
	feeder   cellNumber
	wants    []tuber.Content     // what its viewers want, and so what comes to it
	needs    tuber.BitsPerSecond // what its viewers, and its visitors, are to receive
	lacks    tuber.BitsPerSecond // of that, what nobody sends them
	supply   tuber.BitsPerSecond // its members' uplinks, the origin's apart
	left     tuber.BitsPerSecond // of its uplinks, the origin's too, what nobody was assigned
	spare    tuber.BitsPerSecond // of that, what is not the origin's
	fed      tuber.BitsPerSecond // what comes from outside by its plan
	lent     tuber.BitsPerSecond // what outside may feed it
	visits   map[cellNumber]visits
	boosters []gives // in the order of ids
}

// visits is what the visitors of one cell are to receive, and of that what comes
// to them without another copy from the origin.
type visits struct{ needs, served tuber.BitsPerSecond }

// gives is a booster and its uplink.
type gives struct {
	id     tuber.PeerID
	upload tuber.BitsPerSecond
	since  time.Time // in this cell
}

// wanted is one copy of all that a cell's viewers want.
func (s *sum) wanted() tuber.BitsPerSecond {
	var all tuber.BitsPerSecond
	for _, c := range s.wants {
		all += c.Rate
	}
	return all
}

// sumLocked reads a cell's plan. It is called by the goroutine that makes it.
func (c *cell) sumLocked(now time.Time) sum {
	g := c.standing.g
	s := sum{at: now, cell: c.number, feeder: c.feeder, lent: c.lent}
	for _, f := range g.forests {
		s.needs += tuber.BitsPerSecond(f.viewers) * f.Rate
		s.lacks += tuber.BitsPerSecond(float64(f.lacking) * f.slot.perSecond())
		if f.viewers > 0 {
			s.wants = append(s.wants, f.Content)
		}
	}
	s.spare = g.spareSlots()
	s.left = s.spare
	if g.origin != none && c.number == firstCell { // outside's is somebody else's
		s.left += tuber.BitsPerSecond(max(0, g.shares[g.origin].budget).perSecond())
	}
	s.visits = c.visitsLocked()
	if pp := c.plan.Peers[c.top()]; pp != nil && c.number != firstCell {
		for _, a := range pp.Assignments {
			s.fed += a.Rate
		}
	}
	for _, v := range s.visits {
		s.lacks += v.needs - v.served
	}
	for _, m := range c.members {
		if m.id == c.origin {
			continue
		}
		up := m.ledger.upload(m.means.Upload)
		s.supply += up
		if m.isBooster() && m.conn != nil {
			s.boosters = append(s.boosters, gives{m.id, up, m.since})
		}
	}
	slices.SortFunc(s.boosters, func(a, b gives) int { return bytes.Compare(a.id[:], b.id[:]) })
	return s
}

// spareSlots is what peers could still send, the root apart: whole slots of the
// content with the largest.
func (g *grove) spareSlots() tuber.BitsPerSecond {
	var slot upload
	for _, f := range g.forests {
		slot = max(slot, f.slot)
	}
	if slot == 0 {
		return 0
	}
	var sum upload
	for i := range int32(len(g.peers)) {
		if p := &g.peers[i]; i != g.origin && p.Role != "" && !p.Away {
			sum += max(0, g.shares[i].budget) / slot * slot
		}
	}
	return tuber.BitsPerSecond(min(sum.perSecond(), float64(tuber.Unlimited)))
}

// visitsLocked adds up what the plan does for visitors.
func (c *cell) visitsLocked() map[cellNumber]visits {
	if len(c.visitors) == 0 {
		return nil
	}
	copies := map[way]int{} // that the origin sends
	if pp := c.plan.Peers[c.origin]; pp != nil {
		for _, a := range pp.Assignments {
			for rest := a.Partitions; rest != 0; rest &= rest - 1 {
				copies[way{a.Content, first(rest)}]++
			}
		}
	}
	out := map[cellNumber]visits{}
	for id, v := range c.visitors {
		n := out[v.home]
		for _, content := range c.contents {
			slot := content.Rate / tuber.BitsPerSecond(max(1, content.K))
			n.needs += tuber.BitsPerSecond(v.Peer.needs(&content).Len()) * slot
			pp := c.plan.Peers[id]
			if pp == nil {
				continue
			}
			for _, s := range pp.Sources {
				if s.Standby || s.Content != content.ID {
					continue
				}
				for rest := s.Partitions; rest != 0; rest &= rest - 1 {
					if s.From != c.origin || copies[way{s.Content, first(rest)}] == 1 {
						n.served += slot
					}
				}
			}
		}
		out[v.home] = n
	}
	return out
}

func (c *cell) summary() sum {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum
}

// lend says how much outside may feed here.
func (c *cell) lend(u tuber.BitsPerSecond) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u > c.lent {
		c.lookAgainLocked(c.now()) // for those who lack something
	}
	if u != c.lent {
		c.lent = u
		c.markLocked(outside)
	}
}
