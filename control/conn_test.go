package control

import (
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server accepts control sockets and hands them over.
type server struct {
	*httptest.Server
	conns chan Conn
}

func newServer(t *testing.T, start func(*httptest.Server)) *server {
	s := &server{conns: make(chan Conn, 1)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := Accept(w, r); err == nil {
			s.conns <- c
		}
	}))
	start(s.Server)
	t.Cleanup(s.Close)
	return s
}

func (s *server) url() string { return "ws" + strings.TrimPrefix(s.URL, "http") + "/.tuber/control" }

// pairs are both ends of each kind of connection.
func pairs(t *testing.T) map[string][2]Conn {
	s := newServer(t, (*httptest.Server).Start)
	client, err := Dial(t.Context(), DialOptions{URL: s.url()})
	if err != nil {
		t.Fatal(err)
	}
	a, b := Pipe()
	e := newEventServer(t)
	page := newSession(e.page(t))
	return map[string][2]Conn{"websocket": {client, <-s.conns}, "pipe": {a, b}, "events": {page, <-e.conns}}
}

func closeBoth(t *testing.T, pair [2]Conn) {
	t.Cleanup(func() {
		done := make(chan struct{})
		go func() { defer close(done); _ = pair[0].Close() }()
		_ = pair[1].Close()
		<-done
	})
}

func TestMessagesPassInOrder(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			closeBoth(t, pair)
			for _, way := range [][2]Conn{pair, {pair[1], pair[0]}} {
				for i := range 100 {
					if err := way[0].Send(t.Context(), wire.Signal{Attempt: uint32(i)}); err != nil {
						t.Fatal(err)
					}
				}
				for i := range 100 {
					m, err := way[1].Receive(t.Context())
					if s, ok := m.(wire.Signal); err != nil || !ok || s.Attempt != uint32(i) {
						t.Fatalf("message %d: got %v, %v", i, m, err)
					}
				}
			}
		})
	}
}

func TestLastWordsArrive(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			closeBoth(t, pair)
			if err := pair[0].Send(t.Context(), wire.Refused{Code: wire.CodeFull}); err != nil {
				t.Fatal(err)
			}
			closed := make(chan struct{})
			go func() { defer close(closed); _ = pair[0].Close() }()
			if m, err := pair[1].Receive(t.Context()); err != nil || m.(wire.Refused).Code != wire.CodeFull {
				t.Errorf("got %v, %v, want the refusal", m, err)
			}
			if _, err := pair[1].Receive(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("got %v, want %v", err, ErrClosed)
			}
			<-closed
			if err := pair[0].Send(t.Context(), wire.Alive{}); !errors.Is(err, ErrClosed) {
				t.Errorf("send after close: got %v, want %v", err, ErrClosed)
			}
		})
	}
}

func TestReceiveKeepsTheConnectionWhenItsContextEnds(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			closeBoth(t, pair)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := pair[0].Receive(ctx); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v, want %v", err, context.Canceled)
			}
			if err := pair[1].Send(t.Context(), wire.Alive{}); err != nil {
				t.Fatal(err)
			}
			if m, err := pair[0].Receive(t.Context()); err != nil {
				t.Errorf("got %v, %v, want alive", m, err)
			}
		})
	}
}

func TestOversizedMessageIsNotSent(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			closeBoth(t, pair)
			if err := pair[0].Send(t.Context(), wire.Signal{Data: strings.Repeat("x", tuber.MaxControl)}); err == nil {
				t.Error("sent a message over the bound")
			}
			if err := pair[0].Send(t.Context(), wire.Alive{}); err != nil {
				t.Errorf("the connection is gone: %v", err)
			}
		})
	}
}

// A side that never reads must not make the other wait, nor keep what piles up.
func TestSlowReaderIsDropped(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			closeBoth(t, pair)
			m := wire.Signal{Data: strings.Repeat("x", wire.MaxSignal)}
			var err error
			for range 1 << 14 { // 128 MiB: more than any socket's buffers
				if err = pair[0].Send(t.Context(), m); err != nil {
					break
				}
			}
			if !errors.Is(err, ErrSlow) {
				t.Fatalf("got %v, want %v", err, ErrSlow)
			}
			if err := pair[0].Send(t.Context(), m); err == nil {
				t.Error("sent on a dropped connection")
			}
		})
	}
}

