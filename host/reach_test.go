package host

import (
	"net"
	"net/netip"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/gateway"
)

// TestOwnerSeesTheMapping: what the router said is what the owner is shown.
func TestOwnerSeesTheMapping(t *testing.T) {
	outer := netip.MustParseAddrPort("203.0.113.9:40001")
	const behind = "the router that mapped the port stands behind another one; forward the UDP port there too, or ask the provider for a public address"
	for name, tc := range map[string]struct {
		mapPort bool
		mapping *gateway.Mapping
		want    tuber.ReachStatus
	}{
		"off":            {false, nil, tuber.ReachStatus{Mapping: "off"}},
		"not yet asked":  {true, nil, tuber.ReachStatus{}},
		"being asked":    {true, &gateway.Mapping{Phase: gateway.MappingSearching}, tuber.ReachStatus{}},
		"open":           {true, &gateway.Mapping{Phase: gateway.MappingOpen, Public: true, External: outer, By: "UPnP"}, tuber.ReachStatus{Reach: tuber.ReachDialable, Mapping: "UPnP"}},
		"behind another": {true, &gateway.Mapping{Phase: gateway.MappingOpen, External: outer, By: "NAT-PMP"}, tuber.ReachStatus{Trouble: behind}},
		"failed":         {true, &gateway.Mapping{Phase: gateway.MappingFailed, Error: "no router"}, tuber.ReachStatus{Trouble: "no router"}},
		"ended":          {true, &gateway.Mapping{}, tuber.ReachStatus{}},
	} {
		cfg := testConfig(t)
		cfg.MapPort = tc.mapPort
		h, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		h.mapped.Store(tc.mapping)
		tc.want.Port = h.udpPort()
		if st, err := h.State(); err != nil || st.Mapping != tc.want || st.Mapping.Port == 0 {
			t.Errorf("%s: got %+v, %v, want %+v", name, st.Mapping, err, tc.want)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDeclaredAddressOfThisMachine(t *testing.T) {
	own := []net.Addr{
		&net.IPNet{IP: net.IPv4(203, 0, 113, 9), Mask: net.CIDRMask(24, 32)},
		&net.IPNet{IP: net.ParseIP("2001:db8::9"), Mask: net.CIDRMask(64, 128)},
		&net.UnixAddr{},
	}
	for addr, want := range map[string]bool{"203.0.113.9": true, "2001:db8::9": true, "203.0.113.8": false} {
		if got := anyOf([]netip.Addr{netip.MustParseAddr(addr)}, own); got != want {
			t.Errorf("%s: got %v", addr, got)
		}
	}
	if anyOf(nil, own) {
		t.Error("nothing declared is this machine's own")
	}
}
