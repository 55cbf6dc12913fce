package origin

import (
	"context"
	"errors"
	"time"

	"github.com/tubercdn/tuber/hls"
)

// failuresAllowed is for how many target durations a stream is kept whose
// playlist cannot be fetched or read.
const failuresAllowed = 10

// follow polls the playlist and queues what is new, until nobody watches, the
// stream is doubted, or its playlist is gone.
func (s *stream) follow(ctx context.Context, first *fetched) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.cutAll(ctx)
	}()
	defer func() {
		cancel()
		<-done
	}()
	pace, known := newPace(s.f.now(), first.list.Media), &listing{}
	s.take(known, first)
	for {
		if s.wait(ctx, pace.wait(s.f.now())) != nil || s.over(pace) {
			return
		}
		if pace.ended {
			continue
		}
		own, err := s.fetch(ctx, pace.directive())
		var private *privateError
		if errors.As(err, &private) {
			s.doubt(private.reason)
			return
		}
		if err != nil {
			s.f.cfg.Log.Debug("a playlist was not read", "path", pathOf(s.url), "err", err)
			pace.failed()
			continue
		}
		if s.confirms(own.list.Media) {
			s.doubt("a viewer's playlist names other URLs")
			return
		}
		pace.succeeded(s.f.now(), own.list.Media, s.take(known, own))
	}
}

// wait ends with the time, with a nudge, or with ctx.
func (s *stream) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.nudge:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// over tells whether following should stop.
func (s *stream) over(p *pace) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.f.now()
	s.f.memory.evict(now)
	switch {
	case now.Before(s.doubted):
		return true
	case p.failures > 0 && now.Sub(s.current) > failuresAllowed*p.target:
		s.f.cfg.Log.Warn("a stream is gone", "path", pathOf(s.url))
		return true
	}
	return !s.always && now.Sub(s.touched) > idleAfter
}

// confirms tells whether a suspect copy differs from a fresh own one too.
func (s *stream) confirms(own *hls.Media) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	suspect := s.suspect
	s.suspect = nil
	return suspect != nil && agree(own, suspect) == verdictDiffer
}
