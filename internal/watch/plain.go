package watch

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
)

const (
	tries     = 3                      // for one segment over plain HTTP
	nearlyAll = 500 * time.Millisecond // an answer that takes no longer is read to its end
)

// plain is how a piece is asked for over HTTP alone.
func (p piece) plain() request {
	q := request{url: p.url, limit: maxMedia, within: mediaTimeout}
	switch at := p.at(); {
	case p.rng != nil:
		q.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", at, p.rng.End()-1)}}
	case at > 0:
		q.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", at)}}
	}
	return q
}

// overHTTP gets a piece; progress, if it is not nil, tells how far it is.
func (v *viewer) overHTTP(ctx context.Context, p piece, so *progress) ([]byte, error) {
	var err error
	for i := range tries {
		q := p.plain()
		if so != nil {
			so.begin()
			q.to = so
		}
		var r reply
		r, err = get(ctx, v.client, q)
		v.countPlain(len(r.body))
		if r.delay > 0 {
			v.measure(len(r.body), r.delay, r.rest)
		}
		switch {
		case err == nil && p.skip > 0 && r.status != http.StatusPartialContent:
			err = fmt.Errorf("get %s: the site gives no ranges", p.url)
		case err == nil || ctx.Err() != nil:
			return r.body, err
		}
		pause(ctx, time.Second<<i/2)
	}
	return nil, err
}

// plainFor asks plain HTTP, and neighbours as well: once they have brought the rest,
// the answer is given up; with soon, where they can bring it and the answer is not
// nearly there: over a full line it takes longer than finding peers. What came of it
// counts; whole tells whether that was all.
func (v *viewer) plainFor(ctx context.Context, p piece, soon bool) (body []byte, whole bool, err error) {
	type answer struct {
		body []byte
		err  error
	}
	plain, giveUp := context.WithCancel(ctx)
	defer giveUp()
	got := make(chan answer, 1)
	so := newProgress()
	go func() {
		body, err := v.overHTTP(plain, p, so)
		got <- answer{body, err}
	}()
	for {
		change := v.member.chunks.change()
		if v.overtakes(p, so, soon) {
			giveUp()
			if a := <-got; a.err == nil {
				return a.body, true, nil
			}
			return so.bytes(), false, nil
		}
		select {
		case a := <-got:
			return a.body, a.err == nil, a.err
		case <-change:
		case <-time.After(lookEvery):
		}
	}
}

// overtakes tells whether links have brought the rest of an answer, or, with soon,
// bring it sooner than HTTP, as far as one can tell.
func (v *viewer) overtakes(p piece, so *progress, soon bool) bool {
	reached, left := so.left(time.Now())
	_, l := v.member.chunks.parts(p.after(reached))
	if l.done() {
		return true
	}
	if left > nearlyAll {
		v.need(l)
	}
	return soon && l.known && left > nearlyAll && v.member.linked()
}

// progress is how far an answer has come.
type progress struct {
	mu    sync.Mutex // guards the fields below
	began time.Time
	first time.Time // when its first byte came
	total int64     // bytes of it, -1 if nobody said
	body  bytes.Buffer
}

func newProgress() *progress { return &progress{began: time.Now(), total: -1} }

// begin forgets an answer that failed.
func (s *progress) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.first, s.total = time.Now(), time.Time{}, -1
	s.body.Reset()
}

func (s *progress) head(total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total = total
}

// Write takes what came.
func (s *progress) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() {
		s.first = time.Now()
	}
	return s.body.Write(b)
}

// left is how many bytes are here, and how long the rest takes if it goes on as it
// began.
func (s *progress) left(now time.Time) (reached int, left time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reached = s.body.Len()
	if reached == 0 {
		return 0, now.Sub(s.began) // as long again as it has kept silent
	}
	rate := float64(reached) / max(now.Sub(s.first), time.Millisecond).Seconds()
	rest := max(s.total-int64(reached), tuber.ChunkSize)
	return reached, time.Duration(float64(rest) / rate * float64(time.Second))
}

func (s *progress) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.body.Bytes())
}
