package origin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipeServer runs a server of NewServer on sockets of memory, for fake time.
type pipeServer struct {
	srv  *http.Server
	dial func() net.Conn
	done chan struct{}
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "192.0.2.1:1" }

func newPipeServer(h http.Handler, change ...func(*http.Server)) *pipeServer {
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	p := &pipeServer{srv: NewServer(h), done: make(chan struct{})}
	for _, c := range change {
		c(p.srv)
	}
	p.dial = func() net.Conn {
		a, b := net.Pipe()
		l.conns <- b
		return a
	}
	go func() { defer close(p.done); _ = p.srv.Serve(NewListener(l, nil)) }()
	return p
}

func (p *pipeServer) close() { p.srv.Close(); <-p.done }

// closedAfter drips text byte by byte, one per pause, while it reads, and
// returns when the server closed the socket.
func closedAfter(c net.Conn, head, drip string, pause time.Duration) (time.Duration, string) {
	start := time.Now()
	var got bytes.Buffer
	read := make(chan struct{})
	go func() { defer close(read); _, _ = io.Copy(&got, c) }()
	_, _ = io.WriteString(c, head)
	for i := range len(drip) {
		select {
		case <-read:
			return time.Since(start), got.String()
		case <-time.After(pause):
		}
		if _, err := io.WriteString(c, drip[i:i+1]); err != nil {
			break
		}
	}
	<-read
	return time.Since(start), got.String()
}

func TestSlowClientsAreClosed(t *testing.T) {
	reads := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.Header().Set("Connection", "close")
			var slow *slowBodyError
			fmt.Fprint(w, "slow: ", errors.As(err, &slow))
		}
	})
	for _, c := range []struct {
		name, head, drip string
		pause            time.Duration
		least, most      time.Duration
		says             string
	}{
		{"nothing sent", "", "", 0, 0, headerTimeout, ""},
		{"dripping header", "GET / HTTP/1.1\r\nHost: x\r\nX: ", strings.Repeat("x", 1000), time.Second, headerTimeout, headerTimeout + 2*time.Second, ""},
		{"idle after a request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", 0, idleTimeout, idleTimeout + time.Second, "200 OK"},
		{"body that stands still", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx", "", 0, bodyGrace, bodyGrace + 2*time.Second, "slow: true"},
		{"dripping body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", strings.Repeat("x", 1000), time.Second, bodyGrace, bodyGrace + 3*time.Second, "slow: true"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipeServer(reads)
			defer p.close()
			conn := p.dial()
			defer conn.Close()
			took, got := closedAfter(conn, c.head, c.drip, c.pause)
			if took < c.least || took > c.most || !strings.Contains(got, c.says) {
				t.Errorf("%s: closed after %v with %q, want %v to %v with %q", c.name, took, got, c.least, c.most, c.says)
			}
		})
	}
}

// TestSteadyBodiesLive: an hour of 4 KiB/s, and one of a stream downwards.
func TestSteadyBodiesLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hour = 3600
		p := newPipeServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
			for range hour / 60 {
				<-time.After(time.Minute)
				fmt.Fprint(w, ".")
				_ = http.NewResponseController(w).Flush()
			}
		}))
		defer p.close()
		c := p.dial()
		defer c.Close()
		go func() {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", hour*4096)
			for range hour {
				<-time.After(time.Second)
				_, _ = c.Write(make([]byte, 4096))
			}
		}()
		b, err := io.ReadAll(c)
		if err != nil || !strings.Contains(string(b), fmt.Sprint(hour*4096, nil)) || strings.Count(string(b), ".") < hour/60 {
			t.Errorf("got %q, %v", b, err)
		}
	})
}

// TestSiteReadsSlowly: waiting for the site is no fault of the client's.
func TestSiteReadsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipeServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			buf, n := make([]byte, 4096), 0
			for {
				<-time.After(10 * time.Minute)
				k, err := r.Body.Read(buf)
				if n += k; err != nil {
					fmt.Fprint(w, n, err)
					return
				}
			}
		}))
		defer p.close()
		c := p.dial()
		defer c.Close()
		go fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 40000\r\n\r\n%s", strings.Repeat("x", 40000))
		if b, err := io.ReadAll(c); err != nil || !strings.Contains(string(b), "40000 EOF") {
			t.Errorf("got %q, %v", b, err)
		}
	})
}

