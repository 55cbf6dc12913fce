package gateway

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/pion/stun"
)

func request(t testing.TB, setters ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, setters...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func server(t testing.TB, conns ...net.PacketConn) *STUN {
	t.Helper()
	if conns == nil {
		conns = []net.PacketConn{nil}
	}
	s, err := NewSTUN(STUNConfig{Conns: conns})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSTUNAnswersBinding(t *testing.T) {
	s := server(t)
	for _, tc := range []struct {
		from string
		size int
	}{
		{"198.51.100.7:4567", 32},
		{"[2001:db8::7]:4567", 44},
	} {
		from := netip.MustParseAddrPort(tc.from)
		ask := request(t)
		var reply stun.Message
		if !s.answer(ask, from, &reply) {
			t.Fatalf("%s: got no reply", tc.from)
		}
		if len(reply.Raw) != tc.size {
			t.Errorf("%s: got %d bytes, want %d", tc.from, len(reply.Raw), tc.size)
		}
		got := stun.Message{Raw: reply.Raw}
		if err := got.Decode(); err != nil {
			t.Fatalf("%s: decode reply: %v", tc.from, err)
		}
		var mapped stun.XORMappedAddress
		if err := mapped.GetFrom(&got); err != nil {
			t.Fatalf("%s: %v", tc.from, err)
		}
		if got.Type != stun.BindingSuccess || len(got.Attributes) != 1 || mapped.String() != tc.from {
			t.Errorf("got %v with %d attributes and %v, want a success with only %s", got.Type, len(got.Attributes), mapped, tc.from)
		}
		if string(got.TransactionID[:]) != string(ask[8:20]) {
			t.Errorf("%s: got another transaction", tc.from)
		}
	}
}

// The oracle is RFC 8489 sections 5, 6.3 and 14, and design section 7: of STUN
// only Binding is answered.
func TestSTUNIgnores(t *testing.T) {
	set := func(at int, v byte) []byte {
		b := request(t, stun.NewSoftware("x"))
		b[at] = v
		return b
	}
	method := func(m stun.Method, c stun.MessageClass) []byte {
		return stun.MustBuild(stun.TransactionID, stun.NewType(m, c)).Raw
	}
	attribute := func(typ stun.AttrType, v ...byte) []byte {
		return stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.RawAttribute{Type: typ, Value: v}).Raw
	}
	crc := request(t, stun.Fingerprint)
	crc[len(crc)-1]++
	table := []struct {
		name     string
		datagram []byte
	}{
		{"empty", nil},
		{"19 bytes", request(t)[:19]},
		{"wrong cookie", set(4, 0)},
		{"top bits set", set(0, 0x80)},
		{"length too large", set(3, 200)},
		{"length too small", set(3, 4)},
		{"length not a multiple of 4", append(request(t), 0)},
		{"bytes after the message", append(request(t), 0, 0, 0, 0)},
		{"zero-length attribute at the end, cut", request(t, stun.NewSoftware(""))[:22]},
		{"attribute longer than the message", append(append([]byte(nil), request(t)...), 0x80, 0x22, 0, 8)},
		{"indication", method(stun.MethodBinding, stun.ClassIndication)},
		{"success", method(stun.MethodBinding, stun.ClassSuccessResponse)},
		{"error", method(stun.MethodBinding, stun.ClassErrorResponse)},
		{"allocate", method(stun.MethodAllocate, stun.ClassRequest)},
		{"refresh", method(stun.MethodRefresh, stun.ClassRequest)},
		{"send", method(stun.MethodSend, stun.ClassIndication)},
		{"create permission", method(stun.MethodCreatePermission, stun.ClassRequest)},
		{"channel bind", method(stun.MethodChannelBind, stun.ClassRequest)},
		{"connect", method(stun.MethodConnect, stun.ClassRequest)},
		{"change request", attribute(0x0003, 0, 0, 0, 6)},
		{"unknown attribute that must be understood", attribute(0x7abc, 1)},
		{"wrong fingerprint", crc},
		{"fingerprint not last", stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.Fingerprint, stun.NewSoftware("x")).Raw},
		{"a page of HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n..")},
	}
	for _, tc := range table {
		s := server(t)
		if s.answer(tc.datagram, netip.MustParseAddrPort("192.0.2.1:9"), new(stun.Message)) {
			t.Errorf("%s: got a reply, want none", tc.name)
		}
		if got := s.Status(); got.Ignored != 1 {
			t.Errorf("%s: got %d ignored, want 1", tc.name, got.Ignored)
		}
	}
}

