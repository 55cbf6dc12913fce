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
	to := c.members[s.Peer]
	if to == nil || to.conn == nil || len(s.Data) > wire.MaxSignal || !from.signals.limit.AllowN(now, 1) {
		return
	}
	if !from.knows(to.id) || !to.knows(from.id) {
		return
	}
	a := from.signals.attempt(attemptKey{to.id, s.Attempt})
	s.Peer = from.id
	switch s.Kind {
	case wire.SignalOffer, wire.SignalAnswer:
		if s.Kind == wire.SignalAnswer && !to.signals.offered(attemptKey{from.id, s.Attempt}) {
			return // it answers nothing
		}
		to.send(s)
		a.described = true
		for _, h := range a.held {
			to.send(h)
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
		to.send(s)
	}
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
