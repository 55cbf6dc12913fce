package store

import (
	"sync"
	"time"

	"github.com/tubercdn/tuber"
)

// The ring's bounds unless told otherwise.
const (
	DefaultRingAge         = 60 * time.Second
	DefaultRingBytes int64 = 64 << 20
)

// Ring keeps the newest chunks in memory, in the order in which they came,
// bounded by age and by bytes of payload. It shares the chunks' bytes and never
// copies them.
type Ring struct {
	age   time.Duration
	limit int64
	now   func() time.Time

	mu     sync.RWMutex // guards the fields below
	chunks map[tuber.ContentID]map[tuber.ChunkNumber]ringChunk
	queue  []ringSlot // oldest first, from head on
	head   int
	bytes  int64
	serial uint64
}

// ringChunk carries the serial of its slot, so that a slot whose chunk was
// dropped, and perhaps put again, is told from the live one.
type ringChunk struct {
	v      tuber.VerifiedChunk
	serial uint64
}

type ringSlot struct {
	content tuber.ContentID
	n       tuber.ChunkNumber
	serial  uint64
	at      time.Time
}

// NewRing bounds a ring; zero bounds mean the defaults, a nil now the local clock.
func NewRing(age time.Duration, bytes int64, now func() time.Time) *Ring {
	if age <= 0 {
		age = DefaultRingAge
	}
	if bytes <= 0 {
		bytes = DefaultRingBytes
	}
	if now == nil {
		now = time.Now
	}
	return &Ring{age: age, limit: bytes, now: now, chunks: map[tuber.ContentID]map[tuber.ChunkNumber]ringChunk{}}
}

// Put keeps the chunk and forgets the oldest ones that are over the bounds.
// It returns false if the chunk is held already.
func (r *Ring) Put(v tuber.VerifiedChunk) bool {
	c, n := v.Content(), v.Number()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, held := r.chunks[c][n]; held {
		return false
	}
	if r.chunks[c] == nil {
		r.chunks[c] = map[tuber.ChunkNumber]ringChunk{}
	}
	now := r.now()
	r.serial++
	r.chunks[c][n] = ringChunk{v: v, serial: r.serial}
	r.queue = append(r.queue, ringSlot{content: c, n: n, serial: r.serial, at: now})
	r.bytes += int64(len(v.Data()))
	r.trimLocked(now)
	return true
}

// Get returns a held chunk.
func (r *Ring) Get(c tuber.ContentID, n tuber.ChunkNumber) (tuber.VerifiedChunk, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	held, ok := r.chunks[c][n]
	return held.v, ok
}

// Has tells whether the chunk is held.
func (r *Ring) Has(c tuber.ContentID, n tuber.ChunkNumber) bool {
	_, ok := r.Get(c, n)
	return ok
}

// Trim forgets what is older than the ring's age.
func (r *Ring) Trim() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trimLocked(r.now())
}

// Drop forgets a content.
func (r *Ring) Drop(c tuber.ContentID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, held := range r.chunks[c] {
		r.bytes -= int64(len(held.v.Data()))
	}
	delete(r.chunks, c) // its slots are skipped when their turn comes
}

// Bytes is the payload held.
func (r *Ring) Bytes() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.bytes
}

// Contents lists the contents of which anything is held.
func (r *Ring) Contents() []tuber.ContentID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]tuber.ContentID, 0, len(r.chunks))
	for c := range r.chunks {
		out = append(out, c)
	}
	return out
}

func (r *Ring) trimLocked(now time.Time) {
	for r.head < len(r.queue) {
		slot := r.queue[r.head]
		held, live := r.chunks[slot.content][slot.n]
		live = live && held.serial == slot.serial
		if live && r.bytes <= r.limit && now.Sub(slot.at) <= r.age {
			break
		}
		r.head++
		if !live {
			continue
		}
		r.bytes -= int64(len(held.v.Data()))
		delete(r.chunks[slot.content], slot.n)
		if len(r.chunks[slot.content]) == 0 {
			delete(r.chunks, slot.content)
		}
	}
	if r.head > len(r.queue)/2 {
		r.queue = append(r.queue[:0], r.queue[r.head:]...)
		r.head = 0
	}
}
