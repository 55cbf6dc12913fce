package origin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestUpstreamDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s := before(t, "http://"+addr)
	res, body := s.ask("GET", "/", nil)
	if res.StatusCode != http.StatusBadGateway || !strings.Contains(body, "does not answer") || strings.Contains(body, addr) {
		t.Errorf("got %d %q, want 502 and a sentence without the address", res.StatusCode, body)
	}
}

// TestUpstreamCloses: the client sees the same cut-off body as without us.
func TestUpstreamCloses(t *testing.T) {
	for _, c := range []struct{ name, head string }{
		{"with a length", "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: 100\r\n\r\nhalf"},
		{"chunked", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"},
		{"injected page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<!doctype html><p>half"},
	} {
		up := rawSite(t, c.head)
		s := before(t, up)
		res := s.open("GET", "/", nil, "Sec-Fetch-Dest", "document")
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasSuffix(string(b), "half") {
			t.Errorf("%s: got %q, %v, want the half and an unexpected EOF", c.name, b, err)
		}
	}
}

// rawSite answers each socket's first request with these bytes and closes.
func rawSite(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, answer)
			}
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestSlowUpstreamIsWaitedFor(t *testing.T) {
	asked, answer := make(chan bool), make(chan bool)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- true
		<-answer
		fmt.Fprint(w, "at last")
	}))
	go func() { <-asked; close(answer) }()
	if res, body := s.ask("GET", "/", nil); res.StatusCode != 200 || body != "at last" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}

// TestClientLeaves: the site learns that nobody listens any more.
func TestClientLeaves(t *testing.T) {
	begun, gone := make(chan bool), make(chan bool)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(gone)
	}))
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/", nil)
	go func() { <-begun; cancel() }()
	if _, err := s.client.Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("the site's request goes on")
	}
}

func TestHTTP2(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-End")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html>%s %s", r.Proto, r.Header.Get("X-Forwarded-Proto"))
		w.Header().Set("X-End", "yes")
	}))
	defer up.Close()
	u, _ := url.Parse(up.URL)
	o, err := New(Config{Upstream: u, Scripts: scripts{}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = NewServer(o)
	srv.Listener = NewListener(srv.Listener, nil)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	r, _ := http.NewRequest("GET", srv.URL+"/", nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	want := `<!doctype html><script src="/.tuber/page.js" async></script>HTTP/1.1 https`
	if err != nil || res.ProtoMajor != 2 || string(b) != want || res.Trailer.Get("X-End") != "yes" {
		t.Errorf("got %s %q %v %v, want HTTP/2 %q", res.Proto, b, res.Trailer, err, want)
	}
}

func TestHandlerInsteadOfUpstream(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic(http.ErrAbortHandler)
		case "/half":
			fmt.Fprint(w, "half")
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "v.mp4", time.Time{}, strings.NewReader("0123456789"))
	})
	o, err := New(Config{Handler: h})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(o)
	defer srv.Close()
	s := &stand{t: t, url: srv.URL, client: srv.Client()}
	if res, body := s.ask("GET", "/x", nil, "Range", "bytes=2-4"); res.StatusCode != 206 || body != "234" {
		t.Errorf("range: got %d %q", res.StatusCode, body)
	}
	if res, body := s.ask("HEAD", "/x", nil); res.ContentLength != 10 || body != "" {
		t.Errorf("HEAD: got %d %q", res.ContentLength, body)
	}
	if res, _ := s.ask("GET", "/panic", nil); res.StatusCode != 502 {
		t.Errorf("panic: got %d, want 502", res.StatusCode)
	}
	res := s.open("GET", "/half", nil)
	if b, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("half: got %q without an error", b)
	}
	res.Body.Close()
}
