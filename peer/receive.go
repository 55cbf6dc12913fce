package peer

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	maxParked = 64          // chunks that one link may send ahead of their manifests
	parkFor   = time.Second // and for how long they are kept

	pastBurst  = 8 // pasts that a neighbour may ask for at once, then one a second
	wholeEvery = time.Second

	sentAgain  = 2 * time.Second // what was sent before that may be asked for again
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

// onBye ends a lane, but not one that is being replaced: what the other side
// wrote before it may still be on its way up.
func (l *link) onBye(ln *lane, f wire.Bye) error {
	ln.heardBye()
	if f.Code == wire.ByeDone && l.current() != ln {
		return nil
	}
	if f.Code == wire.ByeVersion || f.Code == wire.ByeProof {
		l.s.shun(l.id())
	}
	return &byeError{f.Code, f.Reason}
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
	late := l.s.arrived(l, v)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.q.forget(chunkKey{v.Content(), v.Number()})
	if f := l.flowLocked(v.Content()); f != nil {
		f.sent.add(v.Number()) // it has it: never send it back
	}
	if fresh {
		l.count.received += uint64(len(v.Data()))
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
		l.parked = append(l.parked, parked{c, time.Now().Add(parkFor)})
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

// onAsk queues what is held and names the rest.
func (l *link) onAsk(f wire.Ask) {
	missing := wire.Missing{Content: f.Content}
	now := time.Now()
	for _, n := range f.Numbers {
		l.mu.Lock()
		full := l.q.asks >= maxAsks
		coming := l.inFlightLocked(chunkKey{f.Content, n}, now)
		l.mu.Unlock()
		if coming {
			continue
		}
		if !full && l.s.shares(f.Content) {
			if c, ok := l.s.m.Chunks.Get(f.Content, n); ok && l.enqueue(&item{
				chunk: c, class: tuber.ClassRepair, priority: askPriority,
				deadline: now.Add(time.Duration(f.Within) * time.Millisecond), queued: now,
			}) {
				continue
			}
		}
		missing.Numbers = append(missing.Numbers, n)
	}
	if len(missing.Numbers) > 0 {
		l.send(missing)
	}
}

// inFlightLocked tells whether a chunk was sent so recently that it must still
// be on its way: the channel is reliable, sending it again would only cost.
func (l *link) inFlightLocked(key chunkKey, now time.Time) bool {
	f := l.flows[key.content]
	return f != nil && now.Sub(f.sent.when[key.n]) < sentAgain
}

// onPast sends the newest playlist whole and the manifests from a number on that
// have not expired, then the chunks of those that are held.
func (l *link) onPast(f wire.Past) {
	now := time.Now()
	l.mu.Lock()
	ok := l.pasts.take(pastBurst, now)
	l.mu.Unlock()
	if !ok || !l.s.shares(f.Content) {
		return
	}
	u, playlist := l.s.m.Chunks.Update(f.Content)
	ms := l.s.window(f.Content, f.From)
	l.sendWhole(f.Content, u, playlist, ms)
	r, ok := l.s.m.Chunks.Range(f.Content)
	k := l.s.k(f.Content)
	if !ok || k == 0 || f.Partitions == 0 || len(ms) == 0 {
		return
	}
	from := max(f.From, r.First, ms[0].Manifest().First)
	l.mu.Lock()
	l.q.addJob(job{
		content: f.Content, partitions: f.Partitions, k: k, next: from, end: r.Next,
	})
	l.mu.Unlock()
	wake(l.dataUp)
}

// onUpdate checks each statement by itself, keeps what is new and passes it on.
func (l *link) onUpdate(f wire.Update) error {
	var content tuber.ContentID
	var update *tuber.SignedUpdate
	var playlist []byte
	if len(f.Update) > 0 {
		u, err := tuber.OpenUpdate(l.s.site, f.Update)
		if err != nil {
			return &liarError{fmt.Sprintf("an update that the site did not sign: %v", err), nil}
		}
		content = u.Update().Content
		if l.s.shares(content) && u.Update().Expires >= l.s.now() {
			if playlist, err = l.follow(u, f.Edit); err != nil {
				return err
			}
			if playlist != nil && l.s.m.Chunks.AddUpdate(u, playlist) {
				update = u
			}
		}
	}
	fresh, err := l.onManifests(&content, f.Manifests)
	if err != nil {
		return err
	}
	if update == nil && len(fresh) == 0 {
		l.s.askPast(l, content)
		return nil
	}
	l.s.expect(content, fresh)
	l.s.pushUpdate(l, content, update, playlist, fresh)
	l.s.askPast(l, content)
	return l.s.retryParked(content, l)
}

// onManifests returns those that were not known; all are of one content.
func (l *link) onManifests(content *tuber.ContentID, raws [][]byte) ([]*tuber.SignedManifest, error) {
	var fresh []*tuber.SignedManifest
	for _, raw := range raws {
		m, err := tuber.OpenManifest(l.s.site, raw)
		if err != nil {
			return nil, &liarError{fmt.Sprintf("a manifest that the site did not sign: %v", err), nil}
		}
		c := m.Manifest().Content
		if *content == (tuber.ContentID{}) {
			*content = c
		}
		if c != *content {
			return nil, fmt.Errorf("%w: an update of two contents", wire.ErrFrame)
		}
		if !l.s.shares(c) || m.Manifest().Expires < l.s.now() {
			continue
		}
		l.mu.Lock()
		if flow := l.flowLocked(c); flow != nil {
			flow.known.add(m.Manifest().First)
		}
		l.mu.Unlock()
		if l.s.m.Chunks.AddManifest(m) {
			fresh = append(fresh, m)
		}
	}
	return fresh, nil
}

// follow finds the playlist that an update states: the edit's result on what
// came over this link before, or on what is held. A gap asks for the whole and
// returns nil; a whole playlist that does not match is a lie.
func (l *link) follow(u *tuber.SignedUpdate, e *tuber.Edit) ([]byte, error) {
	c := u.Update().Content
	held, heldPlaylist := l.s.m.Chunks.Update(c)
	l.s.setK(c, int(u.Update().K))
	p, gap := l.rebuild(u, e, heldPlaylist)
	switch {
	case p != nil || !gap:
		return p, nil
	case e != nil && e.From == e.To:
		return nil, &liarError{"a playlist that is not the one the update states", nil}
	case held == nil || newer(u, held):
		l.askWhole(c)
	}
	return nil, nil
}

// rebuild applies an edit; gap says that it fits nothing that is here.
func (l *link) rebuild(u *tuber.SignedUpdate, e *tuber.Edit, held []byte) (playlist []byte, gap bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	flow := l.flowLocked(u.Update().Content)
	if flow == nil {
		return nil, false
	}
	for _, base := range [][]byte{flow.inPlaylist, held} {
		p := base
		if e != nil {
			var err error
			if p, err = e.Apply(base); err != nil {
				continue
			}
		}
		if u.Update().Matches(p) {
			if newer(u, flow.in) {
				flow.in, flow.inPlaylist = u, p
			}
			return p, false
		}
	}
	return nil, true
}

// askWhole asks for the newest playlist and the manifests that are missing, but
// no chunks: those come by assignment and repair.
func (l *link) askWhole(c tuber.ContentID) {
	from, now := l.s.nextNumber(c), time.Now()
	l.mu.Lock()
	flow := l.flowLocked(c)
	due := flow != nil && now.Sub(flow.wholeAsked) >= wholeEvery
	if due {
		flow.wholeAsked = now
	}
	l.mu.Unlock()
	if due {
		l.send(wire.Past{Content: c, From: from})
	}
}
