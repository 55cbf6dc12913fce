package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const (
	lookEvery = 100 * time.Millisecond // at a segment that is waited for
	fetchFor  = time.Second            // chunks that HTTP brings in it are asked for at once
)

// load is the player: it reads segment after segment in order, until ctx ends
// or the stream does.
func (v *viewer) load(ctx context.Context) {
	var begun bool
	var at time.Duration // where the next segment begins
	var mapped string
	for ctx.Err() == nil {
		a, step := v.next(&begun, at)
		if step > 0 {
			v.await(ctx, step)
			continue
		}
		if a.segment == nil {
			v.drain(ctx)
			return
		}
		if m := a.segment.Map; m != nil && mapped != m.URI {
			if v.loadPart(ctx, nil, m.URI, m.Range) == nil {
				mapped = m.URI
			}
		}
		at = a.to
		if !a.segment.Gap && !v.loadSegment(ctx, a) {
			at = a.from
		}
	}
}

// ask is a segment that the player asks for, and its media time.
type ask struct {
	segment  *hls.Segment
	from, to time.Duration
}

// next is the segment to load, or how long to wait for one. Neither: the
// stream is over.
func (v *viewer) next(begun *bool, at time.Duration) (ask, time.Duration) {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.line.media == nil {
		return ask{}, lookEvery
	}
	if !*begun || v.line.hasLeft(at) {
		if *begun {
			v.count.skipped++
		}
		*begun, at = true, v.line.syncPosition()
		v.play.seek(at)
	}
	if ahead := v.play.ahead(now); ahead > maxAhead {
		return ask{}, ahead - maxAhead
	}
	s := v.line.at(at)
	switch {
	case s != nil:
		from, to := v.line.span(s)
		return ask{s, from, to}, 0
	case v.line.media.Ended:
		return ask{}, 0
	}
	return ask{}, lookEvery
}

// await waits for a change of the playlist, or for a time.
func (v *viewer) await(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-v.listed:
	case <-ctx.Done():
	}
}

// drain plays what is buffered to its end.
func (v *viewer) drain(ctx context.Context) {
	now := time.Now()
	v.mu.Lock()
	v.play.finish(now)
	left := max(0, v.play.ahead(now))
	v.mu.Unlock()
	pause(ctx, left+time.Millisecond)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.play.advance(time.Now())
}

// loadSegment is false where the segment was let go.
func (v *viewer) loadSegment(ctx context.Context, a ask) bool {
	part, letGo := context.WithCancel(ctx)
	defer letGo()
	v.waitsFor(&waiting{a.from, letGo})
	defer v.waitsFor(nil)
	err := v.loadPart(part, &a, a.segment.URI, a.segment.Range)
	switch {
	case err == nil || ctx.Err() != nil:
		return true
	case part.Err() != nil:
		return false
	}
	v.o.Log.Debug("a segment did not come", "err", err)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count.failed++
	return true
}

// waiting is a segment that has not come yet.
type waiting struct {
	from  time.Duration
	letGo context.CancelFunc
}

func (v *viewer) waitsFor(w *waiting) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting = w
}

// letGoLocked gives up a segment that has left the playlist, if nothing is left to
// play before it: as hls.js, which then goes on near the live edge.
func (v *viewer) letGoLocked(now time.Time) {
	if v.waiting != nil && v.line.hasLeft(v.waiting.from) && v.play.ahead(now) <= 0 {
		v.waiting.letGo()
	}
}

// loadPart gets a segment, or without one what a player reads before it.
func (v *viewer) loadPart(ctx context.Context, a *ask, uri string, rng *hls.Range) error {
	p, err := v.site.resolve(v.source, uri, rng)
	if err != nil {
		return err
	}
	body, err := v.bytes(ctx, p)
	if err == nil && a != nil {
		v.played(a, p, body)
	}
	return err
}

