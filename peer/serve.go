package peer

import (
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	pastBurst = 8               // pasts that a neighbour may ask for at once, then one a second
	sentAgain = 2 * time.Second // what was sent before that may be asked for again
)

// onAsk queues what is held and names the rest.
func (l *link) onAsk(f wire.Ask) {
	missing := wire.Missing{Content: f.Content}
	now, full := time.Now(), l.s.full.Load()
	lost := l.firstCopies(f.Content)
	for _, n := range f.Numbers {
		l.mu.Lock()
		full := full || l.q.asks >= maxAsks
		coming := l.inFlightLocked(chunkKey{f.Content, n}, now)
		l.mu.Unlock()
		if coming {
			continue
		}
		if !full && l.s.shares(f.Content) {
			if c, ok := l.s.m.Chunks.Get(f.Content, n); ok && l.enqueue(&item{
				chunk: c, class: lost.class(n), priority: askPriority,
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

// lostWithin is how long a first copy may be found to be lost, in times of what may be
// under way.
const lostWithin = 4

// firstCopies are the chunks of a content that the origin itself is to send a neighbour,
// and sent a moment ago.
type firstCopies struct {
	k          int
	partitions tuber.Partitions // none where this side is not the origin
	from       tuber.ChunkNumber
}

// class is what an answer is on the uplink. What the origin's own child has lost is a
// first copy still: nobody else has it, and the whole tree waits for it.
func (f *firstCopies) class(n tuber.ChunkNumber) tuber.Class {
	if f.partitions != 0 && n >= f.from && f.partitions.Has(n.Partition(f.k)) {
		return tuber.ClassRoot
	}
	return tuber.ClassRepair
}

func (l *link) firstCopies(c tuber.ContentID) (f firstCopies) {
	s := l.s
	if s.class() != tuber.ClassRoot {
		return f
	}
	if next, window := s.nextNumber(c), lostWithin*s.underWay(c); next > window {
		f.from = next - window
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.k = s.ks[c]; f.k == 0 || s.plan == nil {
		return f
	}
	for _, a := range s.plan.Assignments {
		if a.To == l.id() && a.Content == c {
			f.partitions |= a.Partitions
		}
	}
	return f
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
