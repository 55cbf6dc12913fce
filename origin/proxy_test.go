package origin

import (
	"bufio"
	"context"
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

// TestNothingBesideTheBasePath: a site that is a folder of its server is all that viewers reach.
func TestNothingBesideTheBasePath(t *testing.T) {
	got := make(chan string, 10)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- r.RequestURI }))
	defer up.Close()
	for base, want := range map[string]int{"/base/": http.StatusBadRequest, "/": http.StatusOK} {
		s := before(t, up.URL+base)
		for _, path := range []string{"/../admin", "/%2e%2e/admin", "/a/..%2f../admin", "/..%5cadmin"} {
			if status := rawStatus(t, s.addr, path); status != want {
				t.Errorf("base %s, %s: got status %d, want %d", base, path, status, want)
			}
		}
	}
	if len(got) != 4 {
		t.Errorf("the site saw %d requests, want the 4 without a base", len(got))
	}
}

// rawStatus sends a path as it is written, which http.Client would not.
func rawStatus(t *testing.T, addr, path string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
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
