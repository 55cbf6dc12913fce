package peer

import (
	"context"
	"errors"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	// SCTP may hold this much of a link's rate, within the bounds (design
	// section 5): enough for the round trip, little enough that the queue still
	// decides what goes next.
	sctpHold = 200 * time.Millisecond // and the round trip: an acknowledgement may wait for so long itself
	longest  = 500 * time.Millisecond // round trip that is allowed for
	burst    = 1.5                    // of the rate: segments come at once, and what has fallen behind must catch up
	minHold  = 32 << 10
	maxHold  = 256 << 10

	ctlBudget = 256 << 10 // bytes of ctl that SCTP may hold

	smallFrame = 2 << 10                // a ctl frame up to this is never held up for long:
	smallWait  = 200 * time.Millisecond // a paused peer still answers pings and says goodbye
)

// writeCtl sends ctl frames in order.
func (l *link) writeCtl() {
	for {
		b := l.nextCtl()
		if b == nil {
			return
		}
		if err := l.meterCtl(len(b)); err != nil {
			return
		}
		for _, part := range wire.Split(b) {
			if !l.put(false, part) {
				return
			}
		}
		l.mu.Lock()
		l.ctlOut++
		l.mu.Unlock()
		wake(l.dataUp)
	}
}

// nextCtl waits for a frame and for room; nil once the link has ended.
func (l *link) nextCtl() []byte {
	for {
		l.mu.Lock()
		if len(l.ctl) > 0 && l.lane.buffered(false) <= ctlBudget {
			b := l.ctl[0]
			l.ctl[0] = nil
			l.ctl, l.ctlLen = l.ctl[1:], l.ctlLen-len(b)
			l.mu.Unlock()
			return b
		}
		l.mu.Unlock()
		select {
		case <-l.ctlUp:
		case <-l.ctx.Done():
			return nil
		}
	}
}

func (l *link) meterCtl(n int) error {
	ctx := l.ctx
	if n <= smallFrame {
		short, cancel := context.WithTimeout(ctx, smallWait)
		defer cancel()
		ctx = short
	}
	_ = l.uplink().Wait(ctx, tuber.ClassControl, n) // a small frame goes all the same
	return l.ctx.Err()
}

// uplink meters what is sent to this neighbour.
func (l *link) uplink() *tuber.Uplink {
	if l.s.m.Uplink == nil {
		return l.s.peer.cfg.Uplink
	}
	return l.s.m.Uplink(l.current().home.Load())
}

// put writes to the lane of the moment; false once the link has ended.
func (l *link) put(data bool, b []byte) bool {
	for l.ctx.Err() == nil {
		ln := l.current()
		err := ln.write(data, b)
		if err == nil {
			return true
		}
		if !errors.Is(err, errSealed) {
			ln.fail(err)
			return false
		}
		l.await(ln)
	}
	return false
}

// await returns when another lane has taken the place of ln, or the link ended.
func (l *link) await(ln *lane) {
	for l.current() == ln && l.ctx.Err() == nil {
		select {
		case <-l.changed:
		case <-l.ctx.Done():
		}
	}
}

// writeData sends chunks, the most urgent first, as SCTP and the uplink have room.
func (l *link) writeData() {
	buf := make([]byte, 0, tuber.MaxFrame) // SCTP copies what it is given
	for l.ctx.Err() == nil {
		class, size, ok := l.ready()
		if !ok {
			select {
			case <-l.dataUp:
			case <-l.ctx.Done():
			}
			continue
		}
		if !l.granted(class, size) {
			continue
		}
		it := l.take()
		if it == nil {
			continue
		}
		// What became more urgent meanwhile may be longer than what was paid for.
		if more := len(it.chunk.Data()) + wire.ChunkOverhead - size; more > 0 {
			if l.uplink().Wait(l.ctx, it.class, more) != nil {
				return
			}
		}
		frame := wire.Chunk{Content: it.chunk.Content(), Number: it.chunk.Number(), Payload: it.chunk.Data()}
		if !l.put(true, frame.Append(buf)) {
			return
		}
	}
}

// granted waits until the uplink grants a chunk of a class; false if one of a more
// urgent class came meanwhile, or the link ended. A first copy does not wait in the
// place of a repair.
func (l *link) granted(class tuber.Class, size int) bool {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	l.mu.Lock()
	since := time.Now()
	it := l.q.first(since)
	overtaken := it != nil && it.class < class
	if it != nil {
		since = it.queued // it keeps its turn when a first copy goes before it
	}
	l.waits = &wait{class, cancel}
	l.mu.Unlock()
	if overtaken {
		return false
	}
	return l.uplink().WaitSince(ctx, class, since, size) == nil
}

// wait is what the writer of chunks waits for.
type wait struct {
	class tuber.Class
	end   context.CancelFunc
}

