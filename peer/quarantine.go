package peer

import (
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// condemn quarantines the neighbour behind a link, reports it at once and asks
// for the chunk elsewhere.
func (s *swarm) condemn(l *link, why *liarError) {
	l.condemned.Store(true)
	l.mu.Lock()
	l.bad = why.blame
	if l.bad == nil {
		l.bad = &tuber.Blame{}
	}
	l.mu.Unlock()
	s.quarantine(l.id())
	s.log.Warn("a neighbour lied and was quarantined", "peer", l.id(), "err", why)
	if why.blame != nil {
		s.wantNow(*why.blame, l.id())
	}
	wake(s.reports)
}

func (s *swarm) quarantine(id tuber.PeerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.quarantined) >= maxQuarantined {
		oldest := id
		for p, at := range s.quarantined {
			if o, ok := s.quarantined[oldest]; !ok || at.Before(o) {
				oldest = p
			}
		}
		delete(s.quarantined, oldest)
	}
	s.quarantined[id] = time.Now()
	if stop := s.keepers[id]; stop != nil {
		stop()
		delete(s.keepers, id)
	}
}

// shun keeps this side from opening a link that cannot work.
func (s *swarm) shun(id tuber.PeerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.shunned) < maxQuarantined {
		s.shunned[id] = time.Now().Add(shunFor)
	}
}

// part says why a lane ends, gives that a moment to arrive and ends it.
func (s *swarm) part(ln *lane, code wire.ByeCode, reason string, err error) {
	ln.bye(code, reason)
	s.tasks.Go(func() {
		ln.drain(s.ctx, lingerBye)
		ln.fail(err)
	})
}
