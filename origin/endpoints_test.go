package origin

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

type tickets struct{}

func (tickets) Ticket(f tuber.Fingerprint) string { return "ticket for " + string(f[:1]) }

func TestEndpoints(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Errorf("the site saw %s", r.URL) })
	s := put(t, site, func(c *Config) { c.Key, c.Epoch, c.Tickets, c.PlannerKey = key, 7, tickets{}, tuber.PublicKey{1} })
	for path, want := range map[string]struct{ body, allowed string }{"page.js": {"page()", ""}, "sw.js": {"worker()", "/"}} {
		res, body := s.ask("GET", "/.tuber/"+path, nil)
		if body != want.body || res.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || res.Header.Get("Service-Worker-Allowed") != want.allowed {
			t.Errorf("%s: got %q %v", path, body, res.Header)
		}
		if res, _ = s.ask("GET", "/.tuber/"+path, nil, "If-None-Match", res.Header.Get("Etag")); res.StatusCode != 304 {
			t.Errorf("%s again: got %d, want 304", path, res.StatusCode)
		}
	}
	_, body := s.ask("GET", "/.tuber/time", nil)
	var m moment
	if err := json.Unmarshal([]byte(body), &m); err != nil || m.Epoch != 7 || time.Since(time.UnixMilli(int64(m.Now))).Abs() > time.Minute {
		t.Errorf("time: got %s, %v", body, err)
	}
	for _, path := range []string{"", "x", "join", "page.js/", "../secret"} {
		if res, _ := s.ask("GET", "/.tuber/"+path, nil); res.StatusCode != 404 {
			t.Errorf("%q: got %d, want 404", path, res.StatusCode)
		}
	}
	if res, _ := s.ask("POST", "/.tuber/page.js", nil); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST page.js: got %d %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestTickets(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	s := put(t, http.NotFoundHandler(), func(c *Config) { c.Key, c.Epoch, c.Tickets, c.PlannerKey = key, 7, tickets{}, tuber.PublicKey{1} })
	good := `{"fingerprint":"` + base64.RawURLEncoding.EncodeToString([]byte("A"+strings.Repeat("b", 31))) + `"}`
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
	}{
		{"this site", good, []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"another site", good, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another name of this site", good, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"typed", good, []string{"Sec-Fetch-Site", "none"}, 403},
		{"two answers", good, []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"}, 403},
		{"old browser", good, []string{"Origin", "http://home.example", "Host", "home.example"}, 200},
		{"old browser elsewhere", good, []string{"Origin", "http://evil.example", "Host", "home.example"}, 403},
		{"opaque origin", good, []string{"Origin", "null"}, 403},
		{"no browser", good, nil, 403},
		{"cross-site with our origin", good, []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://home.example", "Host", "home.example"}, 403},
		{"short", `{"fingerprint":"AAAA"}`, []string{"Sec-Fetch-Site", "same-origin"}, 400},
		{"no JSON", `x`, []string{"Sec-Fetch-Site", "same-origin"}, 400},
		{"padded", strings.Replace(good, `"}`, `="}`, 1), []string{"Sec-Fetch-Site", "same-origin"}, 400},
		{"long", `{"x":"` + strings.Repeat("x", maxTicketBody) + `"}`, []string{"Sec-Fetch-Site", "same-origin"}, 400},
	} {
		res, body := s.ask("POST", "/.tuber/ticket", strings.NewReader(c.body), c.headers...)
		if res.StatusCode != c.status || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %q, want %d and no-store", c.name, res.StatusCode, body, c.status)
		}
		if c.status != 200 {
			continue
		}
		var a ticketAnswer
		if err := json.Unmarshal([]byte(body), &a); err != nil || a.Ticket != "ticket for A" || a.Epoch != 7 || a.Now == 0 ||
			a.Site != tuber.PublicKeyOf(key) || a.Planner != (tuber.PublicKey{1}) {
			t.Errorf("%s: got %s, %v", c.name, body, err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	h := http.NotFoundHandler()
	for name, c := range map[string]Config{
		"no site":        {},
		"bad prefix":     {Handler: h, Prefix: "tuber"},
		"root prefix":    {Handler: h, Prefix: "/"},
		"moving prefix":  {Handler: h, Prefix: "/../"},
		"bad key":        {Handler: h, Key: make([]byte, 3)},
		"bad mode":       {Handler: h, Follow: "sometimes"},
		"rule sans path": {Handler: h, Rules: []ShareRule{{}}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
