package origin

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// failuresAllowed is for how many target durations a stream is kept whose
// playlist cannot be fetched or read.
const failuresAllowed = 10

// stream is one media playlist and what was cut of it. Its record outlives a
// pause in following, so that numbers and sequences never restart.
type stream struct {
	f       *follower
	url     string
	host    string // as viewers name the site
	content tuber.ContentID
	cut     cutState // owned by the one goroutine that cuts, see follow_cut.go

	mu        sync.Mutex // guards the fields below
	busy      bool       // being proved or followed
	always    bool       // does not wait for viewers
	touched   time.Time  // when it was last asked for
	doubted   time.Time  // not tried before
	newest    *fetched   // the newest own copy; nil unless followed
	current   time.Time  // newest was upstream's latest at this moment
	announced *tuber.Content
	queue     []work
	more      chan struct{} // has one element when queue may have grown
	nudge     chan struct{} // has one element when a newer playlist was seen
}

func newStream(f *follower, target, host string) *stream {
	s := &stream{
		f: f, url: target, host: host, touched: f.now(),
		content: tuber.NewContentID(tuber.PublicKeyOf(f.cfg.Key), target, f.cfg.Epoch),
		more:    make(chan struct{}, 1), nudge: make(chan struct{}, 1),
	}
	return s
}

func (s *stream) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touched = s.f.now()
}

// seen is told of a viewer's copy.
func (s *stream) seen(copy *hls.Media) {
	s.touch()
	s.mu.Lock()
	newest := s.newest
	s.mu.Unlock()
	if newest == nil {
		s.begin(copy)
		return
	}
	own := newest.list.Media
	if firstNumber(copy) >= firstNumber(own) && agree(own, copy) == verdictDiffer {
		s.doubt("a viewer's playlist names other URLs")
		return
	}
	if nextNumber(copy) != nextNumber(own) || len(copy.Parts) != len(own.Parts) {
		signal(s.nudge)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// begin proves and follows the stream, unless that is under way. Without a
// viewer's copy the operator vouches for it.
func (s *stream) begin(copy *hls.Media) {
	if allowed, _ := s.f.listing(s.url); !allowed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy || s.f.now().Before(s.doubted) {
		return
	}
	s.always = copy == nil
	s.busy = s.f.start(func(ctx context.Context) {
		defer s.rest()
		if first := s.prove(ctx, copy); first != nil {
			s.follow(ctx, first)
		}
	})
}

// rest ends following. What was cut is forgotten: nobody watches, or nobody may.
func (s *stream) rest() {
	s.mu.Lock()
	s.busy, s.newest, s.queue = false, nil, nil
	known := s.announced != nil
	s.announced = nil
	s.mu.Unlock()
	s.f.memory.drop(s.content)
	if known {
		s.f.announce()
	}
}

// doubt stops sharing the stream for a while.
func (s *stream) doubt(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.f.now(); !now.Before(s.doubted) {
		s.doubted = now.Add(doubtFor)
		s.f.cfg.Log.Info("a stream is not shared", "path", s.url, "reason", reason)
	}
	signal(s.nudge)
}

// prove makes the two credential-free fetches and compares them with the
// viewer's copy. It returns nil if the stream must not, or cannot yet, be followed.
func (s *stream) prove(ctx context.Context, copy *hls.Media) *fetched {
	var own [2]*fetched
	for i := range own {
		var err error
		if own[i], err = s.fetch(ctx); err != nil {
			s.fail(err)
			return nil
		}
	}
	if _, reason := items(own[1].list.Media, s.url, s.host); reason != "" {
		s.doubt(reason)
		return nil
	}
	verdicts := []verdict{agree(own[0].list.Media, own[1].list.Media)}
	if copy != nil {
		verdicts = append(verdicts, agree(copy, own[0].list.Media), agree(copy, own[1].list.Media))
	}
	for _, v := range verdicts {
		switch v {
		case verdictDiffer:
			s.doubt("its playlist differs between viewers")
			return nil
		case verdictNone:
			return nil // the next viewer's copy decides
		}
	}
	if m := own[1].list.Media; m.Ended {
		return nil // a recording: it is not followed but passed on
	}
	return own[1]
}

var errNotMedia = errors.New("not a media playlist")

func (s *stream) fetch(ctx context.Context) (*fetched, error) {
	own, err := s.f.playlist(ctx, s.url)
	switch {
	case err != nil:
		return nil, err
	case own.list.Kind != hls.KindMedia:
		return nil, errNotMedia
	}
	return own, nil
}

// fail notes why a fetch gave nothing to share; only refusals are remembered.
func (s *stream) fail(err error) {
	var private *privateError
	if errors.As(err, &private) {
		s.doubt(private.reason)
		return
	}
	s.f.cfg.Log.Debug("a playlist cannot be followed", "path", s.url, "err", err)
}

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
		own, err := s.fetch(ctx)
		var private *privateError
		if errors.As(err, &private) {
			s.doubt(private.reason)
			return
		}
		if err != nil {
			s.f.cfg.Log.Debug("a playlist was not read", "path", s.url, "err", err)
			pace.failed()
			continue
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
		s.f.cfg.Log.Warn("a stream is gone", "path", s.url)
		return true
	}
	return !s.always && now.Sub(s.touched) > idleAfter
}