func TestSTUNTakesICEAndOptionalAttributes(t *testing.T) {
	for name, ask := range map[string][]byte{
		"fingerprint":  request(t, stun.Fingerprint),
		"software":     request(t, stun.NewSoftware("a client")),
		"credentials":  request(t, stun.NewUsername("a:b"), stun.NewShortTermIntegrity("pw"), stun.Fingerprint),
		"optional one": request(t, stun.RawAttribute{Type: 0xc0de, Value: []byte{1, 2, 3}}),
	} {
		if !server(t).answer(ask, netip.MustParseAddrPort("192.0.2.1:9"), new(stun.Message)) {
			t.Errorf("%s: got no reply", name)
		}
	}
}

func TestSTUNSourceCap(t *testing.T) {
	l := newLimits()
	now := l.start.Add(time.Minute)
	count := func(addr string, n int) (got int) {
		for range n {
			if l.allow(netip.MustParseAddr(addr), now) {
				got++
			}
		}
		return got
	}
	if got := count("192.0.2.1", 500); got != sourceBurst {
		t.Errorf("at once: got %d, want %d", got, sourceBurst)
	}
	if got := count("192.0.2.2", 1); got != 1 {
		t.Errorf("another source: got %d, want 1", got)
	}
	now = now.Add(time.Second)
	if got := count("192.0.2.1", 500); got != sourceRate {
		t.Errorf("a second later: got %d, want %d", got, sourceRate)
	}
	now = now.Add(time.Hour)
	if got := count("2001:db8:1:2::1", 300) + count("2001:db8:1:2:ffff::9", 300); got != sourceBurst {
		t.Errorf("one IPv6 network: got %d, want %d", got, sourceBurst)
	}
	now = now.Add(time.Hour)
	total := 0
	for i := range 50_000 {
		total += count(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), 1)
	}
	if total != totalBurst {
		t.Errorf("all sources together: got %d, want %d", total, totalBurst)
	}
}

// memoryConn delivers datagrams from memory and counts what is sent.
type memoryConn struct {
	next func(i int) ([]byte, *net.UDPAddr)
	n, i int
	end  context.CancelFunc
	net.PacketConn

	replies, largest int
	ratio            float64
	bySource         map[string]int
	last             int
}

func (c *memoryConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if c.i == c.n {
		c.end()
		return 0, nil, net.ErrClosed
	}
	d, from := c.next(c.i)
	c.i++
	c.last = len(d)
	return copy(b, d), from, nil
}

func (c *memoryConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.replies++
	c.largest = max(c.largest, len(b))
	c.ratio = max(c.ratio, float64(len(b))/float64(c.last))
	c.bySource[to.(*net.UDPAddr).IP.String()]++
	return len(b), nil
}

func (c *memoryConn) SetReadDeadline(time.Time) error { return nil }

