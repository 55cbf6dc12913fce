package swarmtest

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
)

// A line shapes what leaves by a peer's own socket. The side that makes an
// offer uses another one, which is not shaped: between viewers that is one
// direction of a link.

// line is what lies between a home and the world.
type line struct {
	delay time.Duration // one way
	rate  tuber.BitsPerSecond
	loss  float64       // share of the packets
	queue time.Duration // that packets may wait for the rate; then they are dropped
}

// home is a line like many.
var home = line{delay: 15 * time.Millisecond, rate: 10e6, loss: 0.002, queue: 200 * time.Millisecond}

const (
	waiting  = 4096 // packets under way on one line
	ipAndUDP = 28   // bytes of headers on every packet (RFC 791, RFC 768)
)

// shaped is a socket behind a line. Cut makes it a black hole both ways, as if
// the machine hung.
type shaped struct {
	net.PacketConn
	line line
	cut  atomic.Bool
	done chan struct{}
	end  sync.Once
	wg   sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	rng   *rand.Rand
	last  time.Time // when the line has sent what it was given
	under chan packet
}

type packet struct {
	at time.Time
	b  []byte
	to net.Addr
}

// shape puts conn behind a line; Close ends both.
func shape(conn net.PacketConn, l line, seed uint64) *shaped {
	s := &shaped{
		PacketConn: conn, line: l, done: make(chan struct{}),
		rng: rand.New(rand.NewPCG(seed, 1)), under: make(chan packet, waiting),
	}
	s.wg.Go(s.deliver)
	return s
}

func (s *shaped) deliver() {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case p := <-s.under:
			t.Reset(time.Until(p.at))
			select {
			case <-s.done:
				return
			case <-t.C:
			}
			if !s.cut.Load() {
				_, _ = s.PacketConn.WriteTo(p.b, p.to) // a network loses packets without a word
			}
		}
	}
}

// WriteTo takes a copy of b; like a network it never says that a packet was lost.
func (s *shaped) WriteTo(b []byte, to net.Addr) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.cut.Load() || s.rng.Float64() < s.line.loss || s.last.Sub(now) > s.line.queue {
		return len(b), nil
	}
	if s.last.Before(now) {
		s.last = now
	}
	s.last = s.last.Add(time.Duration(float64(8*(len(b)+ipAndUDP)) / float64(s.line.rate) * float64(time.Second)))
	select {
	case s.under <- packet{s.last.Add(s.line.delay), append([]byte(nil), b...), to}:
	default:
	}
	return len(b), nil
}

// ReadFrom hears nothing while the line is cut.
func (s *shaped) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := s.PacketConn.ReadFrom(b)
		if err != nil || !s.cut.Load() {
			return n, from, err
		}
	}
}

// Close ends the line and the socket.
func (s *shaped) Close() error {
	s.end.Do(func() { close(s.done) })
	err := s.PacketConn.Close()
	s.wg.Wait()
	return err
}
