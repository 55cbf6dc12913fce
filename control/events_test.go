package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// eventServer is a site over HTTP/2 with TLS; it hands over what it accepts.
type eventServer struct {
	*httptest.Server
	events Events
	conns  chan Conn
}

func newEventServer(t *testing.T) *eventServer {
	s := &eventServer{conns: make(chan Conn, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("/control/events", func(w http.ResponseWriter, r *http.Request) {
		c, err := s.events.Accept(w, r)
		if err != nil {
			return
		}
		s.conns <- c
		<-c.(*session).ctx.Done()
		_ = c.Close()
	})
	mux.HandleFunc("/control/send", s.events.Post)
	s.Server = httptest.NewUnstartedServer(mux)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// page is a page's end of a stream of events, as web/src/page has it.
type page struct {
	client *http.Client
	send   string
	body   io.ReadCloser
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

func (s *eventServer) page(t *testing.T) *page {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/control/events", nil)
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %s, status %d, %q", res.Proto, res.StatusCode, res.Header.Get("Content-Type"))
	}
	p := &page{client: s.Client(), body: res.Body, lines: bufio.NewScanner(res.Body), cancel: cancel}
	p.lines.Buffer(nil, 2*tuber.MaxControl)
	kind, name, err := p.event()
	if err != nil || kind != "stream" {
		t.Fatalf("the first event is %q, %v", kind, err)
	}
	p.send = s.URL + "/control/send?stream=" + url.QueryEscape(name)
	return p
}

// event is the next one; comments are left out.
func (p *page) event() (kind, data string, err error) {
	for p.lines.Scan() {
		switch line := p.lines.Text(); {
		case strings.HasPrefix(line, "event: "):
			kind = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		case line == "" && data != "":
			return kind, data, nil
		}
	}
	return "", "", errors.Join(io.ErrUnexpectedEOF, p.lines.Err())
}

func (p *page) read(context.Context) ([]byte, error) {
	_, data, err := p.event()
	return []byte(data), err
}

func (p *page) write(ctx context.Context, b []byte) error {
	status, err := p.post(ctx, string(b)+"\n")
	if err == nil && status != http.StatusNoContent {
		err = errors.New(http.StatusText(status))
	}
	return err
}

func (p *page) post(ctx context.Context, body string) (int, error) {
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, p.send, strings.NewReader(body))
	res, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func (p *page) ping(context.Context) error { return nil }

func (p *page) close(bool) { p.cancel(); _ = p.body.Close() }

func TestEventsBringSeveralMessagesOfOnePost(t *testing.T) {
	s := newEventServer(t)
	p := s.page(t)
	defer p.close(true)
	c := <-s.conns
	var body bytes.Buffer
	for i := range 20 {
		b, _ := wire.Encode(wire.Signal{Attempt: uint32(i)})
		body.Write(append(b, '\n'))
	}
	done := make(chan int, 1)
	go func() {
		status, _ := p.post(t.Context(), body.String())
		done <- status
	}()
	for i := range 20 {
		m, err := c.Receive(t.Context())
		if sig, ok := m.(wire.Signal); err != nil || !ok || sig.Attempt != uint32(i) {
			t.Fatalf("message %d: got %v, %v", i, m, err)
		}
	}
	if status := <-done; status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
}

// What is wrong with a post ends its stream, or is refused.
func TestEventsRefuse(t *testing.T) {
	long := `{"type":"alive","x":"` + strings.Repeat("x", tuber.MaxControl) + `"}`
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		body   string
		status int
		ends   bool
	}{
		{"another site's page", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, `{"type":"alive"}`, 403, false},
		{"a stream that is not there", func(r *http.Request) { r.URL.RawQuery = "stream=x" }, `{"type":"alive"}`, 404, false},
		{"no stream named", func(r *http.Request) { r.URL.RawQuery = "" }, `{"type":"alive"}`, 404, false},
		{"a GET", func(r *http.Request) { r.Method = http.MethodGet }, ``, 405, false},
		{"a message that is too long", nil, long, 400, true},
		{"more than a post may bring", nil, strings.Repeat(`{"type":"later"}`+"\n", maxPost/16), 400, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newEventServer(t)
			p := s.page(t)
			defer p.close(true)
			c := <-s.conns
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, p.send, strings.NewReader(tt.body))
			if tt.change != nil {
				tt.change(req)
			}
			res, err := s.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if tt.ends {
				for {
					if _, err := c.Receive(t.Context()); err != nil {
						break
					}
				}
			} else if status, err := p.post(t.Context(), `{"type":"alive"}`); err != nil || status != http.StatusNoContent {
				t.Errorf("the stream has ended: %d, %v", status, err)
			}
		})
	}
}

// A page that goes leaves nothing behind: no goroutine, no name.
func TestEventsEndWithThePage(t *testing.T) {
	s := newEventServer(t)
	p := s.page(t)
	c := <-s.conns
	p.close(true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := c.Receive(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
	_ = c.Close()
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	if len(s.events.open) != 0 {
		t.Errorf("%d streams are remembered", len(s.events.open))
	}
}
