package peer

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const (
	maxRemoteCandidates = 12  // taken from one neighbour for one lane
	maxCandidate        = 512 // bytes of one candidate line
)

// forbidden are the ranges that no link may be led into, beside what netip
// itself calls private, loopback, link-local, multicast and unspecified
// (RFC 6890 and the registries it names). Forms that embed an IPv4 address
// count as a whole: a public host has a plain address too.
var forbidden = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),   // CGNAT, RFC 6598
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("::ffff:0:0/96"),   // IPv4-mapped
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64, RFC 6052
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64, RFC 8215
	netip.MustParsePrefix("100::/64"),        // discard
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("fec0::/10"),       // site-local, deprecated
}

// public tells whether anyone on the Internet could mean this address.
func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsLoopback() || a.IsPrivate() ||
		a.IsLinkLocalUnicast() || a.IsMulticast() {
		return false
	}
	for _, p := range forbidden {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// usable tells whether a link may send to this address. A LAN is allowed by its
// owner; nothing allows multicast, broadcast or an address in disguise.
func usable(a netip.Addr, allowPrivate bool) bool {
	if public(a) {
		return true
	}
	plain := a.IsValid() && a.Zone() == "" && !a.Is4In6()
	return allowPrivate && plain && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast())
}

// IsHome tells whether the address is in this machine's own network, or on it.
func IsHome(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// parseCandidate reads the address of a candidate line (RFC 8839, section 5.1).
// Only UDP candidates with an address are of use; names are not looked up.
func parseCandidate(line string) (netip.AddrPort, error) {
	if len(line) > maxCandidate {
		return netip.AddrPort{}, fmt.Errorf("candidate of %d bytes, at most %d", len(line), maxCandidate)
	}
	f := strings.Fields(line)
	if len(f) < 8 || !strings.HasPrefix(f[0], "candidate:") || f[6] != "typ" {
		return netip.AddrPort{}, fmt.Errorf("candidate is malformed")
	}
	if !strings.EqualFold(f[2], "udp") {
		return netip.AddrPort{}, fmt.Errorf("candidate over %.8q, want UDP", f[2])
	}
	if f[7] == "relay" {
		return netip.AddrPort{}, fmt.Errorf("candidate of a relay: no TURN here")
	}
	ip, err := netip.ParseAddr(f[4])
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("candidate without a plain address")
	}
	port, err := strconv.ParseUint(f[5], 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, fmt.Errorf("candidate without a port")
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// candidateFor puts an address that STUN or a router told into a candidate
// line. Its priority is that of a server-reflexive one (RFC 8445, section 5.1.2.1).
func candidateFor(i int, a netip.AddrPort) string {
	const priority = 100<<24 | 65535<<8 | 255
	return fmt.Sprintf("candidate:9%02d 1 udp %d %s %d typ srflx raddr 0.0.0.0 rport 0",
		i, priority-i<<8, a.Addr(), a.Port())
}

// splitSDP takes the candidates out of a description, so that each goes through
// the same filter as one that trickled in.
func splitSDP(sdp string) (rest string, candidates []string) {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		trimmed := strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(trimmed, "a=candidate:"):
			candidates = append(candidates, strings.TrimPrefix(trimmed, "a="))
		case trimmed == "a=end-of-candidates":
		default:
			b.WriteString(line)
		}
	}
	return b.String(), candidates
}
