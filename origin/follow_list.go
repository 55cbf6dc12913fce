package origin

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const (
	margin      = 3               // target durations that a segment is kept after it was unlisted
	startAt     = 3               // target durations from the live edge at which following begins: where players begin (RFC 8216 section 6.3.3)
	initialLife = 24 * time.Hour  // of an EXT-X-MAP, which new viewers need for as long as the stream lasts
	maxQueue    = 1024            // pieces of work that wait
	maxAttempts = 3               // times that a listed segment is queued
	retryAfter  = 2 * time.Second // at most, before a segment is fetched again
)

// entry is one listed item and the piece that is cut of it.
type entry struct {
	item
	piece    atomic.Pointer[piece] // replaced when its bytes change under way
	attempts int                   // times queued
	hopeless atomic.Bool           // another try would not help
	parts    []*entry              // of a segment that is listed with its parts
	promised atomic.Bool           // a preload hint names it, it is not listed yet
}

// work is one thing for the cutting goroutine: an entry to cut, or a playlist
// to publish once everything before it was cut.
type work struct {
	entry  *entry
	window time.Duration // for how long the entry may be shared

	list *fetched
	last *entry // of list; nil if there is none to wait for
}

// listing is what the last copy of the playlist listed. The polling goroutine owns it.
type listing struct {
	entries map[itemKey]*entry
	first   uint64 // media sequence
	latest  bool   // false until the first copy was taken
}

// take learns a fresh copy: it queues what is newly listed, and then the
// playlist itself. It tells whether the copy differs from the one before.
func (s *stream) take(l *listing, own *fetched) bool {
	m := own.list.Media
	s.mu.Lock()
	old, host := s.newest, s.host
	s.newest, s.current = own, own.at
	s.movedLocked()
	s.mu.Unlock()
	moved := old == nil || !sameEnd(old.list.Media, m) || m.Ended
	changed := old == nil || !bytes.Equal(old.list.Raw, own.list.Raw)
	list, reason := items(m, s.url, host)
	if reason != "" {
		s.doubt(reason)
		return moved
	}
	jobs := s.compare(l, m, list.all(), own.at)
	if changed { // it is shown once what it lists is cut, and before what is made of that
		at := slices.IndexFunc(jobs, func(w work) bool { return w.entry.parts != nil || w.entry.promised.Load() })
		if at < 0 {
			at = len(jobs)
		}
		jobs = slices.Insert(jobs, at, work{list: own, last: l.last(list.now)})
	}
	s.enqueue(l, jobs)
	return moved
}

// window is how long a segment that is listed now is shared and kept.
func window(m *hls.Media) time.Duration { return m.Duration() + margin*m.Target }

// compare moves the listing on and returns what is to be cut. An item that was
// not in the copy before is new, even under a URL that was listed earlier: the
// bytes may be others, and peers may have let the old ones go. A sequence that
// runs backwards means that the encoder began anew.
func (s *stream) compare(l *listing, m *hls.Media, list []item, now time.Time) (jobs []work) {
	before := l.entries
	if l.latest && m.Sequence < l.first {
		before = nil
	}
	from := uint64(0)
	if !l.latest {
		from = edge(m)
	}
	l.entries, l.first, l.latest = make(map[itemKey]*entry, len(list)), m.Sequence, true
	for _, it := range list {
		e := before[it.key()]
		if e == nil {
			e = &entry{item: it}
			e.hopeless.Store(it.gap || it.sequence < from)
			e.promised.Store(it.hint)
			for _, key := range it.parts {
				e.parts = append(e.parts, l.entries[key])
			}
		}
		if !it.hint && e.promised.Swap(false) {
			e.attempts = 0 // what may have been refused before is there now
		}
		l.entries[it.key()] = e
		if s.due(e, m, now) {
			w := window(m)
			if it.initial {
				w = initialLife
			}
			jobs = append(jobs, work{entry: e, window: w})
		}
	}
	return jobs
}

// due tells whether an entry is to be cut, now or once more, and opens its piece.
func (s *stream) due(e *entry, m *hls.Media, now time.Time) bool {
	p := e.piece.Load()
	switch {
	case e.hopeless.Load(), e.promised.Load() && s.hintless.Load():
		return false
	case p == nil:
	case s.f.memory.view(p).state == pieceFailed:
		if e.attempts >= maxAttempts {
			return false
		}
	default:
		s.f.memory.keep(p, now.Add(window(m)))
		return false
	}
	e.attempts++
	e.piece.Store(s.f.memory.add(s.content, e.url, e.want, now.Add(window(m))))
	return true
}

// edge is the first sequence number within startAt target durations of the end.
func edge(m *hls.Media) uint64 {
	var sum time.Duration
	for i := len(m.Segments) - 1; i >= 0; i-- {
		if sum += m.Segments[i].Duration; sum >= startAt*m.Target {
			return m.Segments[i].Sequence
		}
	}
	return 0
}

// last is the entry of the last segment listed.
func (l *listing) last(list []item) *entry {
	if len(list) == 0 {
		return nil
	}
	return l.entries[list[len(list)-1].key()]
}

// enqueue adds work and takes out what is not listed any more: an upstream that
// is slower than its own playlist is not chased.
func (s *stream) enqueue(l *listing, jobs []work) {
	s.mu.Lock()
	kept := s.queue[:0]
	var dropped []*entry
	for _, w := range s.queue {
		if w.entry == nil || l.entries[w.entry.key()] == w.entry {
			kept = append(kept, w)
			continue
		}
		dropped = append(dropped, w.entry)
	}
	for _, w := range jobs {
		if len(kept) < maxQueue {
			kept = append(kept, w)
		} else if w.entry != nil {
			dropped = append(dropped, w.entry)
		}
	}
	s.queue = kept
	if c := s.cutting; c.entry != nil && c.hinted && l.entries[c.entry.key()] != c.entry {
		c.cancel() // the part that was promised comes under another name
	}
	s.mu.Unlock()
	for _, e := range dropped {
		s.f.memory.finish(e.piece.Load(), pieceFailed)
	}
	signal(s.more)
}

// next takes work from the queue; a playlist right before a newer one is skipped.
func (s *stream) next() (work, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 {
		w := s.queue[0]
		s.queue = s.queue[1:]
		if w.list == nil || len(s.queue) == 0 || s.queue[0].list == nil {
			return w, true
		}
	}
	return work{}, false
}

// partitionsFor is K: the most partitions with which one chunk of each takes at
// most 0.7 s, the time that a tree of partitions may add (design section 5).
func partitionsFor(rate tuber.BitsPerSecond) int {
	k := 1
	for k < tuber.MaxPartitions && float64(2*k*tuber.ChunkSize) <= 0.7*rate.BytesPerSecond() {
		k *= 2
	}
	return k
}