// raw is a WebSocket that says what it likes to a Conn.
func raw(t *testing.T) (*websocket.Conn, Conn) {
	s := newServer(t, (*httptest.Server).Start)
	ws, _, err := websocket.Dial(t.Context(), s.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := <-s.conns
	t.Cleanup(func() { _ = ws.CloseNow(); _ = c.Close() })
	return ws, c
}

func TestStrangeMessages(t *testing.T) {
	tests := map[string]struct {
		kind websocket.MessageType
		text string
		ok   bool // skipped, and the alive after it is received
	}{
		"unknown type": {websocket.MessageText, `{"type":"later"}`, true},
		"not JSON":     {websocket.MessageText, `hello`, false},
		"binary":       {websocket.MessageBinary, `{"type":"alive"}`, false},
		"too long":     {websocket.MessageText, `{"type":"alive","x":"` + strings.Repeat("x", tuber.MaxControl) + `"}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ws, c := raw(t)
			if err := ws.Write(t.Context(), tt.kind, []byte(tt.text)); err != nil {
				t.Fatal(err)
			}
			_ = ws.Write(t.Context(), websocket.MessageText, []byte(`{"type":"alive"}`)) // the other side may be gone
			m, err := c.Receive(t.Context())
			if got := err == nil; got != tt.ok {
				t.Errorf("got %v, %v, want received %v", m, err, tt.ok)
			}
		})
	}
}

func TestAcceptIsSameOrigin(t *testing.T) {
	tests := []struct {
		header http.Header
		want   bool
	}{
		{http.Header{}, true},
		{http.Header{"Origin": {"http://HOST"}}, true},
		{http.Header{"Origin": {"http://evil.example"}}, false},
		{http.Header{"Origin": {"null"}}, false},
		{http.Header{"Origin": {"http://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}, false},
		{http.Header{"Origin": {"http://HOST"}, "Sec-Fetch-Site": {"same-site"}}, false},
		{http.Header{"Origin": {"https://proxied.example"}, "Sec-Fetch-Site": {"same-origin"}}, true},
	}
	s := newServer(t, (*httptest.Server).Start)
	for _, tt := range tests {
		for i, v := range tt.header["Origin"] {
			tt.header["Origin"][i] = strings.Replace(v, "HOST", strings.TrimPrefix(s.URL, "http://"), 1)
		}
		ws, resp, err := websocket.Dial(t.Context(), s.url(), &websocket.DialOptions{HTTPHeader: tt.header})
		if got := err == nil; got != tt.want {
			t.Errorf("%v: got %v, want accepted %v", tt.header, err, tt.want)
		}
		if err != nil {
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%v: status %d, want %d", tt.header, resp.StatusCode, http.StatusForbidden)
			}
			continue
		}
		_ = ws.CloseNow()
		_ = (<-s.conns).Close()
	}
}

func TestPin(t *testing.T) {
	s := newServer(t, (*httptest.Server).StartTLS)
	s.Config.ErrorLog = nil
	right := tuber.Digest(sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo))
	wrong := right
	wrong[0]++
	tests := map[string]struct {
		o    DialOptions
		want bool
	}{
		"right pin":          {DialOptions{URL: s.url(), Pin: right}, true},
		"wrong pin":          {DialOptions{URL: s.url(), Pin: wrong}, false},
		"a CA vouches":       {DialOptions{URL: s.url(), Client: s.Client()}, true},
		"CA, but wrong pin":  {DialOptions{URL: s.url(), Client: s.Client(), Pin: wrong}, false},
		"nobody vouches":     {DialOptions{URL: s.url()}, false},
		"not TLS, loopback":  {DialOptions{URL: strings.Replace(s.url(), "wss", "ws", 1)}, false}, // the server speaks TLS only
		"not TLS, elsewhere": {DialOptions{URL: "ws://example.com/.tuber/control"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Dial(t.Context(), tt.o)
			if got := err == nil; got != tt.want {
				t.Fatalf("got %v, want dialled %v", err, tt.want)
			}
			if err == nil {
				closeBoth(t, [2]Conn{c, <-s.conns})
			}
		})
	}
	s.Client().CloseIdleConnections()
}

func TestDialChecksTheURL(t *testing.T) {
	for _, u := range []string{"ws://192.0.2.1/x", "ws://localhost.example/x", "https://example.com/x", "wss://", "::", "ftp://localhost/"} {
		c, err := Dial(t.Context(), DialOptions{URL: u, Client: &http.Client{Transport: noNetwork{t}}})
		if err == nil {
			t.Errorf("dialled %s: %v", u, c)
		}
	}
}

type noNetwork struct{ t *testing.T }

func (n noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("asked the network for %s", r.URL)
	return nil, errors.New("no network")
}

func TestDialFollowsNoRedirect(t *testing.T) {
	target := newServer(t, (*httptest.Server).Start)
	s := httptest.NewServer(http.RedirectHandler(target.URL, http.StatusFound))
	defer s.Close()
	if _, err := Dial(t.Context(), DialOptions{URL: "ws" + strings.TrimPrefix(s.URL, "http")}); err == nil {
		t.Error("followed a redirect")
	}
}

func TestDialHonoursItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, DialOptions{URL: "ws://" + silent.Addr().String()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}
