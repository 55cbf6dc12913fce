package origin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// patience bounds every wait for something that must happen.
const patience = 10 * time.Second

type scripts struct{}

func (scripts) Page() []byte   { return []byte("page()") }
func (scripts) Worker() []byte { return []byte("worker()") }

// stand is a site behind an origin, both on real sockets.
type stand struct {
	t      *testing.T
	origin *Origin
	url    string
	addr   string
	client *http.Client
}

// put starts an origin before site; change may alter its configuration.
func put(t *testing.T, site http.Handler, change ...func(*Config)) *stand {
	t.Helper()
	up := httptest.NewServer(site)
	t.Cleanup(up.Close)
	return before(t, up.URL, change...)
}

func before(t *testing.T, upstream string, change ...func(*Config)) *stand {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Upstream: u, Scripts: scripts{}}
	for _, c := range change {
		c(&cfg)
	}
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = NewServer(o)
	srv.Listener = NewListener(srv.Listener, cfg.TrustedProxies)
	srv.Start()
	t.Cleanup(srv.Close)
	tr := &http.Transport{DisableCompression: true, ExpectContinueTimeout: patience}
	t.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &stand{t: t, origin: o, url: srv.URL, addr: srv.Listener.Addr().String(), client: client}
}

// ask sends a request with headers given as name, value, ... and reads all of the answer.
func (s *stand) ask(method, path string, body io.Reader, headers ...string) (*http.Response, string) {
	s.t.Helper()
	res := s.open(method, path, body, headers...)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res, string(b)
}

func (s *stand) open(method, path string, body io.Reader, headers ...string) *http.Response {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res
}

func TestPassesRequestsAsTheyWere(t *testing.T) {
	type seen struct{ method, uri, host, body, agent, encoding string }
	got := make(chan seen, 1)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.RequestURI, r.Host, string(b), r.Header.Get("User-Agent"), r.Header.Get("Accept-Encoding")}
		w.WriteHeader(http.StatusTeapot)
	}))
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/", ""},
		{"GET", "/a%2Fb/%E2%82%AC?x=1;y=2&z=%zz", ""},
		{"GET", "//double/../dots/./x", ""},
		{"POST", "/form?a&b=", "k=v"},
		{"PUT", "/file", strings.Repeat("x", 100_000)},
		{"DELETE", "/thing", ""},
		{"PROPFIND", "/dav/", "<xml/>"},
		{"OPTIONS", "/x", ""},
	} {
		res, _ := s.ask(c.method, c.path, strings.NewReader(c.body), "User-Agent", "tester", "Host", "site.example", "Accept-Encoding", "br")
		want := seen{c.method, c.path, "site.example", c.body, "tester", "br"}
		if g := <-got; g != want {
			t.Errorf("%s %s: site saw %+.200v, want %+.200v", c.method, c.path, g, want)
		}
		if res.StatusCode != http.StatusTeapot {
			t.Errorf("%s %s: got status %d, want 418", c.method, c.path, res.StatusCode)
		}
	}
}

func TestUpstreamBasePathAndHost(t *testing.T) {
	got := make(chan string, 1)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- r.Host + r.RequestURI }))
	defer up.Close()
	s := before(t, up.URL+"/base/", func(c *Config) { c.Host = "inner.example" })
	s.ask("GET", "/a%2Fb?q", nil)
	if g, want := <-got, "inner.example/base/a%2Fb?q"; g != want {
		t.Errorf("site saw %q, want %q", g, want)
	}
}

func TestStripsHopByHopHeaders(t *testing.T) {
	got := make(chan http.Header, 1)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.Header().Set("Connection", "X-Inner")
		w.Header().Set("X-Inner", "1")
		w.Header().Set("X-Kept", "1")
	}))
	res, _ := s.ask("GET", "/", nil, "Connection", "X-Gone, X-Forwarded-For", "X-Gone", "1", "X-Kept", "1",
		"Keep-Alive", "1", "Proxy-Connection", "1", "Te", "gzip", "X-Forwarded-For", "6.6.6.6")
	h := <-got
	for _, name := range []string{"Connection", "X-Gone", "Keep-Alive", "Proxy-Connection", "Te"} {
		if h.Get(name) != "" {
			t.Errorf("site saw %s: %q", name, h.Get(name))
		}
	}
	if h.Get("X-Kept") != "1" || h.Get("X-Forwarded-For") != "127.0.0.1" {
		t.Errorf("got X-Kept %q and X-Forwarded-For %q, want 1 and 127.0.0.1", h.Get("X-Kept"), h.Get("X-Forwarded-For"))
	}
	for _, name := range []string{"Keep-Alive", "Proxy-Authenticate", "X-Inner"} {
		if res.Header.Get(name) != "" {
			t.Errorf("client saw %s: %q", name, res.Header.Get(name))
		}
	}
	if res.Header.Get("X-Kept") != "1" {
		t.Error("client did not see X-Kept")
	}
}

