package control

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/tubercdn/tuber"
)

// DialOptions say where the planner is and how its host is known.
type DialOptions struct {
	// URL is wss://HOST/.tuber/control, or ws:// where HOST is this machine.
	URL string
	// Pin is the SHA-256 of the host's SubjectPublicKeyInfo, from the invite.
	// When it is not zero it is checked in place of a CA's word.
	Pin tuber.Digest
	// Client is used instead of http.DefaultClient, for its transport.
	Client *http.Client
}

// compression is of each message by itself: plans and reports are JSON with the
// same names and ids again and again, and what a home line sends counts. Nothing
// is kept between messages, so a connection costs no more memory. The bound of a
// message is that of its text.
const compression = websocket.CompressionNoContextTakeover

// dialTimeout bounds the TCP, TLS and WebSocket handshakes together.
const dialTimeout = 15 * time.Second

// Dial opens the control socket of a planner. It follows no redirect: a booster
// dials its pinned planner and nothing else.
func Dial(ctx context.Context, o DialOptions) (Conn, error) {
	if err := checkURL(o.URL); err != nil {
		return nil, err
	}
	client, done := o.client()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, o.URL, &websocket.DialOptions{HTTPClient: client, CompressionMode: compression})
	if err != nil {
		done()
		return nil, fmt.Errorf("dial planner: %w", err)
	}
	ws.SetReadLimit(tuber.MaxControl)
	return newSession(&socket{ws: ws, done: done}), nil
}

// Accept answers the upgrade of a peer's control socket; on an error the
// response is written. A page of another origin is refused.
func Accept(w http.ResponseWriter, r *http.Request) (Conn, error) {
	if !SameOrigin(r) {
		http.Error(w, "this socket is for pages of this site only", http.StatusForbidden)
		return nil, errors.New("accept control socket: request of another origin")
	}
	// SameOrigin was stricter than the library's own check.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: compression})
	if err != nil {
		return nil, fmt.Errorf("accept control socket: %w", err)
	}
	ws.SetReadLimit(tuber.MaxControl)
	return newSession(&socket{ws: ws, done: func() {}}), nil
}

// SameOrigin tells whether a browser sent the request for a page of the site
// itself (Fetch Metadata, else RFC 6454), or no browser sent it.
func SameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("dial planner: %w", err)
	}
	switch {
	case u.Host == "":
		return fmt.Errorf("dial planner: %.80q names no host", text)
	case u.Scheme == "wss":
		return nil
	case u.Scheme == "ws" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "ws":
		return fmt.Errorf("dial planner: ws:// is allowed to this machine only; use wss://%s", u.Host)
	}
	return fmt.Errorf("dial planner: scheme %q, want wss", u.Scheme)
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// client returns the HTTP client to dial with, and what frees its idle
// connections once the socket is closed.
func (o DialOptions) client() (*http.Client, func()) {
	c := http.Client{}
	if o.Client != nil {
		c = *o.Client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error {
		return errors.New("the planner answers with a redirect, which is never followed")
	}
	if o.Pin == (tuber.Digest{}) {
		return &c, func() {}
	}
	t, ok := c.Transport.(*http.Transport)
	if !ok {
		t = http.DefaultTransport.(*http.Transport)
	}
	t = t.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.MinVersion = tls.VersionTLS12
	t.TLSClientConfig.InsecureSkipVerify = true // the pin below says more than a CA could
	t.TLSClientConfig.VerifyConnection = o.checkPin
	c.Transport = t
	return &c, t.CloseIdleConnections
}

// checkPin runs on every handshake, resumed ones included, which
// VerifyPeerCertificate would not see.
func (o DialOptions) checkPin(s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the host showed no certificate")
	}
	sum := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
	if subtle.ConstantTimeCompare(sum[:], o.Pin[:]) != 1 {
		return errors.New("the host's TLS key is not the one in the invite: ask the host for a new invite")
	}
	return nil
}

// socket is the transport over one WebSocket.
type socket struct {
	ws   *websocket.Conn
	done func()
}

func (s *socket) read(ctx context.Context) ([]byte, error) {
	kind, b, err := s.ws.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		return nil, errors.New("a binary message came where control messages are text")
	}
	return b, err
}

func (s *socket) write(ctx context.Context, b []byte) error {
	return s.ws.Write(ctx, websocket.MessageText, b)
}

func (s *socket) ping(ctx context.Context) error { return s.ws.Ping(ctx) }

func (s *socket) close(now bool) {
	defer s.done()
	if !now {
		if err := s.ws.Close(websocket.StatusNormalClosure, ""); err == nil || errors.Is(err, net.ErrClosed) {
			return
		}
	}
	_ = s.ws.CloseNow() // whatever is wrong with a socket that is given up
}
