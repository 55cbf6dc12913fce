package peer

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// A lane's DTLS session grows old: pion's dtls/v2 takes AES-GCM nonces at
// random (CVE-2026-26014), so that one key must not seal more records than this.
const (
	maxRecords = 1 << 24
	maxAge     = time.Hour

	drainLimit  = 5 * time.Second        // for what was written on an old lane
	settleAfter = 300 * time.Millisecond // for the other side to prove the newer lane
	quietAfter  = time.Second            // for what the other side wrote, after both goodbyes
)

// keep is the side that offers: it opens the link, opens it again when it
// breaks, and replaces its lane in time, until the introduction ends.
func (s *swarm) keep(ctx context.Context, in tuber.Introduction) {
	tries := 0
	for ctx.Err() == nil {
		if l := s.link(in.Peer); l != nil && !s.worn(l) {
			tries = 0
			s.watch(ctx, l)
			continue
		}
		if wait := s.shunnedFor(in.Peer); wait > 0 {
			pause(ctx, wait)
			continue
		}
		if !s.connected() {
			pause(ctx, jitter(firstBackoff)) // nobody would pass the offer on
			continue
		}
		ln, err := s.offer(ctx, in, tries%openTries)
		if err == nil && !s.attach(in, ln) {
			ln.close()
			err = errGone
		}
		if err == nil {
			continue
		}
		var bye *byeError
		if errors.As(err, &bye) && (bye.code == wire.ByeVersion || bye.code == wire.ByeProof) {
			s.shun(in.Peer)
		}
		s.log.Debug("open a link", "peer", in.Peer, "err", err)
		if tries++; tries%openTries == 0 {
			s.failed(in.Peer)
			pause(ctx, jitter(retryAfter))
			continue
		}
		pause(ctx, jitter(100*time.Millisecond<<min(tries, 4)))
	}
}

// watch returns when the link has ended or its lane is worn.
func (s *swarm) watch(ctx context.Context, l *link) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for !s.worn(l) {
		select {
		case <-t.C:
		case <-l.ctx.Done():
			pause(ctx, jitter(100*time.Millisecond))
			return
		case <-ctx.Done():
			return
		}
	}
}

// worn tells whether the link's lane must be replaced.
func (s *swarm) worn(l *link) bool {
	ln := l.current()
	return ln.records.Load() >= s.peer.maxRecords || time.Since(ln.born) >= s.peer.maxAge
}

// retire ends a lane that a newer one has replaced, after all that was written
// on it has arrived on both sides.
func (s *swarm) retire(ln *lane) {
	ln.seal()
	pause(s.ctx, settleAfter)
	ln.drain(s.ctx, drainLimit)
	ln.bye(wire.ByeDone, "replaced")
	limit := time.NewTimer(drainLimit)
	defer limit.Stop()
	select {
	case <-ln.goodbye:
		pause(s.ctx, quietAfter)
	case <-ln.down:
	case <-limit.C:
	case <-s.ctx.Done():
	}
	ln.fail(errors.New("replaced by a newer lane"))
}

// dismiss ends a link that the plan has ended.
func (s *swarm) dismiss(l *link, reason string) {
	ln := l.current()
	if !ln.dismissed.CompareAndSwap(false, true) {
		return
	}
	ln.seal()
	s.tasks.Go(func() {
		ln.drain(s.ctx, drainLimit)
		ln.bye(wire.ByeDone, reason)
		ln.drain(s.ctx, lingerBye)
		ln.fail(errors.New(reason))
	})
}

func (s *swarm) shunnedFor(id tuber.PeerID) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.shunned[id])
}

// jitter spreads a wait over half to one and a half of d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
