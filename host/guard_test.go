package host

import (
	"bufio"

	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/admin"
)

// fakeConsole counts what was done to it.
type fakeConsole struct{ done atomic.Int64 }

const canary = "canary-invite-note"

func (c *fakeConsole) State() (tuber.HostState, error) {
	return tuber.HostState{Invites: []tuber.InviteRecord{{Note: canary}}, BoosterList: []tuber.HostBooster{}}, nil
}

func (c *fakeConsole) Invite(o tuber.Offer) (tuber.Invited, error) {
	if _, err := checked(o); err != nil {
		return tuber.Invited{}, err
	}
	c.done.Add(1)
	return tuber.Invited{URL: canary}, nil
}

func (c *fakeConsole) RevokeInvite(id string) error {
	if id == "unknown" {
		return tuber.ErrInviteUnknown
	}
	c.done.Add(1)
	return nil
}

func (c *fakeConsole) RemoveBooster(tuber.PeerID) error { c.done.Add(1); return nil }
func (c *fakeConsole) SetEnabled(bool) error            { c.done.Add(1); return nil }
func (c *fakeConsole) SetPlanner(bool) error            { c.done.Add(1); return nil }

// guarded serves the dashboard over a real loopback socket.
func guarded(t *testing.T) (*guard, *fakeConsole, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := new(fakeConsole)
	g := newGuard(portOf(ln.Addr()), dashboard(c, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, canary)
	})))
	srv := httptest.NewUnstartedServer(g)
	srv.Listener.Close()
	srv.Listener = ln
	srv.Start()
	t.Cleanup(srv.Close)
	return g, c, ln.Addr().String()
}