// TestSlowUploadThroughTheProxy ends also where a site waits for the body.
func TestSlowUploadThroughTheProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := New(Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				panic(http.ErrAbortHandler)
			}
		})})
		if err != nil {
			t.Fatal(err)
		}
		p := newPipeServer(o)
		defer p.close()
		c := p.dial()
		defer c.Close()
		took, _ := closedAfter(c, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx", "", 0)
		if took < bodyGrace || took > bodyGrace+2*time.Second {
			t.Errorf("closed after %v, want %v", took, bodyGrace)
		}
	})
}

// TestClientThatTakesNothing is closed, and one that takes little is not.
func TestClientThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := New(Config{Handler: http.NotFoundHandler()})
		if err != nil {
			t.Fatal(err)
		}
		p := newPipeServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m := o.metered(w, r, visitor{})
			_, _ = io.Copy(m, io.LimitReader(zeros{}, 1<<20))
		}))
		defer p.close()
		c := p.dial()
		defer c.Close()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		for range 10 { // 50 s each: slow, but alive
			<-time.After(writeStall - 10*time.Second)
			if _, err := io.ReadFull(c, make([]byte, 2*meterStep)); err != nil {
				t.Fatalf("a slow reader was closed: %v", err)
			}
		}
		<-time.After(2 * writeStall)
		if n, err := io.Copy(io.Discard, c); err == nil && n >= 1<<20-20*meterStep {
			t.Errorf("a client that takes nothing got %d more bytes", n)
		}
	})
}

func TestVisitorsAreCounted(t *testing.T) {
	v := newVisitors(2)
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2") // one line
	other := netip.MustParseAddr("2001:db8:0:1::1")
	for i, c := range []struct {
		addr netip.Addr
		want bool
	}{{a, true}, {b, true}, {a, false}, {other, true}, {netip.MustParseAddr("192.0.2.1"), true}} {
		if got := v.enter(c.addr); got != c.want {
			t.Errorf("step %d: enter(%v) = %v, want %v", i, c.addr, got, c.want)
		}
	}
	v.leave(b)
	if !v.enter(a) {
		t.Error("a place that was left is not free")
	}
}

// fakeListener hands out sockets whose peers have these addresses.
type fakeListener struct {
	peers []string
	net.Listener
}

type fakeConn struct {
	net.Conn
	peer   net.Addr
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr { return c.peer }
func (c *fakeConn) Close() error         { c.closed = true; return nil }

func (l *fakeListener) Accept() (net.Conn, error) {
	if len(l.peers) == 0 {
		return nil, net.ErrClosed
	}
	peer := l.peers[0]
	l.peers = l.peers[1:]
	return &fakeConn{peer: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(peer))}, nil
}

func TestSocketsPerAddress(t *testing.T) {
	accept := func(peer string, n int) []net.Conn {
		inner := &fakeListener{}
		for range n {
			inner.peers = append(inner.peers, peer)
		}
		l := NewListener(inner, []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")})
		var got []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				return got
			}
			got = append(got, c)
		}
	}
	for peer, want := range map[string]int{"192.0.2.1:5": maxPerAddress, "203.0.113.7:5": 3 * maxPerAddress, "127.0.0.1:5": 3 * maxPerAddress} {
		if got := len(accept(peer, 3*maxPerAddress)); got != want {
			t.Errorf("%s: got %d sockets, want %d", peer, got, want)
		}
	}
	// A closed socket, closed twice, frees one place.
	inner := &fakeListener{}
	l := NewListener(inner, nil)
	for range maxPerAddress {
		inner.peers = append(inner.peers, "192.0.2.1:5")
	}
	var first net.Conn
	for range maxPerAddress {
		first, _ = l.Accept()
	}
	first.Close()
	first.Close()
	inner.peers = []string{"192.0.2.1:5", "192.0.2.1:5"}
	if _, err := l.Accept(); err != nil {
		t.Errorf("after a close: %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("two sockets for one that closed")
	}
}