func TestForwardedHeaders(t *testing.T) {
	got := make(chan http.Header, 1)
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- r.Header })
	spoofs := []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example",
		"X-Forwarded-Port", "1", "X-Forwarded-Server", "x", "X-Real-IP", "1.2.3.4", "Forwarded", "for=1.2.3.4",
		"X_Forwarded_For", "1.2.3.4", "x-forwarded_proto", "https", "X_Real_Ip", "1.2.3.4"}
	for _, c := range []struct {
		name    string
		trusted []netip.Prefix
		want    map[string]string
	}{
		{"stranger", nil, map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http",
			"X-Forwarded-Host": "site.example"}},
		{"trusted proxy", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, map[string]string{
			"X-Forwarded-For": "1.2.3.4, 127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example",
			"X-Forwarded-Port": "1", "X-Forwarded-Server": "x", "X-Real-Ip": "1.2.3.4", "Forwarded": "for=1.2.3.4"}},
	} {
		s := put(t, site, func(cfg *Config) { cfg.TrustedProxies = c.trusted })
		s.ask("GET", "/", nil, append(spoofs, "Host", "site.example")...)
		seen := map[string]string{}
		for name, v := range <-got {
			if forwarding(name) {
				seen[name] = strings.Join(v, " | ")
			}
		}
		if fmt.Sprint(seen) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %v, want %v", c.name, seen, c.want)
		}
	}
}

func TestVisitorBehindProxies(t *testing.T) {
	cfg := &Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct{ peer, chain, want string }{
		{"9.9.9.9:1", "1.1.1.1", "9.9.9.9"},
		{"10.0.0.1:1", "1.1.1.1", "1.1.1.1"},
		{"10.0.0.1:1", "6.6.6.6, 1.1.1.1", "1.1.1.1"},
		{"10.0.0.1:1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"},
		{"10.0.0.1:1", "6.6.6.6, junk", "10.0.0.1"},
		{"10.0.0.1:1", "6.6.6.6, junk, 10.0.0.3", "10.0.0.3"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"10.0.0.1:1", "[2001:db8::1]:99", "2001:db8::1"},
		{"[::ffff:10.0.0.1]:1", "::ffff:1.1.1.1", "1.1.1.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.chain != "" {
			r.Header.Set("X-Forwarded-For", c.chain)
		}
		if got := cfg.visitor(r).addr.String(); got != c.want {
			t.Errorf("peer %s, chain %q: got %s, want %s", c.peer, c.chain, got, c.want)
		}
	}
}

func TestWebSocketThrough(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), kind, append([]byte("echo "), b...)); err != nil {
				return
			}
		}
	}))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.url, "http")+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for i := range 3 {
		msg := fmt.Sprint("message ", i)
		if err := c.Write(ctx, websocket.MessageText, []byte(msg)); err != nil {
			t.Fatal(err)
		}
		_, b, err := c.Read(ctx)
		if err != nil || string(b) != "echo "+msg {
			t.Fatalf("got %q, %v, want echo", b, err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestStreamsWithoutBuffering: the site sends the next piece only after the
// client has the one before, so anything held back stops the test.
func TestStreamsWithoutBuffering(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers map[string]string
	}{
		{"server-sent events", map[string]string{"Content-Type": "text/event-stream"}},
		{"chunked", map[string]string{"Content-Type": "text/plain"}},
		{"with a length", map[string]string{"Content-Type": "text/plain", "Content-Length": "24"}},
	} {
		next := make(chan bool)
		s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for k, v := range c.headers {
				w.Header().Set(k, v)
			}
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n", i)
				w.(http.Flusher).Flush()
				<-next
			}
		}))
		res := s.open("GET", "/", nil)
		lines := bufio.NewReader(res.Body)
		for i := range 3 {
			line, err := lines.ReadString('\n')
			if want := fmt.Sprintf("data: %d\n", i); err != nil || line != want {
				t.Fatalf("%s: got %q, %v, want %q", c.name, line, err, want)
			}
			next <- true
		}
		res.Body.Close()
	}
}

