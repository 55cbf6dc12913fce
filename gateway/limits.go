package gateway

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// What the STUN server gives away, in replies. All replies together are about
// half a megabit a second at the interface.
const (
	sourceRate  = 10   // a second to one source
	sourceBurst = 20   // at once, to a source that was silent
	totalRate   = 1000 // a second to all
	totalBurst  = 1000
	buckets     = 4096 // of 16 bytes: all the memory there is
)

// bucket is a token bucket. Its zero value is full.
type bucket struct {
	filled time.Duration // since the table's start; 0: never used
	tokens float32
}

func (b *bucket) take(now time.Duration, rate, burst float32) bool {
	if b.filled == 0 {
		b.tokens = burst
	} else {
		b.tokens = min(burst, b.tokens+rate*float32((now-b.filled).Seconds()))
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// limits caps replies by source in fixed memory. Sources share a bucket when
// their hashes collide, under a seed that nobody outside knows; the port is no
// part of a source, and of an IPv6 address only the /64 is, since its owner
// has all of it.
type limits struct {
	seed  maphash.Seed
	start time.Time

	mu      sync.Mutex // guards the fields below
	total   bucket
	sources [buckets]bucket
}

func newLimits() *limits {
	// The start lies back so that no moment of use is 0.
	return &limits{seed: maphash.MakeSeed(), start: time.Now().Add(-time.Second)}
}

func (l *limits) allow(from netip.Addr, now time.Time) bool {
	key := from.As16()
	n := len(key)
	if !from.Is4() {
		n = 8
	}
	i := maphash.Bytes(l.seed, key[:n]) % buckets
	since := now.Sub(l.start)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sources[i].take(since, sourceRate, sourceBurst) && l.total.take(since, totalRate, totalBurst)
}
