package origin

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// policy is one Content-Security-Policy: directive to its sources, as written
// (W3C CSP Level 3 section 2.2).
type policy map[string][]string

// policies reads all headers of the name; each may hold several policies.
func policies(h http.Header) []policy {
	var all []policy
	for _, value := range h.Values("Content-Security-Policy") {
		for text := range strings.SplitSeq(value, ",") {
			if p := parsePolicy(text); len(p) > 0 {
				all = append(all, p)
			}
		}
	}
	return all
}

func parsePolicy(text string) policy {
	p := policy{}
	for directive := range strings.SplitSeq(text, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if _, twice := p[name]; !twice { // the first one holds (section 2.2.1)
			p[name] = words[1:]
		}
	}
	return p
}

// find is the first of the directives that the policy has.
func (p policy) find(names ...string) (sources []string, name string) {
	for _, n := range names {
		if s, ok := p[n]; ok {
			return s, n
		}
	}
	return nil, ""
}

// needs is what a page must be able to load for Tuber to run in it.
type needs struct {
	page           *url.URL // the document: what 'self' means
	script, worker *url.URL
	connect        []*url.URL
}

func newNeeds(v visitor, prefix string) needs {
	scheme, socket := "http", "ws"
	if v.secure {
		scheme, socket = "https", "wss"
	}
	at := func(scheme, path string) *url.URL { return &url.URL{Scheme: scheme, Host: v.host, Path: path} }
	return needs{
		page:   at(scheme, "/"),
		script: at(scheme, prefix+"page.js"),
		worker: at(scheme, prefix+"sw.js"),
		connect: []*url.URL{
			at(scheme, prefix+"ticket"), at(socket, prefix+"control"),
		},
	}
}

// choose returns the nonce for our script ("" if it needs none), and whether
// all policies let us run. No policy is weakened: who does not, keeps us out.
func (n needs) choose(all []policy) (nonce string, ok bool) {
	candidates := []string{}
	for _, p := range all {
		if !n.rest(p) {
			return "", false
		}
		sources, _ := p.find("script-src-elem", "script-src", "default-src")
		for _, s := range sources {
			if v := nonceOf(s); v != "" {
				candidates = append(candidates, v)
			}
		}
	}
	for _, nonce := range append(candidates, "") {
		if n.scripts(all, nonce) {
			return nonce, true
		}
	}
	return "", false
}

// scripts tells whether every policy loads our script with this nonce.
func (n needs) scripts(all []policy, nonce string) bool {
	for _, p := range all {
		sources, name := p.find("script-src-elem", "script-src", "default-src")
		if name == "" || nonce != "" && hasNonce(sources, nonce) {
			continue
		}
		if hasKeyword(sources, "'strict-dynamic'") || !n.matches(sources, n.script) {
			return false
		}
	}
	return true
}

// rest tells whether the policy lets our worker, our sockets and our links be.
func (n needs) rest(p policy) bool {
	if flags, ok := p["sandbox"]; ok && !(hasKeyword(flags, "allow-scripts") && hasKeyword(flags, "allow-same-origin")) {
		return false
	}
	if _, ok := p["require-trusted-types-for"]; ok {
		return false // a worker's address would have to come from the page's own policy
	}
	if hasKeyword(p["webrtc"], "'block'") {
		return false
	}
	sources, name := p.find("worker-src", "child-src", "script-src", "default-src")
	dynamic := name == "script-src" && hasKeyword(sources, "'strict-dynamic'") // section 6.7.1.1: not parser-inserted
	if name != "" && !dynamic && !n.matches(sources, n.worker) {
		return false
	}
	sources, name = p.find("connect-src", "default-src")
	for _, u := range n.connect {
		if name != "" && !n.matches(sources, u) {
			return false
		}
	}
	return true
}

var nonceSource = regexp.MustCompile(`^(?i:'nonce-)([A-Za-z0-9+/_-]+={0,2})'$`)

func nonceOf(source string) string {
	if m := nonceSource.FindStringSubmatch(source); m != nil {
		return m[1]
	}
	return ""
}

func hasNonce(sources []string, nonce string) bool {
	for _, s := range sources {
		if nonceOf(s) == nonce {
			return true
		}
	}
	return false
}

func hasKeyword(sources []string, keyword string) bool {
	for _, s := range sources {
		if strings.EqualFold(s, keyword) {
			return true
		}
	}
	return false
}

// matches tells whether one of the sources is u (section 6.7.2.7).
func (n needs) matches(sources []string, u *url.URL) bool {
	for _, s := range sources {
		if n.match(s, u) {
			return true
		}
	}
	return false
}
