package host

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const homePage = "<!doctype html><html><head><title>home</title></head><body>hello</body></html>"

// testConfig is a host on loopback before a site of one page.
func testConfig(t *testing.T) Config {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Seen-For", r.Header.Get("X-Forwarded-For"))
		io.WriteString(w, homePage)
	}))
	t.Cleanup(site.Close)
	upstream, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "host") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return Config{
		Upstream: upstream, Dir: dir, PublicHost: "127.0.0.1",
		Listen: "127.0.0.1:0", ControlListen: "127.0.0.1:0", DashboardListen: "127.0.0.1:0",
		UDPListen: "127.0.0.1:0", STUNListen: "127.0.0.1:0",
	}
}

// begin runs a host until the test ends, or until the returned stop.
func begin(t *testing.T, cfg Config) (*Host, func()) {
	t.Helper()
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	eventually(t, "the planner runs", func() bool { return h.Status().Planner })
	return h, stop
}

// eventually waits for what happens soon in another goroutine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// fetch is one GET or POST without keep-alive.
func fetch(t *testing.T, method, address, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestPageThroughTheHost(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	site := h.Addresses().Site
	resp, body := fetch(t, "GET", site, "", http.Header{
		"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "X-Forwarded-For": {"198.51.100.7"},
	})
	tag := `<script src="/.tuber/page.js" async></script>`
	if !strings.Contains(body, tag) || strings.Replace(body, tag, "", 1) != homePage {
		t.Errorf("got %q, want the page with the script", body)
	}
	if got := resp.Header.Get("Seen-For"); strings.Contains(got, "198.51.100.7") {
		t.Errorf("a stranger's X-Forwarded-For went upstream: %q", got)
	}
	for path, want := range map[string]string{
		"page.js": `"enabled":true`, "sw.js": "self.__TUBER__=", "time": `"now":`,
		"join": "Become a booster", "privacy": `data-relay="on"`, "off": "Removing Tuber",
		"assets/join.js": "location.hash", "assets/style.css": "--paper",
	} {
		resp, body := fetch(t, "GET", site+".tuber/"+path, "", nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: got %d, want 200 and %q", path, resp.StatusCode, want)
		}
	}
	for _, path := range []string{"", "nothing", "assets/dashboard.js", "assets/../api.go", "api/state", "metrics", "joint"} {
		if resp, _ := fetch(t, "GET", site+".tuber/"+path, "", nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%q: got %d, want 404", path, resp.StatusCode)
		}
	}
}

// ticketOf asks for a ticket as a page of the site does.
func ticketOf(t *testing.T, h *Host, f tuber.Fingerprint) (ticket string, code int) {
	t.Helper()
	q, err := json.Marshal(map[string]wire.Bytes{"fingerprint": f[:]})
	if err != nil {
		t.Fatal(err)
	}
	resp, body := fetch(t, "POST", h.Addresses().Site+".tuber/ticket", string(q), http.Header{
		"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"},
	})
	var a struct {
		Ticket  string          `json:"ticket"`
		Site    tuber.PublicKey `json:"site"`
		Planner tuber.PublicKey `json:"planner"`
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		if a.Site != h.Site() {
			t.Errorf("site key %v, want %v", a.Site, h.Site())
		}
	}
	return a.Ticket, resp.StatusCode
}

// member joins over a socket and keeps it open until the test ends.
func member(t *testing.T, h *Host, o control.DialOptions, join wire.Join) (control.Conn, control.Session, error) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return memberWith(t, h, o, join, key)
}

func memberWith(t *testing.T, h *Host, o control.DialOptions, join wire.Join, key ed25519.PrivateKey) (control.Conn, control.Session, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	conn, err := control.Dial(ctx, o)
	if err != nil {
		return nil, control.Session{}, err
	}
	t.Cleanup(func() { conn.Close() })
	s, err := control.Join(ctx, conn, control.Identity{Key: key, Site: h.Site(), Join: join})
	return conn, s, err
}

// plain is the control socket of the public listener on this machine.
func plain(t *testing.T, h *Host) control.DialOptions {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return control.DialOptions{
		URL:    "ws" + strings.TrimPrefix(h.Addresses().Site, "http") + ".tuber/control",
		Client: &http.Client{Transport: transport},
	}
}

// viewerJoin is a viewer with its ticket.
func viewerJoin(t *testing.T, h *Host) wire.Join {
	t.Helper()
	var f tuber.Fingerprint
	rand.Read(f[:])
	ticket, code := ticketOf(t, h, f)
	if code != http.StatusOK {
		t.Fatalf("ticket: got %d", code)
	}
	return wire.Join{Role: tuber.RoleViewer, Fingerprint: f[:], Ticket: ticket}
}

