package origin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestChoose: each row's lines are headers; the page is https://home.example/.
func TestChoose(t *testing.T) {
	for _, c := range []struct {
		policy string // lines are separate headers
		ok     bool
		nonce  string
	}{
		{"", true, ""},
		{"object-src 'none'", true, ""},
		{"default-src 'self'", true, ""},
		{"default-src 'SELF'", true, ""},
		{"default-src *", true, ""},
		{"default-src 'none'", false, ""},
		{"default-src", false, ""},
		{"default-src https:", false, ""}, // admits no WebSocket
		{"default-src https: wss:", true, ""},
		{"default-src http:; connect-src 'self'", true, ""},
		{"default-src home.example; connect-src 'self'", true, ""},
		{"default-src home.example:443; connect-src 'self'", true, ""},
		{"default-src home.example:8443; connect-src 'self'", false, ""},
		{"default-src home.example:*; connect-src 'self'", true, ""},
		{"default-src https://home.example wss://home.example", true, ""},
		{"default-src http://home.example wss://home.example", true, ""},
		{"default-src *.example; connect-src 'self'", true, ""},
		{"default-src *.home.example; connect-src 'self'", false, ""},
		{"default-src cdn.example", false, ""},
		{"script-src https://home.example/.tuber/; default-src 'self'", true, ""},
		{"script-src https://home.example/.tuber/page.js; worker-src 'self'", true, ""},
		{"script-src https://home.example/js/; worker-src 'self'", false, ""},
		{"script-src 'none'", false, ""},
		{"script-src 'self'", true, ""},
		{"script-src 'self' 'unsafe-inline'", true, ""},
		{"script-src 'unsafe-inline'", false, ""},
		{"script-src 'sha256-AAAA'", false, ""},
		{"script-src 'self' 'sha256-AAAA'", true, ""},
		{"script-src-elem 'self'; script-src 'none'; worker-src 'self'", true, ""},
		{"script-src-elem 'none'; script-src 'self'", false, ""},
		{"script-src 'nonce-abc+/='", false, ""}, // the worker is not let
		{"script-src 'nonce-abc+/='; worker-src 'self'", true, "abc+/="},
		{"script-src 'Nonce-abc'; worker-src 'self'", true, "abc"},
		{"script-src 'self' 'nonce-abc'", true, "abc"},
		{"script-src 'nonce-abc' 'strict-dynamic'", true, "abc"},
		{"script-src 'nonce-abc' 'strict-dynamic' https: 'unsafe-inline'; object-src 'none'; base-uri 'none'", true, "abc"},
		{"script-src 'strict-dynamic' 'self'", false, ""},
		{"script-src 'strict-dynamic' 'sha256-AAAA'", false, ""},
		{"default-src 'nonce-abc' 'strict-dynamic'", false, ""},
		{`script-src 'nonce-"><script>' 'self'`, true, ""},
		{"script-src 'nonce-' 'self'", true, ""},
		{"script-src 'self'; worker-src 'none'", false, ""},
		{"script-src 'self'; worker-src blob:", false, ""},
		{"script-src 'self'; child-src 'none'", false, ""},
		{"script-src 'self'; worker-src 'self'; child-src 'none'", true, ""},
		{"connect-src 'none'", false, ""},
		{"connect-src 'self'", true, ""},
		{"connect-src api.example", false, ""},
		{"connect-src https://home.example", false, ""},
		{"sandbox", false, ""},
		{"sandbox allow-scripts", false, ""},
		{"sandbox allow-scripts allow-same-origin", true, ""},
		{"require-trusted-types-for 'script'", false, ""},
		{"webrtc 'block'", false, ""},
		{"webrtc 'allow'", true, ""},
		{"script-src 'self'; script-src 'none'", true, ""},
		{"SCRIPT-SRC 'self'", true, ""},
		{"script-src 'self', script-src 'none'", false, ""},
		{"script-src 'self'\nscript-src 'none'", false, ""},
		{"script-src 'self'\ndefault-src 'self'", true, ""},
		{"script-src 'nonce-a'; worker-src 'self'\nscript-src 'nonce-b'; worker-src 'self'", false, ""},
		{"script-src 'nonce-a' 'nonce-b'; worker-src 'self'\nscript-src 'nonce-b'; worker-src 'self'", true, "b"},
		{"script-src 'nonce-a' 'self'\nscript-src 'self'", true, "a"},
		{" ; ;; ", true, ""},
	} {
		h := http.Header{}
		for line := range strings.SplitSeq(c.policy, "\n") {
			if line != "" {
				h.Add("Content-Security-Policy", line)
			}
		}
		nonce, ok := newNeeds(visitor{host: "home.example", secure: true}, "/.tuber/").choose(policies(h))
		if ok != c.ok || nonce != c.nonce {
			t.Errorf("%q: got %v with nonce %q, want %v with %q", c.policy, ok, nonce, c.ok, c.nonce)
		}
	}
}

// TestPoliciesOnPages: what a policy does not let is not sent, and is told once.
func TestPoliciesOnPages(t *testing.T) {
	n := 0
	var log lines
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", strings.ReplaceAll(r.Header.Get("X-Policy"), "NEW", fmt.Sprint("n", n)))
		fmt.Fprint(w, page)
	}), func(c *Config) { c.Log = log.logger() })
	ask := func(policy string) (string, string) {
		res, body := s.ask("GET", "/", nil, "Sec-Fetch-Dest", "document", "X-Policy", policy)
		return body, res.Header.Get("Content-Security-Policy")
	}
	for range 3 {
		body, policy := ask("script-src 'nonce-NEW' 'strict-dynamic'")
		if want := fmt.Sprintf(`<script src="/.tuber/page.js" nonce="n%d" async></script>`, n); !strings.Contains(body, want) {
			t.Errorf("got %q, want %s", body, want)
		}
		if want := fmt.Sprintf("script-src 'nonce-n%d' 'strict-dynamic'", n); policy != want {
			t.Errorf("got policy %q, want it as it was: %q", policy, want)
		}
	}
	for _, policy := range []string{"script-src 'sha256-abc'", "script-src 'nonce-NEW'; worker-src 'none'"} {
		for range 3 {
			if body, _ := ask(policy); body != page {
				t.Errorf("policy %q: got %q, want the page as it was", policy, body)
			}
		}
	}
	if got := log.count("Content-Security-Policy"); got != 2 {
		t.Errorf("told %d times of 2 policies", got)
	}
}
