package origin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// cutState is what the cutting goroutine of a stream knows. There is one at a
// time, and it outlives a pause.
type cutState struct {
	next     tuber.ChunkNumber
	sequence tuber.Sequence
	k        int // 0 until the first announcement; then fixed
	bits     float64
	seconds  float64       // that bits lasted
	held     []Publication // cut before the stream was announced
}

// cutAll works off the queue until ctx ends.
func (s *stream) cutAll(ctx context.Context) {
	s.cut.held = nil
	s.hintless.Store(false)
	for {
		w, ok := s.next()
		switch {
		case !ok:
			select {
			case <-s.more:
			case <-ctx.Done():
				return
			}
		case w.list != nil:
			s.publishList(w)
		case w.entry.parts != nil && s.cutParent(ctx, w):
		default:
			s.cutListed(ctx, w)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// cutting is the entry that is being cut, and how to stop that.
type cutting struct {
	entry  *entry
	hinted bool // it was begun before it was listed
	cancel context.CancelFunc
}

// cutListed cuts one entry. One that is only promised is given up when the
// playlist goes on without it.
func (s *stream) cutListed(ctx context.Context, w work) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hinted := w.entry.promised.Load()
	s.mu.Lock()
	s.cutting = cutting{entry: w.entry, hinted: hinted, cancel: cancel}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.cutting = cutting{}
		s.mu.Unlock()
	}()
	if hinted {
		s.cutHint(ctx, w)
		return
	}
	s.cutEntry(ctx, w)
}

// cutHint asks for a part before it is listed: upstream holds the request until
// there are bytes (rfc8216bis section 6.2.6). One that refuses is not asked again.
func (s *stream) cutHint(ctx context.Context, w work) {
	err := s.cutOnce(ctx, w)
	var private *privateError
	var refused *statusError
	switch {
	case err == nil:
		s.f.memory.finish(w.entry.piece.Load(), pieceDone)
		return
	case errors.As(err, &private):
		s.doubt("it lists " + pathOf(w.entry.url) + ", which is " + private.Error())
		w.entry.hopeless.Store(true)
	case errors.As(err, &refused):
		s.hintless.Store(true)
	}
	if w.entry.promised.Load() || w.entry.hopeless.Load() {
		s.f.memory.finish(w.entry.piece.Load(), pieceFailed) // once it is listed it is tried again
		return
	}
	s.cutEntry(ctx, w) // it was listed meanwhile
}

// cutEntry fetches and cuts one entry, and once more if upstream fails.
func (s *stream) cutEntry(ctx context.Context, w work) {
	const tries = 2
	for try := 0; ; try++ {
		err := s.cutOnce(ctx, w)
		var private *privateError
		switch {
		case err == nil:
			s.f.memory.finish(w.entry.piece.Load(), pieceDone)
			return
		case errors.As(err, &private):
			s.doubt("it lists " + pathOf(w.entry.url) + ", which is " + private.Error())
			w.entry.hopeless.Store(true)
		case errors.Is(err, errTooLong), errors.Is(err, errEmpty):
			w.entry.hopeless.Store(true)
		case errors.Is(err, errStalled): // those behind it have waited long enough
		case ctx.Err() == nil && try < tries:
			if pause(ctx, min(s.target()/4, retryAfter)) == nil {
				continue
			}
		}
		if ctx.Err() == nil {
			s.f.cfg.Log.Warn("a segment was not cut", "path", pathOf(w.entry.url), "err", err)
		}
		s.f.memory.finish(w.entry.piece.Load(), pieceFailed)
		return
	}
}

func (s *stream) target() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest == nil {
		return time.Second
	}
	return s.newest.list.Media.Target
}

