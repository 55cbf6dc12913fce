package booster

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/peer"
)

// speed is a rate, smoothed a little so that a status line can be read.
type speed tuber.BitsPerSecond

func (s *speed) take(bytes uint64, over time.Duration) {
	now := float64(bytes) * 8 / over.Seconds()
	weight := min(1, over.Seconds()/2)
	*s = speed(weight*now + (1-weight)*float64(*s))
}

// meter follows a number that only grows.
type meter struct {
	last uint64
	speed
}

// take is what was added since the last call. A number that begins anew, with
// another session of its swarm, counts whole.
func (m *meter) take(total uint64, over time.Duration) uint64 {
	if total < m.last {
		m.last = 0
	}
	n := total - m.last
	m.last = total
	if over > 0 {
		m.speed.take(n, over)
	}
	return n
}

// meters are those of one swarm.
type meters struct {
	up, down meter
	sent     uint64 // since the start
	received uint64
}

// count adds what was sent and received since the last count; it returns how
// much was sent.
func (b *Booster) count(now time.Time, over time.Duration) uint64 {
	stats := b.stats()
	total := b.uplink.Total()
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := b.up.take(total, over)
	b.record.Sums.count(sent, sent, now)
	var received uint64
	for site := range b.swarms {
		received += b.countSwarmLocked(site, stats[site], now, over)
	}
	b.received += received
	b.down.take(b.received, over)
	return sent
}

func (b *Booster) countSwarmLocked(site tuber.PublicKey, s peer.SwarmStats, now time.Time, over time.Duration) (received uint64) {
	m := &b.swarms[site].meters
	up, down := m.up.take(s.Sent, over), m.down.take(s.Received, over)
	m.sent += up
	m.received += down
	if up > 0 {
		b.record.swarm(site).Sums.count(up, up, now)
	}
	return down
}

// newDownload is a limiter of bytes. Its burst has room for the largest read.
func newDownload(r tuber.BitsPerSecond) *rate.Limiter {
	l := rate.NewLimiter(rate.Inf, tuber.MaxFrame)
	setDownload(l, r)
	return l
}

func setDownload(l *rate.Limiter, r tuber.BitsPerSecond) {
	limit, burst := rate.Inf, 64*tuber.MaxFrame
	if r != tuber.Unlimited {
		limit = rate.Limit(r.BytesPerSecond())
		burst = max(tuber.MaxFrame, int(math.Min(r.BytesPerSecond()/20, 64*tuber.MaxFrame)))
	}
	if l.Limit() != limit {
		l.SetLimit(limit)
		l.SetBurst(burst)
	}
}