func TestTrailers(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d bytes", len(b))
		w.Header().Set("X-Sum", "out "+r.Trailer.Get("X-Sum"))
		w.Header().Set(http.TrailerPrefix+"X-Late", "late")
	}))
	r, _ := http.NewRequest("POST", s.url+"/", io.MultiReader(strings.NewReader("hello")))
	r.Trailer = http.Header{"X-Sum": {"in"}}
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if string(b) != "5 bytes" || res.Trailer.Get("X-Sum") != "out in" || res.Trailer.Get("X-Late") != "late" {
		t.Errorf("got %q and trailers %v, want both trailers, and the request's inside", b, res.Trailer)
	}
}

func TestHeadAndRange(t *testing.T) {
	data := make([]byte, 300_000)
	_, _ = rand.Read(data)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Etag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	res, body := s.ask("HEAD", "/v.mp4", nil)
	if res.ContentLength != int64(len(data)) || body != "" || res.Header.Get("Etag") != `"v1"` {
		t.Errorf("HEAD: got length %d, %d bytes, etag %s", res.ContentLength, len(body), res.Header.Get("Etag"))
	}
	res, body = s.ask("GET", "/v.mp4", nil, "Range", "bytes=1000-200999", "If-Range", `"v1"`)
	if res.StatusCode != 206 || body != string(data[1000:201000]) || res.Header.Get("Content-Range") != "bytes 1000-200999/300000" {
		t.Errorf("Range: got %d, %d bytes, %q", res.StatusCode, len(body), res.Header.Get("Content-Range"))
	}
	res, _ = s.ask("GET", "/v.mp4", nil, "Range", "bytes=900000-")
	if res.StatusCode != 416 {
		t.Errorf("unsatisfiable range: got %d, want 416", res.StatusCode)
	}
	if res, _ = s.ask("GET", "/v.mp4", nil, "If-None-Match", `"v1"`); res.StatusCode != 304 {
		t.Errorf("If-None-Match: got %d, want 304", res.StatusCode)
	}
}

func TestContinue(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusExpectationFailed) // without reading: no 100 goes out
			return
		}
		b, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, len(b))
	}))
	for path, want := range map[string]string{"/yes": "HTTP/1.1 100 Continue", "/no": "HTTP/1.1 417 Expectation Failed"} {
		c := s.dial()
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", path)
		in := bufio.NewReader(c)
		if line, err := in.ReadString('\n'); strings.TrimSpace(line) != want {
			t.Errorf("%s: got %q, %v, want %q", path, line, err, want)
		}
		if path == "/yes" {
			_, _ = in.ReadString('\n')
			fmt.Fprint(c, "body")
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("after the body: %v, %v", res, err)
			}
			res.Body.Close()
		}
		c.Close()
	}
}

func (s *stand) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	s.t.Cleanup(func() { c.Close() })
	return c
}

// TestAnswersWhileReading: a site may answer before it has read the upload.
func TestAnswersWhileReading(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		in := bufio.NewScanner(r.Body)
		for in.Scan() {
			fmt.Fprintln(w, "got", in.Text())
			w.(http.Flusher).Flush()
		}
	}))
	body, out := io.Pipe()
	go fmt.Fprintln(out, "one")
	res := s.open("POST", "/", body)
	lines := bufio.NewReader(res.Body)
	for _, word := range []string{"one", "two", "three"} {
		line, err := lines.ReadString('\n')
		if err != nil || line != "got "+word+"\n" {
			t.Fatalf("got %q, %v, want got %s", line, err, word)
		}
		switch word {
		case "one":
			go fmt.Fprintln(out, "two")
		case "two":
			go fmt.Fprintln(out, "three")
		}
	}
	out.Close()
	res.Body.Close()
}

func TestLargeUpload(t *testing.T) {
	const size = 32 << 20
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	}))
	if _, body := s.ask("PUT", "/big", io.LimitReader(zeros{}, size)); body != fmt.Sprint(size, nil) {
		t.Errorf("site read %q, want %d", body, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

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
