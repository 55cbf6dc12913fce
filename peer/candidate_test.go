package peer

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// Written from the IANA special-purpose address registries (RFC 6890) and
// design section 7, before the function that it judges.
var spellings = []struct {
	addr    string
	public  bool
	private bool // usable where private addresses are allowed
}{
	{"8.8.8.8", true, true},
	{"1.1.1.1", true, true},
	{"172.15.255.255", true, true},
	{"172.32.0.1", true, true},
	{"100.63.255.255", true, true},
	{"100.128.0.1", true, true},
	{"198.17.255.255", true, true},
	{"223.255.255.255", true, true},
	{"2606:4700:4700::1111", true, true},
	{"2a00:1450:4001::200e", true, true},
	{"10.0.0.1", false, true},
	{"172.16.0.1", false, true},
	{"172.31.255.255", false, true},
	{"192.168.1.1", false, true},
	{"127.0.0.1", false, true},
	{"127.255.255.254", false, true},
	{"169.254.1.1", false, true},
	{"169.254.169.254", false, true},
	{"::1", false, true},
	{"fc00::1", false, true},
	{"fd12:3456:789a::1", false, true},
	{"fe80::1", false, true},
	{"100.64.0.1", false, false},
	{"100.127.255.255", false, false},
	{"0.0.0.0", false, false},
	{"0.1.2.3", false, false},
	{"192.0.0.8", false, false},
	{"192.0.2.1", false, false},
	{"192.88.99.1", false, false},
	{"198.18.0.1", false, false},
	{"198.51.100.7", false, false},
	{"203.0.113.9", false, false},
	{"224.0.0.1", false, false},
	{"239.255.255.250", false, false},
	{"240.0.0.1", false, false},
	{"255.255.255.255", false, false},
	{"::", false, false},
	{"::127.0.0.1", false, false},
	{"::ffff:127.0.0.1", false, false},
	{"::ffff:10.0.0.1", false, false},
	{"::ffff:8.8.8.8", false, false},
	{"::FFFF:0a00:0001", false, false},
	{"0:0:0:0:0:ffff:c0a8:0101", false, false},
	{"64:ff9b::10.0.0.1", false, false},
	{"64:ff9b::808:808", false, false},
	{"64:ff9b:1::1", false, false},
	{"100::1", false, false},
	{"2001::1", false, false},
	{"2001:db8::1", false, false},
	{"2002:a00:1::", false, false},
	{"2002:7f00:1::1", false, false},
	{"fec0::1", false, false},
	{"ff02::1", false, false},
	{"ff05::1:3", false, false},
	{"fe80::1%eth0", false, false},
	{"2606:4700::1%1", false, false},
}

func TestCandidateFilter(t *testing.T) {
	for _, tt := range spellings {
		a, err := netip.ParseAddr(tt.addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := usable(a, false); got != tt.public {
			t.Errorf("%s: got usable %v, want %v", tt.addr, got, tt.public)
		}
		if got := usable(a, true); got != tt.private {
			t.Errorf("%s, private allowed: got usable %v, want %v", tt.addr, got, tt.private)
		}
	}
}

func TestParseCandidate(t *testing.T) {
	const good = "candidate:1 1 udp 2130706431 8.8.8.8 4000 typ host"
	tests := []struct{ line, want string }{
		{good, "8.8.8.8:4000"},
		{good + " generation 0 ufrag abcd network-id 1", "8.8.8.8:4000"},
		{"candidate:1 1 UDP 1 2606:4700::1111 1 typ srflx raddr 0.0.0.0 rport 0", "[2606:4700::1111]:1"},
		{candidateFor(3, netip.MustParseAddrPort("8.8.4.4:9")), "8.8.4.4:9"},
		{"", ""},
		{"candidate:", ""},
		{"a=" + good, ""},
		{"candidate:1 1 tcp 1 8.8.8.8 9 typ host tcptype active", ""},
		{"candidate:1 1 udp 1 8.8.8.8 4000 typ relay raddr 1.1.1.1 rport 1", ""},
		{"candidate:1 1 udp 1 8.8.8.8 0 typ host", ""},
		{"candidate:1 1 udp 1 8.8.8.8 65536 typ host", ""},
		{"candidate:1 1 udp 1 8.8.8.8 -1 typ host", ""},
		{"candidate:1 1 udp 1 router.example 4000 typ host", ""},
		{"candidate:1 1 udp 1 6ba7b810-9dad.local 4000 typ host", ""},
		{"candidate:1 1 udp 1 0x7f000001 4000 typ host", ""},
		{"candidate:1 1 udp 1 2130706433 4000 typ host", ""},
		{"candidate:1 1 udp 1 010.0.0.1 4000 typ host", ""},
		{"candidate:1 1 udp 1 127.1 4000 typ host", ""},
		{good + strings.Repeat(" x", maxCandidate), ""},
	}
	for _, tt := range tests {
		got := ""
		if a, err := parseCandidate(tt.line); err == nil {
			got = a.String()
		}
		if got != tt.want {
			t.Errorf("%.80q: got %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestSplitSDP(t *testing.T) {
	const a, b = "candidate:1 1 udp 1 8.8.8.8 1 typ host", "candidate:2 1 udp 1 10.0.0.1 1 typ host"
	sdp := fmt.Sprintf("v=0\r\na=%s\r\nm=application 9\r\na=%s\r\na=end-of-candidates\r\na=mid:0\r\n", a, b)
	rest, got := splitSDP(sdp)
	if want := "v=0\r\nm=application 9\r\na=mid:0\r\n"; rest != want {
		t.Errorf("got rest %q, want %q", rest, want)
	}
	if want := []string{a, b}; !slices.Equal(got, want) {
		t.Errorf("got candidates %q, want %q", got, want)
	}
}
