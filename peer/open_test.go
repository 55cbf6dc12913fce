package peer

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// pair are two peers that may link; b offers.
func pair(t testing.TB) (ns *nodes, a, b *node) {
	ns = newNodes(t)
	a, b = ns.add("ann", tuber.RoleBooster), ns.add("ben", tuber.RoleBooster)
	return ns, a, b
}

func introduce(ns *nodes, a, b *node) {
	ns.plan(a, tuber.PeerPlan{Introductions: []tuber.Introduction{b.intro(false)}})
	ns.plan(b, tuber.PeerPlan{Introductions: []tuber.Introduction{a.intro(true)}})
}

// An open that hangs is thrown away after its deadline and made again.
func TestOpenDeadline(t *testing.T) {
	t.Parallel()
	ns, a, b := pair(t)
	attempts := map[uint32]bool{}
	ns.mute = func(_ tuber.PeerID, s wire.Signal) bool {
		if s.Kind == wire.SignalOffer {
			attempts[s.Attempt] = true
		}
		return s.Kind == wire.SignalAnswer && len(attempts) == 1 // the first answer is lost
	}
	begun := time.Now()
	introduce(ns, a, b)
	linked(t, ns, b, a)
	took := time.Since(begun)
	if took < openDeadline || took > openDeadline+3*time.Second {
		t.Errorf("linked after %v, want soon after %v", took, openDeadline)
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if len(attempts) != 2 {
		t.Errorf("got %d attempts, want 2", len(attempts))
	}
}

// An offer that comes before the plan that introduces its sender is answered
// when the plan is there.
func TestEarlyOffer(t *testing.T) {
	t.Parallel()
	ns, a, b := pair(t)
	offered := make(chan struct{}, 64)
	ns.mute = func(_ tuber.PeerID, s wire.Signal) bool {
		offered <- struct{}{}
		return false
	}
	ns.plan(b, tuber.PeerPlan{Introductions: []tuber.Introduction{a.intro(true)}})
	<-offered
	ns.plan(a, tuber.PeerPlan{Introductions: []tuber.Introduction{b.intro(false)}})
	linked(t, ns, a, b)
	ns.mu.Lock()
	ns.mute = nil
	ns.mu.Unlock()
}

// Whoever is not introduced gets no PeerConnection.
func TestStrangersAreNotAnswered(t *testing.T) {
	t.Parallel()
	ns, a, b := pair(t)
	ns.plan(b, tuber.PeerPlan{Introductions: []tuber.Introduction{a.intro(true)}})
	ns.until("offers were made", func() bool { return ns.signals >= 2 })
	s, err := a.swarm(ns.Site())
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.openings) != 0 || len(s.links) != 0 {
		t.Error("an offer of a stranger was taken")
	}
}

func TestOffersAreLimited(t *testing.T) {
	t.Parallel()
	ns, a, b := pair(t)
	s, err := a.swarm(ns.Site())
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for range 100 {
		if s.mayOffer(b.ID()) {
			got++
		}
	}
	if got != offerBurst {
		t.Errorf("got %d offers at once, want %d", got, offerBurst)
	}
}