// ready tells what the next chunk will cost; false if there is none or no room.
func (l *link) ready() (tuber.Class, int, bool) {
	for {
		l.mu.Lock()
		if !l.roomLocked() {
			l.mu.Unlock()
			return 0, 0, false
		}
		now := time.Now()
		it := l.q.first(now)
		l.q.tick(now)
		if it != nil {
			named := it.after <= l.ctlOut // its manifest went before
			l.mu.Unlock()
			return it.class, len(it.chunk.Data()) + wire.ChunkOverhead, named
		}
		key, ok := l.q.step()
		skip := ok && l.sentLocked(key)
		l.mu.Unlock()
		if !ok {
			return 0, 0, false
		}
		if !skip {
			l.fromPast(key)
		}
	}
}

// fromPast reads a chunk of the recent past into the queue.
func (l *link) fromPast(key chunkKey) {
	chunk, ok := l.s.m.Chunks.Get(key.content, key.n)
	if !ok {
		return
	}
	now := time.Now()
	l.enqueue(&item{
		chunk: chunk, class: max(l.s.class(), tuber.ClassRepair), priority: pastPriority, deadline: now.Add(l.s.life(key.content)), queued: now,
	})
}

// roomLocked tells whether SCTP holds little enough. The callback for a low
// buffered amount fires at the same bound.
func (l *link) roomLocked() bool {
	trip := sctpHold + min(l.ping.long, longest)
	hold := min(max(int(burst*l.rate.BytesPerSecond()*trip.Seconds()), minHold), maxHold)
	bound := hold - tuber.MaxFrame
	l.lane.data.SetBufferedAmountLowThreshold(uint64(bound))
	return l.lane.buffered(true) <= bound
}

func (l *link) sentLocked(key chunkKey) bool {
	f := l.flows[key.content]
	return f != nil && f.sent.has(key.n)
}

// take is the most urgent chunk now, noted as sent.
func (l *link) take() *item {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	it := l.q.first(now)
	if it == nil || it.after > l.ctlOut {
		return nil
	}
	l.q.remove(it)
	l.q.tick(now)
	if f := l.flowLocked(it.chunk.Content()); f != nil {
		f.sent.add(it.chunk.Number())
	}
	l.count.sent += uint64(len(it.chunk.Data()))
	return it
}

// enqueue queues a chunk behind its manifest; false if it cannot be sent.
func (l *link) enqueue(it *item) bool {
	key := it.key()
	m := l.s.m.Chunks.Manifest(key.content, key.n)
	if m == nil {
		return false // nobody could verify it
	}
	l.sendManifests(key.content, []*tuber.SignedManifest{m})
	l.mu.Lock()
	it.after = l.ctlIn
	now := time.Now()
	ok := l.q.push(it, now)
	l.q.tick(now)
	if ok && l.waits != nil && it.class < l.waits.class {
		l.waits.end()
	}
	l.mu.Unlock()
	wake(l.dataUp)
	return ok
}

// sendManifests sends those that have not crossed this link yet.
func (l *link) sendManifests(c tuber.ContentID, ms []*tuber.SignedManifest) {
	l.sendUpdate(c, nil, nil, ms)
}

// sendUpdate sends an update, as an edit of the one sent before, and manifests:
// each at most once, and none that came from the neighbour.
func (l *link) sendUpdate(c tuber.ContentID, u *tuber.SignedUpdate, playlist []byte, ms []*tuber.SignedManifest) {
	l.mu.Lock()
	f := l.flowLocked(c)
	if f == nil {
		l.mu.Unlock()
		return
	}
	var frame wire.Update
	if u != nil && newer(u, f.out) && newer(u, f.in) {
		e := tuber.MakeEdit(f.outPlaylist, playlist)
		frame.Update, frame.Edit = u.Raw(), &e
		f.out, f.outPlaylist = u, playlist
	}
	for _, m := range ms {
		if f.known.add(m.Manifest().First) {
			frame.Manifests = append(frame.Manifests, m.Raw())
		}
	}
	l.mu.Unlock()
	l.sendInParts(frame)
}

// sendWhole sends the newest playlist whole and manifests again, whatever has
// crossed before: the neighbour has lost its place.
func (l *link) sendWhole(c tuber.ContentID, u *tuber.SignedUpdate, playlist []byte, ms []*tuber.SignedManifest) {
	var frame wire.Update
	l.mu.Lock()
	if f := l.flowLocked(c); f != nil {
		if u != nil {
			frame.Update, frame.Edit = u.Raw(), &tuber.Edit{Head: playlist}
			f.out, f.outPlaylist = u, playlist
		}
		for _, m := range ms {
			f.known.add(m.Manifest().First)
			frame.Manifests = append(frame.Manifests, m.Raw())
		}
	}
	l.mu.Unlock()
	l.sendInParts(frame)
}

// sendInParts keeps a frame within what one frame may count and measure.
func (l *link) sendInParts(f wire.Update) {
	const most, room = 200, 48 << 10
	for len(f.Update) > 0 || len(f.Manifests) > 0 {
		n, size := 0, 0
		for n < len(f.Manifests) && n < most && size < room {
			size += len(f.Manifests[n])
			n++
		}
		l.send(wire.Update{Update: f.Update, Edit: f.Edit, Manifests: f.Manifests[:n]})
		f = wire.Update{Manifests: f.Manifests[n:]}
	}
}

// newer tells whether u replaces old, which may be nil.
func newer(u, old *tuber.SignedUpdate) bool { return old == nil || u.Update().Newer(old.Update()) }