func TestViewerJoinsWithATicket(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	if _, _, err := member(t, h, plain(t, h), viewerJoin(t, h)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the viewer is counted", func() bool { return h.Status().Viewers == 1 })
	forged := viewerJoin(t, h)
	rand.Read(forged.Fingerprint)
	var refused *control.RefusedError
	if _, _, err := member(t, h, plain(t, h), forged); !errors.As(err, &refused) || refused.Code != wire.CodeTicket {
		t.Errorf("a ticket of another fingerprint: got %v, want a refusal", err)
	}
	resp, _ := fetch(t, "POST", h.Addresses().Site+".tuber/ticket", `{}`, http.Header{"Sec-Fetch-Site": {"cross-site"}})
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a ticket for another site: got %d, want 403", resp.StatusCode)
	}
}

// pinned is how an invite leads to the host.
func pinned(v tuber.Invite) control.DialOptions {
	return control.DialOptions{URL: "wss://" + v.Host + v.Prefix + "control", Pin: v.Pin}
}

func boosterJoin(v tuber.Invite, name string) wire.Join {
	f := make([]byte, 32)
	rand.Read(f)
	return wire.Join{Role: tuber.RoleBooster, Name: name, Fingerprint: f, Secret: v.Secret[:]}
}

func TestInviteIsUsedOnce(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	made, err := h.Invite(Offer{Note: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := tuber.ParseInvite(made.URL)
	if err != nil {
		t.Fatal(err)
	}
	if v.Site != h.Site() || v.Pin == (tuber.Digest{}) || v.Host != h.Addresses().Control {
		t.Errorf("invite %+v, want the site key, a pin and %s", v, h.Addresses().Control)
	}
	if _, _, err := member(t, h, pinned(v), boosterJoin(v, "ann's pc")); err != nil {
		t.Fatal(err)
	}
	var refused *control.RefusedError
	if _, _, err := member(t, h, pinned(v), boosterJoin(v, "eve's pc")); !errors.As(err, &refused) || refused.Code != wire.CodeInvite {
		t.Errorf("second use: got %v, want a refusal", err)
	}
	eventually(t, "the booster is shown", func() bool {
		s, err := h.State()
		return err == nil && s.Boosters == 1 && len(s.BoosterList) == 1 && s.BoosterList[0].Linked &&
			s.BoosterList[0].Name == "ann's pc" && len(s.Invites) == 1 && s.Invites[0].Uses == 0 && s.Invites[0].Note == "Ann"
	})
	s, err := h.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RemoveBooster(s.BoosterList[0].ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the booster is gone", func() bool {
		s, err := h.State()
		return err == nil && s.Boosters == 0 && len(s.BoosterList) == 0
	})
}

func TestRevokedInviteAndWrongPin(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	v, err := h.NewInvite(1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	wrong := v
	wrong.Pin[0] ^= 1
	if _, _, err := member(t, h, pinned(wrong), boosterJoin(v, "x")); err == nil || !strings.Contains(err.Error(), "TLS key") {
		t.Errorf("wrong pin: got %v, want an error about the TLS key", err)
	}
	list, err := h.Invites()
	if err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v, want one invite", list, err)
	}
	if err := h.RevokeInvite(list[0].ID); err != nil {
		t.Fatal(err)
	}
	var refused *control.RefusedError
	if _, _, err := member(t, h, pinned(v), boosterJoin(v, "x")); !errors.As(err, &refused) || refused.Code != wire.CodeInvite {
		t.Errorf("revoked: got %v, want a refusal", err)
	}
	if err := h.RevokeInvite("00000000"); !errors.Is(err, tuber.ErrInviteUnknown) {
		t.Errorf("got %v, want ErrInviteUnknown", err)
	}
}

func TestControlListenerServesNothingOfTheSite(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	client := &http.Client{Transport: pinnedTransport(h.pin)}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{
		"/": 404, "/.tuber/join": 200, "/.tuber/time": 200, "/.tuber/ticket": 404, "/.tuber/page.js": 404, "/.tuber/sw.js": 404,
	} {
		resp, err := client.Get("https://" + h.Addresses().Control + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestPlannerStopsAndStartsReally(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	conn, first, err := member(t, h, plain(t, h), viewerJoin(t, h))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SetPlanner(false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for err == nil {
		_, err = conn.Receive(ctx)
	}
	if ctx.Err() != nil {
		t.Error("the control socket outlived the planner")
	}
	if s := h.Status(); s.Planner || s.Viewers != 0 {
		t.Errorf("stopped: got %+v", s)
	}
	if _, _, err := member(t, h, plain(t, h), wire.Join{}); err == nil {
		t.Error("a stopped planner let a peer in")
	}
	if _, body := fetch(t, "GET", h.Addresses().Site, "", nil); !strings.Contains(body, "hello") {
		t.Error("the site is gone with the planner")
	}
	if err := h.SetPlanner(true); err != nil {
		t.Fatal(err)
	}
	_, second, err := member(t, h, plain(t, h), viewerJoin(t, h))
	if err != nil {
		t.Fatal(err)
	}
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d, want a higher one", second.Epoch, first.Epoch)
	}
	eventually(t, "the host's own peer is back", func() bool {
		return h.peer.Stats()[h.Site()].Connected
	})
}

func TestKillSwitch(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	if err := h.SetEnabled(false); err != nil {
		t.Fatal(err)
	}
	site := h.Addresses().Site
	if _, body := fetch(t, "GET", site, "", http.Header{"Sec-Fetch-Dest": {"document"}}); body != homePage {
		t.Errorf("got %q, want the page untouched", body)
	}
	for _, script := range []string{"page.js", "sw.js"} {
		if _, body := fetch(t, "GET", site+".tuber/"+script, "", nil); !strings.Contains(body, `"enabled":false`) {
			t.Errorf("%s does not tell browsers to unregister", script)
		}
	}
	if _, code := ticketOf(t, h, tuber.Fingerprint{}); code != http.StatusServiceUnavailable {
		t.Errorf("ticket: got %d, want 503", code)
	}
	if err := h.SetPlanner(true); err == nil {
		t.Error("the planner started while peers are switched off")
	}
	if err := h.SetEnabled(true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := member(t, h, plain(t, h), viewerJoin(t, h)); err != nil {
		t.Errorf("switched on again: %v", err)
	}
}

func TestTakenPortAndDirectory(t *testing.T) {
	cfg := testConfig(t)
	h, stop := begin(t, cfg)
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second host on one directory: got %v, want an error that names process %d", err, os.Getpid())
	}
	if _, err := OpenBook(cfg.Dir); err == nil {
		t.Error("the book was opened while a host holds it")
	}
	other := testConfig(t)
	other.Listen = h.sockets.site.Addr().String()
	if _, err := New(other); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("taken port: got %v, want an error that names --listen", err)
	}
	other.PortFallback = true
	moved, err := New(other)
	if err != nil {
		t.Fatal(err)
	}
	if moved.sockets.site.Addr().String() == other.Listen {
		t.Error("two hosts on one port")
	}
	if err := moved.Close(); err != nil {
		t.Error(err)
	}
	stop()
	book, err := OpenBook(cfg.Dir)
	if err != nil {
		t.Fatalf("a stopped host holds its book: %v", err)
	}
	if err := book.Close(); err != nil {
		t.Error(err)
	}
}

func TestKeysAndInvitesSurviveARestart(t *testing.T) {
	cfg := testConfig(t)
	h, stop := begin(t, cfg)
	v, err := h.NewInvite(1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ControlListen = h.sockets.control.Addr().String()
	stop()
	again, _ := begin(t, cfg)
	if again.Site() != v.Site {
		t.Error("another site key after a restart")
	}
	if _, _, err := member(t, again, pinned(v), boosterJoin(v, "ann")); err != nil {
		t.Errorf("an invite from before the restart: %v", err)
	}
}

func TestAdminOfARunningHost(t *testing.T) {
	cfg := testConfig(t)
	_, _ = begin(t, cfg)
	a, err := DialAdmin(cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	made, err := a.Invite(Offer{Uses: 2, Life: 7 * 24 * time.Hour, Note: "club"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tuber.ParseInvite(made.URL); err != nil {
		t.Error(err)
	}
	if err := a.RevokeInvite(made.ID); err != nil {
		t.Error(err)
	}
	list, err := a.Invites()
	if err != nil || len(list) != 1 || !list[0].Revoked || list[0].Uses != 2 {
		t.Errorf("got %+v, %v, want one revoked invite with two uses", list, err)
	}
	if s, err := a.Status(); err != nil || !s.Planner {
		t.Errorf("status: got %+v, %v", s, err)
	}
}

func TestDashboardOfARunningHost(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	resp, body := fetch(t, "GET", "http://"+h.sockets.dashboard.Addr().String()+"/metrics", "",
		http.Header{"Authorization": {"Bearer " + h.guard.secret}})
	for _, want := range []string{"tuber_viewers 0", "tuber_planner_running 1", "tuber_sent_bytes_total", "go_goroutines"} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics (%d) lack %q", resp.StatusCode, want)
		}
	}
	u, err := url.Parse(h.Addresses().Dashboard)
	if err != nil || !strings.HasPrefix(u.Host, "127.0.0.1:") || u.Query().Get("key") != h.guard.secret {
		t.Errorf("dashboard at %q, %v", h.Addresses().Dashboard, err)
	}
	if resp, _ := fetch(t, "GET", h.Addresses().Dashboard, "", nil); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("got %d, want the way in", resp.StatusCode)
	}
}

// A site's endless answer and its upgraded connections do not hold the host up,
// and what was sent is counted.
func TestStopsWhileStreamsAreOpen(t *testing.T) {
	cfg := testConfig(t)
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			rw.Flush()
			io.Copy(io.Discard, rw)
			return
		}
		io.WriteString(w, strings.Repeat("x", 4096))
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer endless.Close()
	var err error
	if cfg.Upstream, err = url.Parse(endless.URL); err != nil {
		t.Fatal(err)
	}
	h, stop := begin(t, cfg)
	for _, head := range []string{"", "Connection: Upgrade\r\nUpgrade: echo\r\n"} {
		conn, err := net.Dial("tcp", h.sockets.site.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /stream HTTP/1.1\r\nHost: a.example\r\n%s\r\n", head)
		if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "bytes are counted", func() bool { return h.sent.Load() > 4096 })
	stop()
}

func TestConfigIsChecked(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	for _, c := range []struct {
		name, want string
		cfg        Config
	}{
		{"no directory", "--dir", Config{Upstream: u}},
		{"no site", "--upstream", Config{Dir: "x"}},
		{"two sites", "--files", Config{Dir: "x", Upstream: u, Files: "."}},
		{"no such folder", "--files", Config{Dir: "x", Files: "/nonexistent"}},
		{"half of HTTPS", "--key", Config{Dir: "x", Upstream: u, CertFile: "a"}},
		{"negative uplink", "--uplink", Config{Dir: "x", Upstream: u, Uplink: -1}},
		{"relay", "--relay", Config{Dir: "x", Upstream: u, Relay: "maybe"}},
		{"a URL as public host", "--public-host", Config{Dir: "x", Upstream: u, PublicHost: "https://a.example/"}},
		{"a public dashboard", "--dashboard", Config{Dir: "x", Upstream: u, DashboardListen: ":9000"}},
		{"a dashboard on the LAN", "--dashboard", Config{Dir: "x", Upstream: u, DashboardListen: "192.168.1.2:9000"}},
	} {
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error that names %s", c.name, err, c.want)
		}
	}
}

func TestInvitesNameTheRightDoor(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4zero, Port: 8443}
	site := &net.TCPAddr{IP: net.IPv4zero, Port: 443}
	fake := func(a net.Addr) net.Listener { return fakeListener{a} }
	for _, c := range []struct {
		name         string
		public       string
		noPin, outer bool
		want         string
		pin          bool
	}{
		{"by address", "203.0.113.5", false, false, "203.0.113.5:8443", true},
		{"by IPv6", "2001:db8::1", false, false, "[2001:db8::1]:8443", true},
		{"a CA vouches", "tv.example", true, false, "tv.example", false},
		{"a tunnel", "tv.example", true, true, "tv.example", false},
		{"a mapped port", "tv.example:9443", false, false, "tv.example:9443", true},
	} {
		h := &Host{cfg: Config{PublicHost: c.public, OuterHTTPS: c.outer}, noPin: c.noPin, pin: tuber.Digest{1}}
		h.sockets.site, h.sockets.control = fake(site), fake(at)
		if got, pin := h.entrance(); got != c.want || (pin != tuber.Digest{}) != c.pin {
			t.Errorf("%s: got %s and pin %x, want %s", c.name, got, pin[:1], c.want)
		}
	}
}

type fakeListener struct{ addr net.Addr }

func (fakeListener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (fakeListener) Close() error              { return nil }
func (l fakeListener) Addr() net.Addr          { return l.addr }

// pinnedTransport is an HTTP client's end of a pin.
func pinnedTransport(pin tuber.Digest) *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // the pin says more than a CA could
		VerifyConnection: func(s tls.ConnectionState) error {
			if sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo) != pin {
				return errors.New("another key")
			}
			return nil
		},
	}}
}