// knock sends one request as it stands and returns the answer's code and body.
func knock(t *testing.T, addr, method, target, host, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, target, host)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if _, err := io.WriteString(conn, b.String()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

const asJSON = "Content-Type: application/json"

// An evil page in the owner's browser, or a program beside it, gets nothing and
// changes nothing (T13). HOST and PORT stand for the dashboard's own, COOKIE
// for the owner's cookie, which a browser may attach by itself.
func TestDashboardRefusesStrangers(t *testing.T) {
	const post, get = http.MethodPost, http.MethodGet
	switchOff := `{"on":false}`
	for _, c := range []struct {
		name, method, target, host, body string
		headers                          []string
	}{
		{"no key", get, "/", "HOST", "", nil},
		{"no key, state", get, "/api/state", "HOST", "", nil},
		{"no key, metrics", get, "/metrics", "HOST", "", nil},
		{"no key, script", get, "/assets/dashboard.js", "HOST", "", nil},
		{"wrong key", get, "/?key=guess", "HOST", "", nil},
		{"empty key", get, "/?key=", "HOST", "", nil},
		{"key of another path", get, "/api/state?key=KEY", "HOST", "", nil},
		{"key twice, wrong first", get, "/?key=guess&key=KEY", "HOST", "", nil},
		{"wrong cookie", get, "/api/state", "HOST", "", []string{"Cookie: tuber-dashboard-PORT=guess"}},
		{"cookie of another port", get, "/api/state", "HOST", "", []string{"Cookie: tuber-dashboard-1=SESSION"}},
		{"key as cookie", get, "/api/state", "HOST", "", []string{"Cookie: tuber-dashboard-PORT=KEY"}},
		{"wrong bearer", get, "/metrics", "HOST", "", []string{"Authorization: Bearer guess"}},
		{"empty bearer", get, "/metrics", "HOST", "", []string{"Authorization: Bearer "}},
		{"session as bearer", get, "/metrics", "HOST", "", []string{"Authorization: Bearer SESSION"}},
		{"basic", get, "/metrics", "HOST", "", []string{"Authorization: Basic KEY"}},
		{"rebound name", get, "/api/state", "evil.example:PORT", "", []string{"COOKIE"}},
		{"rebound name, with key", get, "/?key=KEY", "evil.example:PORT", "", nil},
		{"rebound name without port", get, "/api/state", "evil.example", "", []string{"COOKIE"}},
		{"name that begins like ours", get, "/api/state", "127.0.0.1.evil.example:PORT", "", []string{"COOKIE"}},
		{"name that ends like ours", get, "/api/state", "evil.localhost:PORT", "", []string{"COOKIE"}},
		{"another port", get, "/api/state", "127.0.0.1:1", "", []string{"COOKIE"}},
		{"no port", get, "/api/state", "127.0.0.1", "", []string{"COOKIE"}},
		{"other loopback form", get, "/api/state", "127.1:PORT", "", []string{"COOKIE"}},
		{"unspecified", get, "/api/state", "0.0.0.0:PORT", "", []string{"COOKIE"}},
		{"userinfo", get, "/api/state", "127.0.0.1:PORT@evil.example", "", []string{"COOKIE"}},
		{"no-cors GET", get, "/api/state", "HOST", "", []string{"COOKIE", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}},
		{"image", get, "/assets/mark.svg", "HOST", "", []string{"COOKIE", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: image"}},
		{"frame", get, "/", "HOST", "", []string{"COOKIE", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: iframe"}},
		{"link from a site", get, "/", "HOST", "", []string{"COOKIE", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}},
		{"key from a site", get, "/?key=KEY", "HOST", "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}},
		{"another port, same site", get, "/api/state", "HOST", "", []string{"COOKIE", "Sec-Fetch-Site: same-site"}},
		{"cors GET", get, "/api/state", "HOST", "", []string{"COOKIE", "Origin: https://evil.example"}},
		{"null origin", get, "/api/state", "HOST", "", []string{"COOKIE", "Origin: null"}},
		{"origin of another port", get, "/api/state", "HOST", "", []string{"COOKIE", "Origin: http://127.0.0.1:1"}},
		{"origin by https", get, "/api/state", "HOST", "", []string{"COOKIE", "Origin: https://HOST"}},
		{"two origins", get, "/api/state", "HOST", "", []string{"COOKIE", "Origin: http://HOST", "Origin: https://evil.example"}},
		{"referer", get, "/api/state", "HOST", "", []string{"COOKIE", "Referer: https://evil.example/page"}},
		{"referer that begins like ours", get, "/api/state", "HOST", "", []string{"COOKIE", "Referer: http://HOST.evil.example/"}},
		{"form", post, "/api/enabled", "HOST", switchOff, []string{"COOKIE", "Origin: https://evil.example", "Content-Type: text/plain"}},
		{"form without origin", post, "/api/enabled", "HOST", "on=false", []string{"COOKIE", "Content-Type: application/x-www-form-urlencoded"}},
		{"own form", post, "/api/enabled", "HOST", switchOff, []string{"COOKIE", "Content-Type: text/plain"}},
		{"post by fetch", post, "/api/enabled", "HOST", switchOff, []string{"COOKIE", asJSON, "Origin: https://evil.example"}},
		{"post, cross-site", post, "/api/enabled", "HOST", switchOff, []string{"COOKIE", asJSON, "Sec-Fetch-Site: cross-site"}},
		{"post, same-site", post, "/api/enabled", "HOST", switchOff, []string{"COOKIE", asJSON, "Sec-Fetch-Site: same-site"}},
		{"post, referer", post, "/api/invites", "HOST", `{}`, []string{"COOKIE", asJSON, "Referer: https://evil.example/"}},
		{"post, rebound", post, "/api/invites", "evil.example:PORT", `{}`, []string{"COOKIE", asJSON}},
		{"post without key", post, "/api/invites", "HOST", `{}`, []string{asJSON}},
		{"put", http.MethodPut, "/api/enabled", "HOST", switchOff, []string{"COOKIE", asJSON}},
		{"preflight", http.MethodOptions, "/api/enabled", "HOST", "", []string{"Origin: https://evil.example", "Access-Control-Request-Method: POST"}},
		{"GET of what changes", get, "/api/enabled", "HOST", "", []string{"COOKIE"}},
		{"GET of invites", get, "/api/invites", "HOST", "", []string{"COOKIE"}},
		{"delete by method header", get, "/api/invites/revoke", "HOST", "", []string{"COOKIE", "X-HTTP-Method-Override: POST"}},
		{"websocket from another origin", get, "/api/state", "HOST", "", []string{"COOKIE", "Origin: https://evil.example", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, console, addr := guarded(t)
			fill := strings.NewReplacer("HOST", addr, "PORT", g.port, "KEY", g.secret, "SESSION", g.session,
				"COOKIE", "Cookie: "+g.cookie()+"="+g.session)
			var headers []string
			for _, h := range c.headers {
				headers = append(headers, fill.Replace(h))
			}
			code, header, body := knock(t, addr, c.method, fill.Replace(c.target), fill.Replace(c.host), c.body, headers...)
			if code < 400 {
				t.Errorf("got %d, want a refusal", code)
			}
			if strings.Contains(body, canary) {
				t.Errorf("data was read: %q", body)
			}
			if got := console.done.Load(); got != 0 {
				t.Errorf("%d changes were made, want none", got)
			}
			if got := header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("another origin may read: %q", got)
			}
			if len(header.Values("Set-Cookie")) > 0 {
				t.Error("a cookie was given away")
			}
		})
	}
}

// The owner, who opens the printed address, gets in and can act.
func TestDashboardLetsTheOwnerIn(t *testing.T) {
	g, console, addr := guarded(t)
	code, header, _ := knock(t, addr, "GET", "/?key="+g.secret, addr, "", "Sec-Fetch-Site: none")
	if code != http.StatusSeeOther || header.Get("Location") != "/" {
		t.Fatalf("got %d to %q, want a redirect to /", code, header.Get("Location"))
	}
	set := header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/", g.cookie() + "="} {
		if !strings.Contains(set, want) {
			t.Errorf("cookie %q lacks %s", set, want)
		}
	}
	if strings.Contains(set, g.secret) {
		t.Error("the cookie is the key itself")
	}
	cookie := "Cookie: " + strings.SplitN(set, ";", 2)[0]
	for _, path := range []string{"/", "/assets/style.css", "/assets/dashboard.js", "/assets/qr.js", "/assets/graph.js", "/assets/mark.svg", "/api/state", "/metrics"} {
		code, header, body := knock(t, addr, "GET", path, addr, "", cookie, "Sec-Fetch-Site: same-origin")
		if code != http.StatusOK || body == "" {
			t.Errorf("%s: got %d and %d bytes", path, code, len(body))
		}
		if got := header.Get("X-Frame-Options"); got != "DENY" {
			t.Errorf("%s: X-Frame-Options %q", path, got)
		}
		if got := header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, got)
		}
	}
	code, _, body := knock(t, addr, "POST", "/api/invites", addr, `{"uses":2,"life":3600000000000}`,
		cookie, asJSON, "Origin: http://"+addr, "Sec-Fetch-Site: same-origin")
	if code != http.StatusOK || !strings.Contains(body, canary) || console.done.Load() != 1 {
		t.Errorf("make invite: got %d %q and %d changes", code, body, console.done.Load())
	}
	code, _, body = knock(t, addr, "GET", "/metrics", addr, "", "Authorization: Bearer "+g.secret)
	if code != http.StatusOK || body != canary {
		t.Errorf("scrape: got %d %q", code, body)
	}
	name := "localhost:" + g.port
	if code, _, _ := knock(t, addr, "GET", "/api/state", name, "", cookie); code != http.StatusOK {
		t.Errorf("by the name localhost: got %d", code)
	}
}

func TestAPIRefusesBadRequests(t *testing.T) {
	srv := httptest.NewServer(api(new(fakeConsole)))
	defer srv.Close()
	addr := srv.Listener.Addr().String()
	for _, c := range []struct {
		name, path, body string
		want             int
	}{
		{"not JSON", "/api/invites", "uses=1", http.StatusBadRequest},
		{"two values", "/api/invites", `{} {}`, http.StatusBadRequest},
		{"too long", "/api/invites", `{"note":"` + strings.Repeat("x", maxBody) + `"}`, http.StatusBadRequest},
		{"too many uses", "/api/invites", `{"uses":1001}`, http.StatusUnprocessableEntity},
		{"negative uses", "/api/invites", `{"uses":-1}`, http.StatusUnprocessableEntity},
		{"a life of a second", "/api/invites", `{"life":1000000000}`, http.StatusUnprocessableEntity},
		{"a long note", "/api/invites", `{"note":"` + strings.Repeat("x", 81) + `"}`, http.StatusUnprocessableEntity},
		{"an unknown invite", "/api/invites/revoke", `{"id":"unknown"}`, http.StatusUnprocessableEntity},
		{"half a peer id", "/api/boosters/remove", `{"id":"00ff"}`, http.StatusBadRequest},
	} {
		if code, _, body := knock(t, addr, "POST", c.path, addr, c.body, asJSON); code != c.want || body == "" {
			t.Errorf("%s: got %d %q, want %d", c.name, code, body, c.want)
		}
	}
}

// The command's end of the admin socket says what the host's end said.
func TestAdminSocket(t *testing.T) {
	dir := t.TempDir()
	if _, err := DialAdmin(dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
	ln, err := admin.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := new(fakeConsole)
	srv := newServer("admin socket", ln, plainServer(api(c)))
	served := make(chan error, 1)
	go func() { served <- srv.serve() }()
	a, err := DialAdmin(dir)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := a.Invite(tuber.Offer{Uses: 3}); err != nil || v.URL != canary {
		t.Errorf("invite: got %+v, %v", v, err)
	}
	if list, err := a.Invites(); err != nil || len(list) != 1 || list[0].Note != canary {
		t.Errorf("invites: got %+v, %v", list, err)
	}
	if err := a.RevokeInvite("unknown"); err == nil || err.Error() != tuber.ErrInviteUnknown.Error() {
		t.Errorf("revoke: got %v, want %v", err, tuber.ErrInviteUnknown)
	}
	if err := a.RevokeInvite("x"); err != nil {
		t.Errorf("revoke: %v", err)
	}
	if got := c.done.Load(); got != 2 {
		t.Errorf("%d changes, want 2", got)
	}
	srv.stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	// A host that was killed leaves its socket behind; the next one takes its place.
	again, err := admin.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestMissingIsOneSentence(t *testing.T) {
	for short, want := range map[tuber.BitsPerSecond]string{
		0: "", 3e6: "3.0 Mbit/s of upload are missing: one more booster of 10 Mbit/s would do.",
		17e6: "17.0 Mbit/s of upload are missing: 2 more boosters of 10 Mbit/s would do.",
	} {
		if got := missing(short); got != want {
			t.Errorf("%v: got %q, want %q", short, got, want)
		}
	}
}

func TestStateIsOneJSONObject(t *testing.T) {
	b, err := json.Marshal(tuber.HostState{Site: "http://a/", BoosterList: []tuber.HostBooster{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"viewers":0`, `"fromPeers":0`, `"enabled":false`, `"boosterList":[]`, `"site":"http://a/"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
}
