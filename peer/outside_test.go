package peer

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/gateway"
)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestReachOf(t *testing.T) {
	t.Parallel()
	first, second, six := at("11.0.0.9:3478"), at("11.0.0.9:3479"), at("[2a00::9]:3478")
	own := at("11.0.0.1:8443")
	for name, c := range map[string]struct {
		round []sighting
		want  tuber.Reach
	}{
		"no answer":          {nil, tuber.ReachUnknown},
		"one answer":         {[]sighting{{first, at("11.0.0.7:1000")}}, tuber.ReachUnknown},
		"one server twice":   {[]sighting{{first, at("11.0.0.7:1000")}, {first, at("11.0.0.7:1000")}}, tuber.ReachUnknown},
		"the same from both": {[]sighting{{first, at("11.0.0.7:1000")}, {second, at("11.0.0.7:1000")}}, tuber.ReachPunchable},
		"another port":       {[]sighting{{first, at("11.0.0.7:1000")}, {second, at("11.0.0.7:1001")}}, tuber.ReachSymmetric},
		"another address":    {[]sighting{{first, at("11.0.0.7:1000")}, {second, at("11.0.0.8:1000")}}, tuber.ReachSymmetric},
		"two agree, a third does not": {[]sighting{
			{first, at("11.0.0.7:1000")}, {second, at("11.0.0.7:1000")}, {at("11.0.0.5:1"), at("11.0.0.7:7")}}, tuber.ReachSymmetric},
		"its own address": {[]sighting{{first, own}}, tuber.ReachDialable},
		"two families":    {[]sighting{{first, at("11.0.0.7:1000")}, {six, at("[2a00::7]:1000")}}, tuber.ReachUnknown},
	} {
		if got := reachOf(c.round, func(a netip.AddrPort) bool { return a == own }); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestLearnForgetsOnlyAfterSilence(t *testing.T) {
	t.Parallel()
	var p Peer
	seen := at("11.0.0.7:1000")
	first, second := sighting{at("11.0.0.9:3478"), seen}, sighting{at("11.0.0.9:3479"), seen}
	p.learn([]sighting{first, second})
	p.learn([]sighting{second}) // one answer was lost
	for range silentRounds - 1 {
		p.learn(nil)
	}
	if got := p.Reach(); got != tuber.ReachPunchable || len(p.outlook.seen) != 1 {
		t.Errorf("after lost answers: got %q and %d addresses, want punchable and 1", got, len(p.outlook.seen))
	}
	p.learn(nil)
	if got := p.Reach(); got != tuber.ReachUnknown || len(p.outlook.seen) != 0 {
		t.Errorf("after silence: got %q and %d addresses, want unknown and none", got, len(p.outlook.seen))
	}
	for range hopelessAfter {
		p.unopened()
	}
	if got := p.Reach(); got != tuber.ReachNone {
		t.Errorf("after silence and failed links: got %q, want none", got)
	}
	p.opened()
	if got := p.Reach(); got != tuber.ReachUnknown {
		t.Errorf("after a link: got %q, want unknown", got)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ at, host, want string }{
		{":3478", "11.0.0.9", "11.0.0.9:3478"},
		{"11.0.0.8:3479", "11.0.0.9", "11.0.0.8:3479"},
		{":3478", "2a00::9", "[2a00::9]:3478"},
		{":3478", "", ""},
		{":0", "11.0.0.9", ""},
		{"3478", "11.0.0.9", ""},
	} {
		got, err := resolve(t.Context(), c.at, c.host)
		if (err == nil) != (c.want != "") || err == nil && got != at(c.want) {
			t.Errorf("%q at %q: got %v (%v), want %q", c.at, c.host, got, err, c.want)
		}
	}
}

// What a welcome names is asked out of the peer's own port; that port is seen
// as it is, so the peer can be dialled, and the planner hears it.
func TestWelcomedPeerLearnsItsReach(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var conns []net.PacketConn
	for range 2 {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	server, err := gateway.NewSTUN(gateway.STUNConfig{Conns: conns})
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { _ = server.Run(ctx) })
	ns := newNodes(t)
	for _, c := range conns {
		ns.script.stun = append(ns.script.stun, c.LocalAddr().String())
	}
	b := ns.add("ben", tuber.RoleBooster)
	s, err := b.swarm(ns.Site())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "ben can be dialled", func() bool { return b.Reach() == tuber.ReachDialable })
	eventually(t, "the planner was told", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.told.Reach == tuber.ReachDialable
	})
	if got := server.Status().Replies; got < 2 {
		t.Errorf("%d answers, want one from each port", got)
	}
}
