package host

import (
	"crypto/ed25519"
	"crypto/rand"
	"net/netip"
	"slices"
	"testing"
)

func TestNeedsName(t *testing.T) {
	for _, c := range []struct {
		public string
		outer  bool
		want   bool
	}{
		{"tv.example.org", false, true},
		{"tv.example.org:8443", false, true},
		{"tv.example.org", true, false}, // the tunnel's address is not this line's
		{"11.0.0.9", false, false},
		{"[2a00::9]:8443", false, false},
		{"localhost", false, false},
	} {
		h := &Host{cfg: Config{PublicHost: c.public, OuterHTTPS: c.outer}}
		if got := h.needsName(); got != c.want {
			t.Errorf("%q, outer %v: got %v, want %v", c.public, c.outer, got, c.want)
		}
	}
}

func TestWorldly(t *testing.T) {
	var in []netip.Addr
	for _, s := range []string{"127.0.0.1", "192.168.0.3", "::ffff:11.0.0.9", "2a00::9", "fe80::1", "11.0.0.10", "11.0.0.11", "11.0.0.12"} {
		in = append(in, netip.MustParseAddr(s))
	}
	want := []netip.Addr{netip.MustParseAddr("11.0.0.9"), netip.MustParseAddr("2a00::9"), netip.MustParseAddr("11.0.0.10"), netip.MustParseAddr("11.0.0.11")}
	if got := worldly(in); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Peers ask the STUN ports at the host by whose name they came; on one machine
// there is nothing to ask.
func TestSTUNPortsAreTold(t *testing.T) {
	for public, want := range map[string]int{"11.0.0.9": 2, "tv.example.org": 2, "127.0.0.1": 0, "localhost": 0} {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		h := &Host{cfg: Config{PublicHost: public}, site: key}
		l := &listener{sent: &h.sent}
		for range 2 {
			conn, err := l.udp("--stun-listen", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			h.sockets.stun = append(h.sockets.stun, conn)
		}
		ports := h.stunPorts()
		if len(ports) != want || !slices.Equal(ports, h.webConfig().STUN) {
			t.Errorf("%s: got %v, pages %v, want %d of the same", public, ports, h.webConfig().STUN, want)
		}
		for _, p := range ports {
			if p[0] != ':' {
				t.Errorf("%s: got %q, want no host in it", public, p)
			}
		}
	}
}
