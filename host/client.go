package host

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// clientAddr is who a request comes from. X-Forwarded-For counts only where the
// socket's other end is a proxy that the host named as trusted; then the last
// address in the list that is not itself trusted is the client.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	socket, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := socket.Addr().Unmap()
	if !within(addr, trusted) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what stands before it was said by nobody we trust
		}
		addr = hop.Unmap()
		if !within(addr, trusted) {
			break
		}
	}
	return addr
}

func within(a netip.Addr, in []netip.Prefix) bool {
	for _, p := range in {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Limits of control sockets. A household or a campus shares an address, so the
// limit per address is generous; it is there against one program that opens
// sockets without end.
const (
	maxControls             = 8192
	maxControlsOfOneAddress = 128
)

// crowd counts open control sockets by client address. Addresses that stand for
// many (loopback, where a tunnel's visitors come from, and proxies) are only
// counted in the whole.
type crowd struct {
	mu    sync.Mutex // guards the fields below
	all   int
	by    map[netip.Addr]int
	limit int // per address
	total int
}

func newCrowd(total, perAddress int) *crowd {
	return &crowd{by: make(map[netip.Addr]int), total: total, limit: perAddress}
}

// enter takes a place and returns how to leave it; nil if there is none.
func (c *crowd) enter(a netip.Addr, shared bool) func() {
	a = line(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all >= c.total || (!shared && c.by[a] >= c.limit) {
		return nil
	}
	c.all++
	c.by[a]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all--
		if c.by[a]--; c.by[a] == 0 {
			delete(c.by, a)
		}
	})
}

// line is what one household has: an IPv4 address or an IPv6 /64.
func line(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
