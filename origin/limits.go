package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 30 * time.Second
	maxHeader     = 64 << 10 // bytes of a request's header

	maxPerAddress = 200 // sockets of one address; HTTP/1 browsers open six
	maxPerVisitor = 200 // requests at once of one visitor of a trusted proxy

	bodyGrace  = 15 * time.Second // a body may stand still for so long at its start,
	bodyCredit = 30 * time.Second // and for so long after it has earned it
	bodyRate   = 1 << 10          // bytes that earn a second: far below the slowest modem
)

// NewServer serves handler to strangers: a header must come within 5 s, an idle
// socket closes after 30 s, and a body must keep coming. There is no limit on
// the whole of a request: large uploads and endless streams live.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           guard{handler},
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       withSocket,
		ErrorLog:          log.New(io.Discard, "", 0), // its lines name peers' addresses
	}
}

// guard stands before every handler of a server.
type guard struct{ next http.Handler }

func (g guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == "PRI" { // the preface of HTTP/2 where nobody speaks it (RFC 9113 section 3.4)
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusBadRequest, "This address speaks HTTP/2 only over TLS.")
		return
	}
	if s, ok := r.Context().Value(socketKey{}).(*socket); ok && r.ProtoMajor == 1 {
		defer s.end()
		if err := ambiguous(r, s); err != nil {
			w.Header().Set("Connection", "close")
			refuse(w, http.StatusBadRequest, fmt.Sprintf("The request is ambiguous: %v.", err))
			return
		}
	}
	if r.Body == nil || r.Body == http.NoBody {
		g.next.ServeHTTP(w, r)
		return
	}
	body := newPacedBody(w, r.Body)
	defer body.stop()
	own := *r
	own.Body = body
	g.next.ServeHTTP(w, &own)
	if body.failed() && w.Header().Get("Connection") != "close" {
		panic(http.ErrAbortHandler) // nobody knows where the next request would begin
	}
}

// brokenBodyError is a body that does not keep to its own framing.
type brokenBodyError struct{ cause error }

func (e *brokenBodyError) Error() string { return "read request body: " + e.cause.Error() }
func (e *brokenBodyError) Unwrap() error { return e.cause }

// slowBodyError ends a request whose body came too slowly.
type slowBodyError struct{}

func (*slowBodyError) Error() string { return "the request body comes too slowly" }

// pacedBody ends a body that its sender starves. Only time spent waiting for
// the sender counts: a site that reads slowly is no fault of the client's.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	watch   *time.Timer
	left    time.Duration // that may still be waited

	mu     sync.Mutex // guards the fields below
	slow   bool
	broken bool
}

func newPacedBody(w http.ResponseWriter, body io.ReadCloser) *pacedBody {
	b := &pacedBody{ReadCloser: body, control: http.NewResponseController(w), left: bodyGrace}
	b.watch = time.AfterFunc(bodyGrace, b.cut)
	b.watch.Stop()
	return b
}

// cut wakes a Read that has waited too long.
func (b *pacedBody) cut() {
	b.mu.Lock()
	b.slow = true
	b.mu.Unlock()
	_ = b.control.SetReadDeadline(time.Unix(1, 0)) // fails only for fake writers
}

func (b *pacedBody) Read(p []byte) (int, error) {
	start := time.Now()
	b.watch.Reset(b.left)
	n, err := b.ReadCloser.Read(p)
	b.watch.Stop()
	earned := time.Duration(n) * time.Second / bodyRate
	b.left = min(b.left-time.Since(start)+earned, bodyCredit)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = max(b.left, time.Millisecond)
	switch {
	case err == nil || err == io.EOF || errors.Is(err, http.ErrBodyReadAfterClose):
		return n, err
	case b.slow:
		err = &slowBodyError{}
	default:
		err = &brokenBodyError{err}
	}
	b.broken = true
	return n, err
}

func (b *pacedBody) failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

func (b *pacedBody) stop() { b.watch.Stop() }

// visitors counts what each address holds. An IPv6 line is its /64.
type visitors struct {
	most int
	mu   sync.Mutex // guards the field below
	held map[netip.Addr]int
}

func newVisitors(most int) *visitors {
	return &visitors{most: most, held: map[netip.Addr]int{}}
}

func lineOf(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// enter is false if the address holds as much as it may.
func (v *visitors) enter(a netip.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	a = lineOf(a)
	if v.held[a] >= v.most {
		return false
	}
	v.held[a]++
	return true
}

func (v *visitors) leave(a netip.Addr) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a = lineOf(a)
	if v.held[a]--; v.held[a] <= 0 {
		delete(v.held, a)
	}
}

// NewListener bounds how many sockets one address may hold on inner. Trusted
// proxies and this machine, from which a tunnel's visitors all come, are not
// bounded here: ServeHTTP bounds the visitors that a trusted proxy names, one by one.
// It also lets the server of NewServer see a request as it was sent.
func NewListener(inner net.Listener, trusted []netip.Prefix) net.Listener {
	return &listener{Listener: inner, trusted: trusted, peers: newVisitors(maxPerAddress)}
}

type listener struct {
	net.Listener
	trusted []netip.Prefix
	peers   *visitors
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr, _ := parseAddr(conn.RemoteAddr().String())
		if addr.IsLoopback() || within(addr, l.trusted) {
			return &socket{Conn: conn, release: func() {}}, nil
		}
		if l.peers.enter(addr) {
			return &socket{Conn: conn, release: func() { l.peers.leave(addr) }}, nil
		}
		conn.Close()
	}
}

type socketKey struct{}

func withSocket(ctx context.Context, c net.Conn) context.Context {
	if s, ok := c.(*socket); ok {
		return context.WithValue(ctx, socketKey{}, s)
	}
	return ctx
}
