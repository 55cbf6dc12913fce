package peer

import (
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	// A sender goes on for so long with what a change of the plan took from it: until
	// the link to its successor is open, which takes seconds behind full lines.
	overlapFor      = longestOpen + 2*time.Second
	overlapPriority = pastPriority // below what the plan wants

	lingerLink = time.Second // for what is still on its way to a neighbour that has enough
)

// leg is one partition's way between this side and a neighbour.
type leg struct {
	peer    tuber.PeerID
	content tuber.ContentID
	p       tuber.Partition
}

// rest is a leg that was planned and is no more.
type rest struct {
	until  time.Time
	enough bool // the receiver has said so
}

// legs are rests by leg.
type legs map[leg]rest

func eachLeg(peer tuber.PeerID, c tuber.ContentID, ps tuber.Partitions, do func(leg)) {
	for p := range tuber.Partition(tuber.MaxPartitions) {
		if ps.Has(p) {
			do(leg{peer, c, p})
		}
	}
}

// overlapLocked keeps what the old plan wanted and the new one does not.
func (s *swarm) overlapLocked(old, p *tuber.PeerPlan, now time.Time) {
	if old == nil {
		return
	}
	begin := func(m legs) func(leg) {
		return func(x leg) {
			if _, known := m[x]; !known && s.links[x.peer] != nil {
				m[x] = rest{until: now.Add(overlapFor)}
			}
		}
	}
	end := func(m legs) func(leg) { return func(x leg) { delete(m, x) } }
	for _, a := range old.Assignments {
		eachLeg(a.To, a.Content, a.Partitions, begin(s.sends))
	}
	for _, a := range p.Assignments {
		eachLeg(a.To, a.Content, a.Partitions, end(s.sends))
	}
	for _, x := range old.Sources {
		if !x.Standby {
			eachLeg(x.From, x.Content, x.Partitions, begin(s.gets))
		}
	}
	for _, x := range p.Sources {
		if !x.Standby {
			eachLeg(x.From, x.Content, x.Partitions, end(s.gets))
		}
	}
}

// givesLocked tells whether the owner lets this side send at all.
func (s *swarm) givesLocked() bool {
	switch s.peer.cfg.Role {
	case tuber.RoleOrigin:
		return true
	case tuber.RoleViewer:
		return s.means.Upload > 0 && s.means.Relay
	}
	return s.means.Upload > 0
}

// overlap tells senders of before what comes from their successors, and ends the
// links that nobody needs any more. It tells whether there are any left.
func (s *swarm) overlap(now time.Time) (work bool) {
	s.mu.Lock()
	for x, r := range s.sends {
		if now.After(r.until) {
			delete(s.sends, x)
		}
	}
	tell := make(map[leg]tuber.ChunkNumber)
	for x, r := range s.gets {
		if from, ok := s.succeededLocked(x, now); ok && !r.enough {
			tell[x] = from
			s.gets[x] = rest{until: now.Add(lingerLink), enough: true}
		} else if now.After(r.until) {
			delete(s.gets, x)
		}
	}
	ended := s.unneededLocked()
	work = len(s.sends)+len(s.gets) > 0
	s.mu.Unlock()
	for x, from := range tell {
		if l := s.link(x.peer); l != nil {
			l.send(wire.Enough{Content: x.content, Partition: x.p, From: from})
		}
	}
	for _, l := range ended {
		s.dismiss(l, "not needed any more")
	}
	return work
}

// succeededLocked tells whether a leg is of no more use, and from which number on:
// another neighbour brings the partition, or nobody is to.
func (s *swarm) succeededLocked(x leg, now time.Time) (from tuber.ChunkNumber, ok bool) {
	wanted := false
	for _, src := range s.plan.Sources {
		if src.Content != x.content || src.Standby || !src.Partitions.Has(x.p) {
			continue
		}
		wanted = true
		if l := s.links[src.From]; l != nil {
			if from, ok := l.brings(x.content, x.p, s.pauseLocked(x.content), now); ok {
				return from, true
			}
		}
	}
	return 0, !wanted
}

// unneededLocked are the links that neither the plan nor an overlap needs.
func (s *swarm) unneededLocked() []*link {
	var out []*link
	for id, l := range s.links {
		if _, ok := s.intros[id]; !ok && !s.sends.with(id) && !s.gets.with(id) {
			out = append(out, l)
		}
	}
	return out
}

func (m legs) with(id tuber.PeerID) bool {
	for x := range m {
		if x.peer == id {
			return true
		}
	}
	return false
}

// stillLocked are the partitions of a content that come by a leg of before.
func (s *swarm) stillLocked(c tuber.ContentID, now time.Time) (out tuber.Partitions) {
	for x := range s.gets {
		if l := s.links[x.peer]; x.content == c && l != nil && !l.condemned.Load() {
			if _, ok := l.brings(c, x.p, s.pauseLocked(c), now); ok {
				out |= 1 << x.p
			}
		}
	}
	return out
}

// onEnough ends a leg: what is before the number still goes.
func (l *link) onEnough(f wire.Enough) {
	x := leg{l.id(), f.Content, f.Partition}
	l.s.mu.Lock()
	_, known := l.s.sends[x]
	if known {
		l.s.sends[x] = rest{until: time.Now().Add(lingerLink), enough: true}
	}
	k := l.s.ks[f.Content]
	l.s.mu.Unlock()
	if !known || k == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.q.drop(func(it *item) bool {
		n := it.chunk.Number()
		return it.priority == overlapPriority && it.chunk.Content() == f.Content && n >= f.From && n.Partition(k) == f.Partition
	})
	l.q.tick(time.Now())
}
