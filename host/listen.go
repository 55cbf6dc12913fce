package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/tubercdn/tuber"
)

// portTries is how far PortFallback looks for a free port.
const portTries = 64

// listener opens the sockets of a host and counts what they send.
type listener struct {
	fallback bool // move to the next free port
	moved    func(flag, wanted, got string)
	sent     *atomic.Uint64 // bytes, below TLS
}

// tcp listens at addr; flag is what a person changes if the port is taken.
func (l *listener) tcp(flag, addr string) (net.Listener, error) {
	var got net.Listener
	err := l.each(flag, addr, func(a string) (net.Addr, error) {
		ln, err := net.Listen("tcp", a)
		if err != nil {
			return nil, err
		}
		got = ln
		return ln.Addr(), nil
	})
	if err != nil {
		return nil, err
	}
	return countedListener{got, l.sent}, nil
}

// udp listens at addr for datagrams.
func (l *listener) udp(flag, addr string) (*net.UDPConn, error) {
	var got *net.UDPConn
	err := l.each(flag, addr, func(a string) (net.Addr, error) {
		ua, err := net.ResolveUDPAddr("udp", a)
		if err != nil {
			return nil, err
		}
		c, err := net.ListenUDP("udp", ua)
		if err != nil {
			return nil, err
		}
		got = c
		return c.LocalAddr(), nil
	})
	return got, err
}

func (l *listener) each(flag, addr string, open func(string) (net.Addr, error)) error {
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen at %q: %w; %s wants ADDRESS:PORT, such as :8080", addr, err, flag)
	}
	first, err := strconv.Atoi(port)
	if err != nil || first < 0 || first > 65535 {
		return fmt.Errorf("listen at %q: port %q is not a number from 0 to 65535; change %s", addr, port, flag)
	}
	tries := 1
	if l.fallback && first != 0 {
		tries = portTries
	}
	for i := range tries {
		got, err := open(net.JoinHostPort(name, strconv.Itoa(min(first+i, 65535))))
		if err == nil {
			if i > 0 && l.moved != nil {
				l.moved(flag, addr, got.String())
			}
			return nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("listen at %s: %w; change %s", addr, err, flag)
		}
	}
	return fmt.Errorf("listen at %s: the port is taken by another program; stop it or choose another with %s", addr, flag)
}

// countedListener counts what its connections send, TLS records, headers and all.
type countedListener struct {
	net.Listener
	sent *atomic.Uint64
}

func (l countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countedConn{c, l.sent}, nil
}

type countedConn struct {
	net.Conn
	sent *atomic.Uint64
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(uint64(tuber.StreamOnLine(n)))
	return n, err
}

// CloseWrite keeps half-closing possible: upgraded connections need it.
func (c countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// countedPackets counts the datagrams that links send. The methods of the
// socket itself, buffers and raw access, stay in reach.
type countedPackets struct {
	*net.UDPConn
	sent *atomic.Uint64
}

func (c *countedPackets) WriteTo(p []byte, to net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(p, to)
	c.sent.Add(uint64(tuber.DatagramOnLine(to, n)))
	return n, err
}

// outward guesses the address under which others reach this machine: that of
// the interface a packet to the internet would leave by. Nothing is sent. Where
// links may not lead to that address, only this machine is left.
func outward() string {
	for _, to := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} { // RFC 5737, RFC 3849
		c, err := net.Dial("udp", to)
		if err != nil {
			continue
		}
		ip, _ := netip.AddrFromSlice(c.LocalAddr().(*net.UDPAddr).IP)
		c.Close()
		if ip = ip.Unmap(); linkable(ip) {
			return ip.String()
		}
	}
	return "127.0.0.1"
}

// linkable tells whether peers will open links to an address once the invite
// names it: public, or private in the sense of RFC 1918 and RFC 4193.
func linkable(ip netip.Addr) bool {
	for _, p := range []string{
		"192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", // RFC 6890
		"100.64.0.0/10", // behind the provider's NAT, RFC 6598
		"2001:db8::/32", "2002::/16", "2001::/23",
	} {
		if netip.MustParsePrefix(p).Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast()
}
