package origin

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// stream is one media playlist and what was cut of it. Its record outlives a
// pause in following, so that numbers and sequences never restart.
type stream struct {
	f       *follower
	url     string
	content tuber.ContentID
	cut     cutState // owned by the one goroutine that cuts, see follow_cut.go

	hintless atomic.Bool // upstream does not hold requests for what it hints at

	mu        sync.Mutex    // guards the fields below
	busy      bool          // being proved or followed
	retired   bool          // its record was dropped, it must not begin again
	always    bool          // does not wait for viewers
	host      string        // as the viewer whose copy is the proof names the site
	touched   time.Time     // when it was last asked for
	doubted   time.Time     // not tried before
	suspect   *hls.Media    // a viewer's copy that differs from newest
	newest    *fetched      // the newest own copy; nil unless followed
	current   time.Time     // newest was upstream's latest at this moment
	moved     chan struct{} // closed, and replaced, when newest changes
	announced *tuber.Content
	queue     []work
	cutting   cutting
	more      chan struct{} // has one element when queue may have grown
	nudge     chan struct{} // has one element when a newer playlist was seen
}

func newStream(f *follower, target string) *stream {
	return &stream{
		f: f, url: target, touched: f.now(),
		content: tuber.NewContentID(tuber.PublicKeyOf(f.cfg.Key), target, f.cfg.Epoch),
		more:    make(chan struct{}, 1), nudge: make(chan struct{}, 1), moved: make(chan struct{}),
	}
}

// idle tells since when nobody asked for a stream that is not at work.
func (s *stream) idle() (since time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touched, !s.busy
}

// retire ends a stream that is not at work, and says how far it counted.
func (s *stream) retire() (tuber.ChunkNumber, tuber.Sequence, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return 0, 0, false
	}
	s.retired = true
	return s.cut.next, s.cut.sequence, true
}

func (s *stream) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touched = s.f.now()
}

// seen is told of a viewer's copy, and under which name the viewer asked for it.
func (s *stream) seen(copy *hls.Media, host string) {
	s.touch()
	s.mu.Lock()
	newest, known := s.newest, s.host
	s.mu.Unlock()
	if newest == nil {
		s.begin(copy, host)
		return
	}
	if host != known {
		return // the site may write its name into URLs; another name proves nothing
	}
	own := newest.list.Media
	if agree(own, copy) == verdictDiffer {
		s.mu.Lock()
		s.suspect = copy // the site may just have begun anew: a fresh copy decides
		s.mu.Unlock()
		signal(s.nudge)
		return
	}
	if !sameEnd(copy, own) {
		signal(s.nudge)
	}
}

// movedLocked wakes those who wait for a newer playlist.
func (s *stream) movedLocked() {
	close(s.moved)
	s.moved = make(chan struct{})
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wantsProof tells whether the next whole copy that a viewer gets may begin it.
func (s *stream) wantsProof() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.busy && !s.retired && !s.f.now().Before(s.doubted)
}

// begin proves and follows the stream, unless that is under way. Without a
// viewer's copy the operator vouches for it; a delta update is no proof.
func (s *stream) begin(copy *hls.Media, host string) {
	if allowed, _ := s.f.listing(s.url); !allowed || copy != nil && copy.Skipped > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy || s.retired || s.f.now().Before(s.doubted) {
		return
	}
	s.always, s.host = copy == nil, host
	s.busy = s.f.enter(func(ctx context.Context) {
		defer s.rest()
		if first := s.prove(ctx, copy, host); first != nil {
			s.follow(ctx, first)
		}
	})
}

// rest ends following. What was cut is forgotten: nobody watches, or nobody may.
func (s *stream) rest() {
	defer s.f.leave()
	s.mu.Lock()
	s.busy, s.newest, s.suspect, s.queue = false, nil, nil, nil
	s.movedLocked()
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
		s.f.cfg.Log.Info("a stream is not shared", "path", pathOf(s.url), "reason", reason)
	}
	signal(s.nudge)
}

// prove makes the two credential-free fetches and compares them with the
// viewer's copy. It returns nil if the stream must not, or cannot yet, be followed.
func (s *stream) prove(ctx context.Context, copy *hls.Media, host string) *fetched {
	var own [2]*fetched
	for i := range own {
		var err error
		if own[i], err = s.fetch(ctx, ""); err != nil {
			s.fail(err)
			return nil
		}
	}
	if _, reason := items(own[1].list.Media, s.url, host); reason != "" {
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

// fetch asks for the playlist, with a delivery directive if there is one.
func (s *stream) fetch(ctx context.Context, directive string) (*fetched, error) {
	target := s.url
	switch {
	case directive == "":
	case strings.Contains(target, "?"):
		target += "&" + directive
	default:
		target += "?" + directive
	}
	own, err := s.f.playlist(ctx, target)
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
	s.f.cfg.Log.Debug("a playlist cannot be followed", "path", pathOf(s.url), "err", err)
}
