package peer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	maxParked = 64          // chunks that one link may send ahead of their manifests
	parkFor   = time.Second // and for how long they are kept

	burstPause = 50 * time.Millisecond
)

// liarError is a proof that a neighbour sent what it must not: it is
// quarantined. Blame is nil where no chunk was concerned.
type liarError struct {
	what  string
	blame *tuber.Blame
}

func (e *liarError) Error() string { return e.what }

// read takes one channel's messages until the lane is down.
func (l *link) read(ln *lane, data bool) {
	buf := make([]byte, readBuffer)
	var parts wire.Joiner
	for {
		b, err := ln.read(data, buf)
		if err != nil {
			ln.fail(err)
			return
		}
		l.heard.Store(time.Now().UnixNano())
		if l.obey(len(b)) != nil || l.condemned.Load() {
			ln.fail(errGone)
			return
		}
		if data {
			err = l.onData(b)
		} else {
			err = l.onCtl(ln, &parts, b)
		}
		if err != nil {
			l.punish(ln, err)
			return
		}
	}
}

// obey waits for the download cap. SCTP's window slows the sender meanwhile.
func (l *link) obey(n int) error {
	d := l.s.peer.cfg.Download
	if d == nil || d.Limit() == rate.Inf {
		return nil
	}
	for n > 0 {
		part := min(n, max(d.Burst(), 1))
		if err := d.WaitN(l.ctx, part); err == nil {
			n -= part
			continue
		}
		pause(l.ctx, burstPause) // nothing may pass now, or the burst was just lowered
		if err := l.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// punish ends a lane on which something wrong came, and says why.
func (l *link) punish(ln *lane, err error) {
	var liar *liarError
	var bye *byeError
	switch {
	case errors.As(err, &liar):
		l.s.condemn(l, liar)
		l.s.part(ln, wire.ByeBadChunk, liar.what, err)
	case errors.As(err, &bye):
		ln.fail(err)
	default:
		l.s.part(ln, wire.ByeFrame, err.Error(), err)
	}
}

func (l *link) onCtl(ln *lane, parts *wire.Joiner, b []byte) error {
	f, err := wire.ReadFrame(b)
	if p, ok := f.(wire.Part); ok {
		whole, err := parts.Add(p)
		if err != nil || whole == nil {
			return err
		}
		return l.onCtlFrame(ln, whole)
	}
	if err != nil {
		return ignoreUnknown(err)
	}
	return l.onCtlFrame(ln, append([]byte(nil), b...))
}

// onCtlFrame owns b: statements in it are kept.
func (l *link) onCtlFrame(ln *lane, b []byte) error {
	f, err := wire.ReadFrame(b)
	if err != nil {
		return ignoreUnknown(err)
	}
	switch f := f.(type) {
	case wire.Update:
		return l.onUpdate(f)
	case wire.Range:
		l.onRange(f)
	case wire.Ask:
		l.onAsk(f)
	case wire.Missing:
		l.s.onMissing(l, f)
	case wire.Past:
		l.onPast(f)
	case wire.Enough:
		l.onEnough(f)
	case wire.Have:
		l.onHave(f)
	case wire.Ping:
		l.onPing(ln, f)
	case wire.Bye:
		return l.onBye(ln, f)
	}
	return nil
}

func ignoreUnknown(err error) error {
	if errors.Is(err, wire.ErrUnknown) {
		return nil
	}
	return err
}

// onBye ends a lane, but not one that is being replaced: the newer one may not
// be proved here yet, and what was written before may still be on its way up.
func (l *link) onBye(ln *lane, f wire.Bye) error {
	first := ln.heardBye()
	if f.Code == wire.ByeDone && (l.current() != ln || l.s.opens(l.id())) {
		if first {
			l.s.tasks.Go(func() { l.outlive(ln) })
		}
		return nil
	}
	if f.Code == wire.ByeVersion || f.Code == wire.ByeProof {
		l.s.shun(l.id())
	}
	return &byeError{f.Code, f.Reason}
}

// outlive ends a lane after a goodbye unless a newer one takes its place; then
// retire does.
func (l *link) outlive(ln *lane) {
	wait, cancel := context.WithTimeout(l.ctx, openDeadline)
	defer cancel()
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for l.current() == ln {
		select {
		case <-t.C:
		case <-wait.Done():
			ln.fail(&byeError{wire.ByeDone, "not replaced"})
			return
		}
	}
}

func (l *link) onData(b []byte) error {
	f, err := wire.ReadFrame(b)
	if err != nil {
		return ignoreUnknown(err)
	}
	c, ok := f.(wire.Chunk)
	if !ok {
		return nil
	}
	c.Payload = append([]byte(nil), c.Payload...)
	return l.onChunk(c)
}

// onChunk is a chunk's way through a peer: verify, store, forward.
func (l *link) onChunk(c wire.Chunk) error {
	if !l.s.shares(c.Content) {
		return nil
	}
	m := l.s.m.Chunks.Manifest(c.Content, c.Number)
	if m == nil {
		l.park(c)
		if l.s.m.Chunks.Manifest(c.Content, c.Number) != nil { // it came in this moment
			return l.retryParked(c.Content)
		}
		return nil
	}
	v, err := m.Verify(c.Number, c.Payload)
	if err != nil {
		return &liarError{err.Error(), &tuber.Blame{Content: c.Content, Number: c.Number}}
	}
	fresh, err := l.s.m.Chunks.Put(v)
	if err != nil {
		l.s.log.Warn("store a chunk", "content", c.Content, "number", c.Number, "err", err)
		fresh = l.s.wanted(v)
	}
	l.received(v, fresh)
	if fresh {
		l.s.pushChunk(l, v)
	}
	return nil
}

// received keeps the accounts of a verified chunk.
func (l *link) received(v tuber.VerifiedChunk, fresh bool) {
	late, unasked, others := l.s.arrived(l, v)
	tellHave(others, v)
	l.s.mu.Lock()
	k, pause := l.s.ks[v.Content()], l.s.pauseLocked(v.Content())
	l.s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.q.forget(chunkKey{v.Content(), v.Number()})
	if f := l.flowLocked(v.Content()); f != nil {
		f.sent.add(v.Number()) // it has it: never send it back
		if k > 0 {
			f.brings[v.Number().Partition(k)].add(v.Number(), pause, time.Now(), unasked)
		}
	}
	if fresh {
		l.count.received += uint64(len(v.Data()))
	} else {
		l.count.twice += uint64(len(v.Data()))
	}
	if late {
		l.count.late++
	}
}

// park keeps a chunk until its manifest comes, for a moment.
func (l *link) park(c wire.Chunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.parked) < maxParked {
		l.parked = append(l.parked, parked{c, time.Now().Add(l.s.peer.parkFor)})
		l.s.beat.Wake()
	}
}

func (l *link) unparkLocked(now time.Time) {
	kept := l.parked[:0]
	for _, p := range l.parked {
		if now.Before(p.until) {
			kept = append(kept, p)
		}
	}
	clear(l.parked[len(kept):])
	l.parked = kept
}

// retryParked looks again at the chunks that waited for manifests of c.
func (l *link) retryParked(c tuber.ContentID) error {
	l.mu.Lock()
	var ready []wire.Chunk
	kept := l.parked[:0]
	for _, p := range l.parked {
		if p.frame.Content == c && l.s.m.Chunks.Manifest(c, p.frame.Number) != nil {
			ready = append(ready, p.frame)
		} else {
			kept = append(kept, p)
		}
	}
	clear(l.parked[len(kept):])
	l.parked = kept
	l.mu.Unlock()
	for _, f := range ready {
		if err := l.onChunk(f); err != nil {
			return err
		}
	}
	return nil
}

func (l *link) onRange(f wire.Range) {
	if !l.s.shares(f.Content) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if flow := l.flowLocked(f.Content); flow != nil {
		flow.has = f.Range
	}
}