func TestHellos(t *testing.T) {
	t.Parallel()
	key, other := newKey(t), newKey(t)
	site := tuber.PublicKeyOf(newKey(t))
	own, theirs := tuber.Fingerprint{1}, tuber.Fingerprint{2}
	in := tuber.Introduction{Peer: tuber.PublicKeyOf(key).PeerID(), Key: tuber.PublicKeyOf(key)}
	statement := wire.HelloStatement(site, theirs, own)
	good := wire.Hello{Version: wire.Version, Site: site, Key: in.Key, Signature: tuber.Sign(key, tuber.KindHello, statement)}
	change := func(f func(*wire.Hello)) wire.Hello {
		h := good
		f(&h)
		return h
	}
	tests := []struct {
		name string
		h    wire.Hello
		want wire.ByeCode
	}{
		{"good", good, 0},
		{"newer version", change(func(h *wire.Hello) { h.Version = wire.Version + 1 }), 0},
		{"version 0", change(func(h *wire.Hello) { h.Version = 0 }), wire.ByeVersion},
		{"another swarm", change(func(h *wire.Hello) { h.Site[0] ^= 1 }), wire.ByeProof},
		{"another key", change(func(h *wire.Hello) {
			h.Key = tuber.PublicKeyOf(other)
			h.Signature = tuber.Sign(other, tuber.KindHello, statement)
		}), wire.ByeProof},
		{"signature of another key", change(func(h *wire.Hello) {
			h.Signature = tuber.Sign(other, tuber.KindHello, statement)
		}), wire.ByeProof},
		{"fingerprints the other way round", change(func(h *wire.Hello) {
			h.Signature = tuber.Sign(key, tuber.KindHello, wire.HelloStatement(site, own, theirs))
		}), wire.ByeProof},
		{"another session's fingerprint", change(func(h *wire.Hello) {
			h.Signature = tuber.Sign(key, tuber.KindHello, wire.HelloStatement(site, tuber.Fingerprint{3}, own))
		}), wire.ByeProof},
		{"signed as something else", change(func(h *wire.Hello) {
			h.Signature = tuber.Sign(key, tuber.KindJoin, statement)
		}), wire.ByeProof},
	}
	for _, tt := range tests {
		var got wire.ByeCode
		if err := checkHello(tt.h, in, site, statement); err != nil {
			got = err.(*byeError).code
		}
		if got != tt.want {
			t.Errorf("%s: got bye %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A peer of an older version is told so, and neither side tries again soon.
func TestVersionMismatch(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	old := ns.bare("old", tuber.RoleBooster)
	old.speaks = 0
	ns.join(old)
	b := ns.add("ben", tuber.RoleBooster)
	introduce(ns, b, old)
	s, err := old.swarm(ns.Site())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old peer has given up", func() bool {
		return s.shunnedFor(b.ID()) > time.Minute && s.link(b.ID()) == nil
	})
	if got := b.Stats()[ns.Site()].Links; len(got) != 0 {
		t.Errorf("the newer peer took a link: %v", got)
	}
}

// A peer whose certificate is not the one that its offer names is not heard:
// DTLS fails, and so does the open.
func TestWrongFingerprint(t *testing.T) {
	t.Parallel()
	ns, a, b := pair(t)
	var mangled atomic.Int32
	mangle := func(s *wire.Signal) {
		i := strings.Index(s.Data, "a=fingerprint:sha-256 ")
		if s.Kind != wire.SignalOffer || i < 0 {
			return
		}
		i += len("a=fingerprint:sha-256 ")
		with := "00"
		if s.Data[i:i+2] == with {
			with = "01"
		}
		s.Data = s.Data[:i] + with + s.Data[i+2:]
		mangled.Add(1)
	}
	ns.mu.Lock()
	ns.mangle = mangle
	ns.mu.Unlock()
	introduce(ns, a, b)
	eventually(t, "two offers were made", func() bool { return mangled.Load() >= 2 })
	s, err := a.swarm(ns.Site())
	if err != nil {
		t.Fatal(err)
	}
	if s.link(b.ID()) != nil {
		t.Error("a link over an unproved certificate")
	}
}

// A wrong introduction: the key that the planner names is another's.
func TestWrongKeyIntroduced(t *testing.T) {
	t.Parallel()
	ns, a, b := pair(t)
	thief := newKey(t)
	wrong := tuber.Introduction{Peer: a.ID(), Key: tuber.PublicKeyOf(thief), Role: tuber.RoleBooster, Offer: true}
	ns.plan(a, tuber.PeerPlan{Introductions: []tuber.Introduction{b.intro(false)}})
	ns.plan(b, tuber.PeerPlan{Introductions: []tuber.Introduction{wrong}})
	s, err := b.swarm(ns.Site())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the plan was read", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.plan != nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.intros) != 0 {
		t.Error("an introduction was taken whose key is not its peer's")
	}
}

// Of private candidates nothing is told or taken, unless the owner allows it.
func TestPrivateCandidatesStayPrivate(t *testing.T) {
	t.Parallel()
	outside := netip.MustParseAddrPort("8.8.8.8:4444")
	ns := newNodes(t)
	private := func(c *Config) {
		c.AllowPrivate = false
		c.Addresses = func() []netip.AddrPort { return []netip.AddrPort{outside} }
	}
	a, b := ns.add("ann", tuber.RoleBooster, private), ns.add("ben", tuber.RoleBooster)
	var mu = make(chan []string, 1)
	mu <- nil
	ns.mute = func(from tuber.PeerID, s wire.Signal) bool {
		if from == a.ID() && s.Kind == wire.SignalCandidate {
			mu <- append(<-mu, s.Data)
		}
		return from == a.ID() && s.Kind == wire.SignalCandidate // and nobody sends to it
	}
	introduce(ns, a, b)
	var got []string
	eventually(t, "ann told a candidate", func() bool {
		got = <-mu
		mu <- got
		return len(got) > 0
	})
	for _, line := range got {
		if addr, err := parseCandidate(line); err != nil || addr != outside {
			t.Errorf("ann told %q, want only %v", line, outside)
		}
	}
}

// A neighbour that leaves says so, and nobody calls that a failure.
func TestNeighbourLeaves(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	a := ns.add("ann", tuber.RoleBooster)
	ctx, cancel := context.WithCancel(ns.ctx)
	b := ns.bare("ben", tuber.RoleBooster)
	ended := make(chan error, 1)
	ns.wg.Go(func() { ended <- b.Join(ctx, Membership{Site: ns.Site(), Chunks: b.chunks, Dial: ns.dial}) })
	ns.until("ben has joined", func() bool { return ns.conns[b.ID()] != nil })
	introduce(ns, a, b)
	l := linked(t, ns, a, b)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("leaving: %v", err)
	}
	<-l.ctx.Done()
	eventually(t, "ann's link is gone", func() bool { return l.s.link(b.ID()) == nil })
	for _, x := range l.s.report(time.Now()).Links {
		if x.Peer == b.ID() && x.Failed {
			t.Error("ann reports a failure")
		}
	}
}

func TestClosedPeerTakesNoJoin(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Config{Key: newKey(t), Role: tuber.RoleBooster, Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.Join(context.Background(), Membership{Chunks: newMemory()}); err != ErrClosed {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a peer without a key was made")
	}
}
