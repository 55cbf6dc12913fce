package host

import (
	"bufio"
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

func TestPageThroughTheHost(t *testing.T) {
	for _, prefix := range []string{tuber.DefaultPrefix, "/my/peers/"} {
		pageThrough(t, prefix)
	}
}

// pageThrough loads the page and what Tuber has under its prefix.
func pageThrough(t *testing.T, prefix string) {
	cfg := testConfig(t)
	cfg.Prefix = prefix
	h, stop := begin(t, cfg)
	defer stop()
	site := strings.TrimSuffix(h.Addresses().Site, "/")
	resp, body := fetch(t, "GET", site+"/", "", http.Header{
		"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "X-Forwarded-For": {"198.51.100.7"},
	})
	tag := `<script src="` + prefix + `page.js" async></script>`
	if !strings.Contains(body, tag) || strings.Replace(body, tag, "", 1) != homePage {
		t.Errorf("got %q, want the page with the script", body)
	}
	if got := resp.Header.Get("Seen-For"); strings.Contains(got, "198.51.100.7") {
		t.Errorf("a stranger's X-Forwarded-For went upstream: %q", got)
	}
	for path, want := range map[string]string{
		"page.js": `"prefix":"` + prefix + `"`, "sw.js": "self.__TUBER__=", "time": `"now":`,
		"join": "Become a booster", "privacy": `data-relay="on"`, "off": "Removing Tuber",
		"assets/join.js": "location.hash", "assets/style.css": "--paper",
	} {
		resp, body := fetch(t, "GET", site+prefix+path, "", nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s%s: got %d, want 200 and %q", prefix, path, resp.StatusCode, want)
		}
	}
	for _, path := range []string{"", "nothing", "assets/dashboard.js", "assets/../api.go", "api/state", "metrics", "joint"} {
		if resp, _ := fetch(t, "GET", site+prefix+path, "", nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s%s: got %d, want 404", prefix, path, resp.StatusCode)
		}
	}
	if prefix != tuber.DefaultPrefix {
		if _, body := fetch(t, "GET", site+tuber.DefaultPrefix+"join", "", nil); body != homePage {
			t.Errorf("%sjoin is the site's own, got %q", tuber.DefaultPrefix, body)
		}
	}
	if invite, err := h.NewInvite(1, time.Hour); err != nil || !strings.Contains(invite.URL(), prefix+"join#") {
		t.Errorf("got invite %v, %v, want one under %s", invite, err, prefix)
	}
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

func TestForwardedForOfATrustedProxyGoesUpstream(t *testing.T) {
	cfg := testConfig(t)
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	h, _ := begin(t, cfg)
	resp, _ := fetch(t, "GET", h.Addresses().Site, "", http.Header{"X-Forwarded-For": {"198.51.100.7"}})
	if got := resp.Header.Get("Seen-For"); !strings.HasPrefix(got, "198.51.100.7") {
		t.Errorf("upstream saw %q, want the visitor's address", got)
	}
}

// Behind a proxy that gives the site another name, the page's origin is held
// against the name that the browser sees, if the proxy is trusted.
func TestControlSocketBehindAProxyThatRenames(t *testing.T) {
	for name, c := range map[string]struct {
		trusted string
		origin  string
		want    int
	}{
		"trusted":          {"127.0.0.0/8", "https://tv.example", http.StatusSwitchingProtocols},
		"trusted, foreign": {"127.0.0.0/8", "https://evil.example", http.StatusForbidden},
		"not trusted":      {"192.0.2.0/24", "https://tv.example", http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(c.trusted)}
			h, _ := begin(t, cfg)
			conn, err := net.Dial("tcp", h.sockets.site.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "GET /.tuber/control HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Host: tv.example\r\nOrigin: %s\r\n"+
				"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", c.origin)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != c.want {
				t.Errorf("got status %d, want %d", res.StatusCode, c.want)
			}
		})
	}
}

func TestKillSwitch(t *testing.T) {
	cfg := testConfig(t)
	h, stop := begin(t, cfg)
	if err := h.SetEnabled(false); err != nil {
		t.Fatal(err)
	}
	site := h.Addresses().Site
	if _, body := fetch(t, "GET", site, "", http.Header{"Sec-Fetch-Dest": {"document"}}); !strings.Contains(body, "hello") {
		t.Errorf("got %q, want the page", body)
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
	stop()
	h, _ = run(t, cfg) // a restart does not switch peers on
	eventually(t, "the host is back", func() bool {
		a, err := DialAdmin(cfg.Dir)
		if err != nil {
			return false
		}
		s, err := a.State()
		return err == nil && !s.Enabled && !s.Planner
	})
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
	made, err := a.Invite(tuber.Offer{Uses: 2, Life: 7 * 24 * time.Hour, Note: "club"})
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
	if s, err := a.State(); err != nil || !s.Planner {
		t.Errorf("status: got %+v, %v", s, err)
	}
}

func TestDashboardOfARunningHost(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	resp, body := fetch(t, "GET", "http://"+h.sockets.dashboard.Addr().String()+"/metrics", "",
		http.Header{"Authorization": {"Bearer " + h.guard.secret}})
	for _, want := range []string{"tuber_viewers 0", "tuber_tabs 0", "tuber_planner_running 1", "tuber_sent_bytes_total", `tuber_uplink_bytes_total{class="first"}`, "go_goroutines"} {
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
		{"no directory", "--state", Config{Upstream: u}},
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