// cutOnce makes one fetch. What an earlier try has cut stays if the bytes are
// still the same; if not, they are cut anew with new numbers.
func (s *stream) cutOnce(ctx context.Context, w work) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e := w.entry
	res, size, total, err := s.f.segment(ctx, e.url, e.want)
	if err != nil {
		return err
	}
	life, err := s.decide(res, w, size)
	if err != nil {
		cancel()
		res.Body.Close()
		return err
	}
	p := e.piece.Load()
	held := s.f.memory.view(p)
	if held.length > 0 {
		same, prefix, err := matches(res.Body, held.chunks)
		if err != nil {
			cancel()
			res.Body.Close()
			return fmt.Errorf("read body again: %w", err)
		}
		if !same {
			s.f.memory.finish(p, pieceFailed)
			p = s.f.memory.add(s.content, e.url, e.want, s.f.now().Add(w.window))
			e.piece.Store(p)
			res.Body = &limited{Reader: io.MultiReader(bytes.NewReader(prefix), res.Body), Closer: res.Body}
			held.length = 0
		}
	}
	s.f.memory.begin(p, res.Header, size, total)
	run := &runs{s: s, p: p, url: e.url, ranged: e.want != nil, offset: p.start() + uint64(held.length), headers: replay(res.Header),
		expires: tuber.MillisOf(s.f.now().Add(life))}
	c := &cutter{size: size, read: int64(held.length), stall: max(3*s.target(), 5*time.Second), emit: run.emit}
	if err := c.cut(ctx, res.Body); err != nil {
		return err
	}
	s.measure(e, c.read)
	return nil
}

// decide asks the share rules. Our own exact range counts as a complete answer:
// all that is shared of it are these bytes, and they are all there.
func (s *stream) decide(res *http.Response, w work, size int64) (time.Duration, error) {
	if size > tuber.MaxSegment {
		return 0, errTooLong
	}
	header := res.Header
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return 0, &privateError{"it comes encoded although identity was asked for"}
	}
	if w.entry.want != nil {
		header = header.Clone()
		header.Del("Content-Range")
		header.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	d := Decide(ShareRequest{
		Method: http.MethodGet, Target: w.entry.url, Header: http.Header{"User-Agent": {"tuber"}, "Accept-Encoding": {"identity"}},
		Status: http.StatusOK, Response: header, Complete: true, Anonymous: true,
		Window: w.window, Rules: s.f.cfg.Rules, Now: s.f.now(),
	})
	if !d.Share {
		return 0, &privateError{d.Reason}
	}
	return min(d.Fresh, w.window), nil
}

// matches reads as many bytes as chunks hold and tells whether they are the
// same. If not, prefix is all that was read.
func matches(body io.Reader, chunks []tuber.VerifiedChunk) (same bool, prefix []byte, err error) {
	for i, c := range chunks {
		buf := make([]byte, len(c.Data()))
		n, err := io.ReadFull(body, buf)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return false, nil, err
		}
		if ended || !bytes.Equal(buf, c.Data()) {
			for _, before := range chunks[:i] {
				prefix = append(prefix, before.Data()...)
			}
			return false, append(prefix, buf[:n]...), nil
		}
	}
	return true, nil, nil
}

// runs signs the runs of one piece as they close, and publishes them.
type runs struct {
	s       *stream
	p       *piece
	url     string
	ranged  bool
	offset  uint64
	headers []tuber.Header
	expires tuber.Millis
}

func (r *runs) emit(chunks [][]byte, ends bool) error {
	s := r.s
	m := tuber.Manifest{
		Content: s.content, First: s.cut.next, Start: r.p.start(), Offset: r.offset, Expires: r.expires,
		Ends: ends, Ranged: r.ranged, URL: r.url, Headers: r.headers,
	}
	for _, c := range chunks {
		m.Length += uint32(len(c))
		m.Digests = append(m.Digests, sha256.Sum256(c))
	}
	signed, err := tuber.SignManifest(s.f.cfg.Key, m)
	if err != nil {
		return fmt.Errorf("sign run: %w", err)
	}
	verified := make([]tuber.VerifiedChunk, len(chunks))
	for i, c := range chunks {
		if verified[i], err = signed.Verify(m.First+tuber.ChunkNumber(i), c); err != nil {
			return fmt.Errorf("verify own run: %w", err)
		}
	}
	s.cut.next = m.Next()
	r.offset += uint64(m.Length)
	s.f.memory.grow(r.p, signed, verified, s.f.now())
	s.publishRun(Publication{Manifests: []*tuber.SignedManifest{signed}, Chunks: verified})
	return nil
}
