package planner

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// The bounds of signalling.
const (
	maxCandidates = 12  // of one side in one attempt
	maxAttempts   = 256 // remembered of one sender
	signalBurst   = tuber.MaxLinks * (maxCandidates + 1) * 2
	signalSecond  = 40
)

// signals is what one member has sent to others, by attempt.
type signals struct {
	limit    *rate.Limiter
	attempts map[attemptKey]*attempt
	order    []attemptKey // oldest first
}

type attemptKey struct {
	to      tuber.PeerID
	attempt uint32
}

// attempt is one side's part in opening one PeerConnection.
type attempt struct {
	described  bool // its offer or answer has passed
	candidates int
	held       []wire.Signal // candidates that came before it
}

func newSignals() signals {
	return signals{limit: rate.NewLimiter(signalSecond, signalBurst), attempts: map[attemptKey]*attempt{}}
}

// signalLocked passes a signal on: only between peers introduced to each other,
// and an offer or answer always before its candidates. What does not fit is
// dropped; an attempt that fails for it is made again.
func (c *cell) signalLocked(from *member, s wire.Signal, now time.Time) {
	if len(s.Data) > wire.MaxSignal || !from.knows(s.Peer) || !c.reachesLocked(from.id, s.Peer) || !from.signals.limit.AllowN(now, 1) {
		return
	}
	a := from.signals.attempt(attemptKey{s.Peer, s.Attempt})
	switch s.Kind {
	case wire.SignalOffer, wire.SignalAnswer:
		if !c.passLocked(from.id, s) {
			return
		}
		a.described = true
		for _, h := range a.held {
			c.passLocked(from.id, h)
		}
		a.held = nil
	case wire.SignalCandidate:
		if a.candidates >= maxCandidates {
			return
		}
		a.candidates++
		if !a.described {
			a.held = append(a.held, s)
			return
		}
		c.passLocked(from.id, s)
	}
}

// reachesLocked tells whether a signal can come to somebody: a member who is here
// and expects it, or one of another cell, where that is looked at again.
func (c *cell) reachesLocked(from, to tuber.PeerID) bool {
	if m := c.members[to]; m != nil {
		return m.conn != nil && m.knows(from)
	}
	_, abroad := c.abroadLocked(to)
	return abroad
}

// abroadLocked is the cell of somebody who is not a member of this one: that of
// a visitor, or the feeder, where all others are that a member knows.
func (c *cell) abroadLocked(id tuber.PeerID) (cellNumber, bool) {
	if v, visits := c.visitors[id]; visits {
		return v.home, true
	}
	return c.feeder, c.number != firstCell
}

// passLocked hands a signal to its addressee or to that one's cell. It tells
// whether it did.
func (c *cell) passLocked(from tuber.PeerID, s wire.Signal) bool {
	m := c.members[s.Peer]
	if m == nil {
		home, abroad := c.abroadLocked(s.Peer)
		if abroad && from != s.Peer && c.members[from] != nil {
			c.postLocked(home, passage{from, s})
			return true
		}
		return false
	}
	if m.conn == nil || !m.knows(from) {
		return false
	}
	if s.Kind == wire.SignalAnswer && !m.signals.offered(attemptKey{from, s.Attempt}) {
		return false // it answers nothing
	}
	s.Peer = from
	m.send(s)
	return true
}

// knows tells whether the plan links m to other, or did a moment ago.
func (m *member) knows(other tuber.PeerID) bool {
	_, ok := m.known[other]
	return ok
}

func (s *signals) attempt(k attemptKey) *attempt {
	a := s.attempts[k]
	if a != nil {
		return a
	}
	if len(s.order) >= maxAttempts {
		delete(s.attempts, s.order[0])
		s.order = s.order[1:]
	}
	a = &attempt{}
	s.attempts[k] = a
	s.order = append(s.order, k)
	return a
}

func (s *signals) offered(k attemptKey) bool {
	a := s.attempts[k]
	return a != nil && a.described
}
