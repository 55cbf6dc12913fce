package booster

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/beat"
	"github.com/tubercdn/tuber/peer"
)

// What left is charged while something leaves, and a rest later while nothing does.
const (
	chargeEvery = 50 * time.Millisecond
	chargeRest  = 950 * time.Millisecond
)

// line counts the bytes that leave this machine by links, headers included.
type line struct {
	far, home atomic.Uint64
	beat      *beat.Beat // of charge
}

func (l *line) sent(to net.Addr, bytes int) {
	udp, ok := to.(*net.UDPAddr)
	if !ok || bytes <= 0 {
		return
	}
	a, bytes := udp.AddrPort().Addr(), tuber.DatagramOnLine(to, bytes)
	if peer.IsHome(a) {
		l.home.Add(uint64(bytes))
	} else {
		l.far.Add(uint64(bytes))
	}
	l.beat.Wake()
}

// countedConn counts what is sent by it. The methods of the socket itself,
// buffers and raw access, stay in reach.
type countedConn struct {
	*net.UDPConn
	line *line
}

func (c *countedConn) WriteTo(p []byte, to net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(p, to)
	c.line.sent(to, n)
	return n, err
}

// charge tells the uplink, and the parts of the swarms, what has left the line,
// until ctx ends.
func (b *Booster) charge(ctx context.Context) {
	var far, home, rest uint64
	for left := uint64(0); b.line.beat.Wait(ctx, left > 0); {
		f, h := b.line.far.Load(), b.line.home.Load()
		left = f - far
		if !b.exempt.Load() {
			left += h - home
		}
		far, home = f, h
		if left > 0 {
			before := b.uplink.Charged()
			b.uplink.Charge(left)
			rest += b.uplink.Charged() - before
		}
		rest = b.chargeSwarms(rest)
	}
}

// chargeSwarms divides what nobody had asked for among the swarms, by what each
// has sent; it returns what could not be divided yet.
func (b *Booster) chargeSwarms(rest uint64) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var sum uint64
	sent := make(map[*swarmUplink]uint64, len(b.swarms))
	for _, m := range b.swarms {
		u := m.uplink
		total := u.line.Total()
		sent[u] = total - u.granted
		u.granted = total
		sum += sent[u]
	}
	if sum == 0 {
		return rest
	}
	for u, n := range sent {
		u.line.Charge(n + uint64(float64(rest)*float64(n)/float64(sum)))
	}
	return 0
}

// swarmUplink meters what is sent in one swarm.
type swarmUplink struct {
	line *tuber.Uplink // to the world
	home *tuber.Uplink // to the home network, where the owner leaves that out of the caps

	granted uint64 // of line, charged already; guarded by Booster.mu
}

func (b *Booster) newSwarmUplink() *swarmUplink {
	return &swarmUplink{line: b.uplink.Part(tuber.Unlimited), home: b.home.Part(tuber.Unlimited)}
}

// pick is the uplink of a neighbour.
func (m *membership) pick(home bool) *tuber.Uplink {
	if home && m.b.exempt.Load() {
		return m.uplink.home
	}
	return m.uplink.line
}

// ofCap is a swarm's part of a cap.
func ofCap(cap tuber.BitsPerSecond, percent int) tuber.BitsPerSecond {
	if cap == tuber.Unlimited || percent == 0 {
		return cap
	}
	return cap / 100 * tuber.BitsPerSecond(percent)
}

// openLine brings a verdict into force on the line, at once.
func (b *Booster) openLine(v verdict) {
	b.uplink.SetRate(tuber.OnLine(v.upload()))
	atHome := tuber.Unlimited
	switch v.reason {
	case tuber.ReasonNone, tuber.ReasonAllowance, tuber.ReasonSchedule:
	default:
		atHome = 0
	}
	b.home.SetRate(atHome)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.exempt.Store(b.record.LANExempt)
	for site, m := range b.swarms {
		line, home := tuber.Unlimited, tuber.Unlimited
		if percent := b.record.share(site); percent > 0 {
			line = tuber.OnLine(ofCap(v.upload(), percent))
		}
		if kept := b.record.Swarms[site]; kept != nil && kept.Paused {
			line, home = 0, 0
		}
		m.uplink.line.SetRate(line)
		m.uplink.home.SetRate(home)
	}
}