// bytes is a whole piece: from chunks as they come, single ones over HTTP at
// the last moment, or plain HTTP where chunks cannot give it.
func (v *viewer) bytes(ctx context.Context, p piece) ([]byte, error) {
	asked := time.Now()
	if v.member == nil || p.path == "" {
		return v.overHTTP(ctx, p, nil)
	}
	var here []byte
	for turn := 0; ; turn++ {
		if turn > 0 || v.member.linked() {
			body, err := v.fromChunks(ctx, p.after(len(here)), asked)
			if err == nil || ctx.Err() != nil {
				return append(here, body...), err
			}
			v.o.Log.Debug("over plain HTTP", "why", err)
		}
		body, whole, err := v.plainFor(ctx, p.after(len(here)), turn == 0)
		if here = append(here, body...); whole || err != nil {
			return here, err
		}
	}
}

var (
	errUnstated  = errors.New("nothing is known of the segment in time")
	errChunkHTTP = errors.New("chunks over HTTP did not come")
)

func (v *viewer) fromChunks(ctx context.Context, p piece, asked time.Time) ([]byte, error) {
	began, target := time.Now(), v.target()
	var flying chan error // of a request for chunks; nil while there is none
	defer func() {
		if flying != nil {
			<-flying
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	needed, again, failed := began, began, 0
	for {
		change := v.member.chunks.change()
		parts, l := v.member.chunks.parts(p)
		now := time.Now()
		switch {
		case l.done():
			body := bytes.Join(parts, nil)
			return body, v.pace(ctx, l.content, len(body), asked)
		case !l.known && now.Sub(began) >= knownWithin:
			return nil, errUnstated
		case l.known && flying == nil && !now.Before(again) && v.wait(asked, target, l).mustFetch(now):
			if len(l.numbers) == 0 {
				return nil, errUnstated // statements are missing, not chunks
			}
			flying = v.startFetch(ctx, l)
		}
		if now.Sub(needed) >= lookEvery {
			needed = now
			v.need(l)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-change:
		case err := <-flying:
			if flying = nil; err == nil {
				break
			}
			// A host whose line is full may not answer in time: links bring it, or it does later.
			if failed++; failed >= tries || !errors.Is(err, context.DeadlineExceeded) || !v.member.linked() {
				return nil, fmt.Errorf("%w: %w", errChunkHTTP, err)
			}
			again = time.Now().Add(fetchFor)
		case <-time.After(lookEvery):
		}
	}
}

// need has neighbours asked for what lacks of a piece.
func (v *viewer) need(l lack) {
	if !l.known {
		return
	}
	if err := v.member.peer.Need(v.member.cfg.Site, l.content, l.numbers); err != nil {
		v.o.Log.Debug("ask for chunks", "err", err)
	}
}

// wait is the player's side of a segment that is not whole yet.
func (v *viewer) wait(asked time.Time, target time.Duration, l lack) wait {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	missing := l.bytes
	if !l.whole {
		missing = max(missing, tuber.ChunkSize)
	}
	return wait{asked: asked, ahead: v.play.ahead(now), target: target, missing: missing, speed: v.http}
}

// startFetch asks for what lacks, and for no more at once than HTTP brings while
// links may bring the rest; the channel takes the outcome.
func (v *viewer) startFetch(ctx context.Context, l lack) chan error {
	out := make(chan error, 1)
	v.mu.Lock()
	most := v.http.chunksWithin(fetchFor)
	v.mu.Unlock()
	numbers := l.numbers[:min(len(l.numbers), most)]
	go func() { // fromChunks waits for out
		got, err := v.fetchChunks(ctx, l.content, numbers)
		v.mu.Lock()
		v.count.chunks += uint64(got)
		v.mu.Unlock()
		switch {
		case err == nil && got == 0:
			err = errors.New("the host holds none of them")
		case got > 0 && errors.Is(err, context.DeadlineExceeded):
			err = nil // what came is of use, and more will be asked for
		}
		out <- err
	}()
	return out
}

// pace holds a body back to the rate that the plan grants: that is how a viewer
// is moved to another rendition before it stalls.
func (v *viewer) pace(ctx context.Context, c tuber.ContentID, size int, asked time.Time) error {
	rate := v.member.grant(c)
	if rate <= 0 {
		return nil
	}
	takes := time.Duration(float64(size) / rate.BytesPerSecond() * float64(time.Second))
	if left := time.Until(asked.Add(takes)); left > 0 {
		pause(ctx, left)
	}
	return ctx.Err()
}

func (v *viewer) target() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if part := v.line.media.PartTarget; part > 0 {
		return 2 * part
	}
	return v.line.media.Target
}
