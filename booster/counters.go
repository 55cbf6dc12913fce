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

// sent follows what leaves the line.
type sent struct {
	line, home meter
	total      uint64 // since the start, all of it
	speed
}

// meters are those of one swarm.
type meters struct {
	sent     sent
	down     meter
	received uint64                  // since the start
	links    map[tuber.PeerID]uint64 // bytes sent by each that is open
	helped   helped
}

// count adds what was sent and received since the last count; it returns how
// much was sent.
func (b *Booster) count(now time.Time, over time.Duration) uint64 {
	stats := b.stats()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.sent
	spent := s.line.take(b.uplink.Total()+b.uplink.Charged(), 0)
	sent := spent + s.home.take(b.home.Total(), 0)
	b.record.Sums.count(sent, spent, now)
	s.add(sent, over)
	for site, m := range b.swarms {
		b.countSwarmLocked(m, stats[site], now, over)
	}
	b.down.take(b.received, over)
	return sent
}

func (b *Booster) countSwarmLocked(m *membership, s peer.SwarmStats, now time.Time, over time.Duration) {
	x := &m.meters
	spent := x.sent.line.take(m.uplink.line.Total()+m.uplink.line.Charged(), 0)
	sent := spent + x.sent.home.take(m.uplink.home.Total(), 0)
	received := x.down.take(s.Received, over)
	x.sent.add(sent, over)
	x.received += received
	b.received += received
	b.countHelpedLocked(m, s.Links, now)
	if sent > 0 {
		b.record.swarm(m.site).Sums.count(sent, spent, now)
	}
}

// helped are the peers that were sent something on one day. Only their number
// is written down, so after a restart one may count again.
type helped struct {
	day   date
	peers map[tuber.PeerID]bool
}

const mostHelped = 1 << 16 // remembered; beyond, every one counts as known

// take tells whether the peer had not been helped that day.
func (h *helped) take(p tuber.PeerID, day date) bool {
	if h.peers == nil || h.day != day {
		h.day, h.peers = day, make(map[tuber.PeerID]bool)
	}
	if h.peers[p] || len(h.peers) >= mostHelped {
		return false
	}
	h.peers[p] = true
	return true
}

// countHelpedLocked counts those to whom links have sent something since the
// last look.
func (b *Booster) countHelpedLocked(m *membership, links []peer.LinkStats, now time.Time) {
	day, before := dateOf(now), m.meters.links
	m.meters.links = make(map[tuber.PeerID]uint64, len(links))
	for _, l := range links {
		m.meters.links[l.Peer] = l.Sent
		if l.Sent == before[l.Peer] {
			continue
		}
		if m.meters.helped.take(l.Peer, day) {
			sums := &b.record.swarm(m.site).Sums
			sums.Helped = sums.Helped.add(day, 1)
		}
		if b.helped.take(l.Peer, day) {
			b.record.Sums.Helped = b.record.Sums.Helped.add(day, 1)
		}
	}
}

func (s *sent) add(bytes uint64, over time.Duration) {
	s.total += bytes
	if over > 0 {
		s.speed.take(bytes, over)
	}
}

// confirmed is told what receivers confirm of this booster in one swarm.
func (m *membership) confirmed(rate tuber.BitsPerSecond) {
	b := m.b
	b.mu.Lock()
	defer b.mu.Unlock()
	m.confirms = rate
	var sum tuber.BitsPerSecond
	for _, m := range b.swarms {
		sum += max(0, min(m.confirms, fastest))
	}
	b.record.Proven = max(b.record.Proven, sum)
}

// fastest bounds what a planner may say that receivers confirm.
const fastest tuber.BitsPerSecond = 100e9

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