// A flood of good and of damaged requests (reliability goal O1): nothing grows,
// no source gets more than its due, no reply is worth reflecting.
func TestSTUNFlood(t *testing.T) {
	const each = 100_000
	for _, family := range []struct {
		name     string
		source   func(i int) net.IP
		largest  int
		maxRatio float64
	}{
		{"IPv4", func(i int) net.IP { return net.IPv4(10, 0, 0, byte(i%8)) }, 32, 1.6},
		{"IPv6", func(i int) net.IP { return net.ParseIP(fmt.Sprintf("2001:db8:%x::1", i%8)) }, 44, 2.2},
	} {
		t.Run(family.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			rng := rand.New(rand.NewPCG(1, 2))
			good := request(t)
			conn := &memoryConn{n: 2 * each, end: cancel, bySource: map[string]int{}}
			conn.next = func(i int) ([]byte, *net.UDPAddr) {
				from := &net.UDPAddr{IP: family.source(i / 2), Port: 1024 + i%50_000}
				if i%2 == 0 {
					return good, from
				}
				return damaged(rng, good), from
			}
			s := server(t, conn)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			if err := s.Run(ctx); err != nil {
				t.Fatalf("run: %v", err)
			}
			took := time.Since(start)
			runtime.GC()
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
				t.Errorf("got %d bytes more of heap, want at most 1 MiB", grown)
			}
			if conn.largest > family.largest || conn.ratio > family.maxRatio {
				t.Errorf("got replies of %d bytes and a ratio of %.2f, want at most %d and %.1f", conn.largest, conn.ratio, family.largest, family.maxRatio)
			}
			due := sourceBurst + int(took.Seconds()*sourceRate) + 1
			for from, n := range conn.bySource {
				if n > due {
					t.Errorf("source %s: got %d replies in %v, want at most %d", from, n, took, due)
				}
			}
			got := s.Status()
			if got.Replies == 0 || got.Replies+got.Limited < each || got.Ignored < each*9/10 {
				t.Errorf("got %+v, want %d good ones counted and nearly as many ignored", got, each)
			}
			if took > 30*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// damaged is a request with its header, length or body spoilt, or mere noise.
func damaged(rng *rand.Rand, good []byte) []byte {
	b := append([]byte(nil), good...)
	switch rng.IntN(4) {
	case 0:
		b = b[:rng.IntN(len(b))]
	case 1:
		binary.BigEndian.PutUint16(b[2:], uint16(1+rng.IntN(65535)))
	case 2:
		b[4+rng.IntN(4)] ^= byte(1 + rng.IntN(255))
	default:
		b = make([]byte, rng.IntN(1500))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		if len(b) >= stunHeader { // noise behind a header that looks right
			copy(b, good[:8])
			binary.BigEndian.PutUint16(b[2:], uint16(4+rng.IntN(len(b))))
		}
	}
	return b
}

func TestSTUNOverLoopback(t *testing.T) {
	var conns []net.PacketConn
	for range 2 {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	s := server(t, conns...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	client, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, c := range conns {
		if _, err := client.WriteTo(request(t), c.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		if err := client.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		n, _, err := client.ReadFrom(buf)
		if err != nil {
			t.Fatalf("read reply: %v", err)
		}
		m := stun.Message{Raw: buf[:n]}
		var mapped stun.XORMappedAddress
		if err := m.Decode(); err != nil {
			t.Fatal(err)
		}
		if err := mapped.GetFrom(&m); err != nil || mapped.String() != client.LocalAddr().String() {
			t.Errorf("got %v, %v, want %v", mapped, err, client.LocalAddr())
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: got %v, want nil", err)
	}
}

func TestSTUNSocketLost(t *testing.T) {
	conn := &memoryConn{end: func() {}}
	if err := server(t, conn).Run(t.Context()); err == nil {
		t.Error("got nil, want an error")
	}
}

func FuzzSTUN(f *testing.F) {
	good := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewSoftware("x"), stun.Fingerprint).Raw
	f.Add(good)
	f.Add(good[:20])
	f.Add(append(append([]byte(nil), good[:20]...), 0, 0x20, 0, 0))
	s := server(f)
	from := netip.MustParseAddrPort("192.0.2.1:9")
	f.Fuzz(func(t *testing.T, b []byte) {
		var reply stun.Message
		if s.answer(b, from, &reply) && len(reply.Raw) > 32 {
			t.Errorf("got %d bytes, want at most 32", len(reply.Raw))
		}
	})
}
