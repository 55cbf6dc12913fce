package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tubercdn/tuber"
)

// errDiffers is returned when a segment is not what its parts are together.
var errDiffers = errors.New("the segment is not its parts")

// cutParent makes a segment of its parts, which were cut before: no byte of it is
// sent twice. Upstream's own copy must be the same, byte for byte; where it is
// not, or a part is missing, it answers false: the segment is cut by itself.
func (s *stream) cutParent(ctx context.Context, w work) bool {
	pieces := s.partsOf(w.entry)
	if pieces == nil {
		return false
	}
	err := s.adopt(ctx, w, pieces)
	if err != nil && ctx.Err() == nil {
		s.f.cfg.Log.Info("a segment is shared apart from its parts", "path", pathOf(w.entry.url), "reason", err)
	}
	return err == nil
}

// partsOf are the pieces of an entry's parts, nil unless all are whole.
func (s *stream) partsOf(e *entry) (out []*piece) {
	for _, part := range e.parts {
		if part == nil {
			return nil
		}
		p := part.piece.Load()
		if _, _, ok := s.f.memory.span(p); !ok {
			return nil
		}
		out = append(out, p)
	}
	return out
}

func (s *stream) adopt(ctx context.Context, w work, pieces []*piece) error {
	ctx, cancel := context.WithTimeout(ctx, max(3*s.target(), 5*time.Second))
	defer cancel() // before the body is closed, so that what is not read is not waited for
	e := w.entry
	res, size, total, err := s.f.segment(ctx, e.url, e.want)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	life, err := s.decide(res, w, size)
	if err != nil {
		return err
	}
	kept := s.f.memory.runsOf(pieces)
	if err := sameBody(res.Body, kept); err != nil {
		return err
	}
	p := e.piece.Load()
	alias, err := aliasOf(p, kept)
	if err != nil {
		return err
	}
	s.f.memory.begin(p, res.Header, size, total)
	if !s.f.memory.adopt(p, pieces, kept) {
		return errors.New("its parts are forgotten")
	}
	if alias == nil {
		return nil
	}
	expires := s.f.now().Add(life)
	name := tuber.AliasURL(p.url)
	carrier := s.f.memory.addTo(p, name, expires)
	run := &runs{s: s, p: carrier, url: name, headers: replay(res.Header), expires: tuber.MillisOf(expires)}
	if err := run.emit([][]byte{alias}, true); err != nil {
		s.f.cfg.Log.Warn("an alias was not published", "path", pathOf(p.url), "err", err)
		return nil // peers go to the origin for the segment
	}
	s.f.memory.finish(carrier, pieceDone)
	return nil
}

// sameBody reads a body to its end and compares it with runs.
func sameBody(body io.Reader, runs []keptRun) error {
	for _, run := range runs {
		for _, c := range run.chunks {
			got := make([]byte, len(c.Data()))
			if _, err := io.ReadFull(body, got); err != nil {
				return fmt.Errorf("read segment: %w", err)
			}
			if !bytes.Equal(got, c.Data()) {
				return errDiffers
			}
		}
	}
	if n, err := io.ReadFull(body, make([]byte, 1)); n > 0 {
		return errDiffers
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read segment: %w", err)
	}
	return nil
}

// aliasOf tells peers what the segment is made of. Byte ranges of one URL need no
// telling, and it is nil: each run says where in it it stands.
func aliasOf(p *piece, kept []keptRun) ([]byte, error) {
	a := tuber.Alias{Start: p.start()}
	told := p.want != nil
	for _, k := range kept {
		m := k.signed.Manifest()
		told = told && m.URL == p.url
		a.Runs = append(a.Runs, tuber.AliasRun{First: m.First, Count: len(m.Digests), Length: m.Length})
	}
	switch {
	case told:
		return nil, nil
	case len(tuber.AliasURL(p.url)) > tuber.MaxURL || len(a.Runs) > tuber.MaxAliasRuns || a.Length() > tuber.MaxSegment:
		return nil, fmt.Errorf("%d runs of %d bytes are too many for one alias", len(a.Runs), a.Length())
	}
	return a.Append(nil), nil
}
