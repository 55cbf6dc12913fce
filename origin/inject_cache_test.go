package origin

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// TestRevalidation: a browser asks again with what it kept.
func TestRevalidation(t *testing.T) {
	const date = "Sat, 21 Nov 2026 10:00:00 GMT"
	doc := []string{"Sec-Fetch-Dest", "document"}
	for _, c := range []struct {
		name, path, etag string
		ask              []string
		status           int
		gotTag           string
	}{
		{"first visit", "/", `"v"`, doc, 200, `W/"v-tuber"`},
		{"our tag", "/", `"v"`, append(doc, "If-None-Match", `W/"v-tuber"`), 304, `W/"v-tuber"`},
		{"our tag of a weak one", "/", `W/"v"`, append(doc, "If-None-Match", `W/"v-tuberw"`), 304, `W/"v-tuberw"`},
		{"our older tag", "/", `"v"`, append(doc, "If-None-Match", `W/"u-tuber"`), 200, `W/"v-tuber"`},
		{"kept from before Tuber", "/", `"v"`, append(doc, "If-None-Match", `"v"`), 200, `W/"v-tuber"`},
		{"both", "/", `"v"`, append(doc, "If-None-Match", `"v", W/"v-tuber"`), 304, `W/"v-tuber"`},
		{"comma in a tag", "/", `"a,b"`, append(doc, "If-None-Match", `W/"a,b-tuber"`), 304, `W/"a,b-tuber"`},
		{"date from before Tuber", "/", "", append(doc, "If-Modified-Since", date), 200, dateTag(date)},
		{"date of ours", "/", "", append(doc, "If-Modified-Since", date, "If-None-Match", dateTag(date)), 304, dateTag(date)},
		{"image in a tab", "/i.png", `"v"`, append(doc, "If-None-Match", `"v"`), 304, `"v"`},
		{"script's fetch with the page's tag", "/", `"v"`, []string{"Sec-Fetch-Dest", "empty", "If-None-Match", `W/"v-tuber"`}, 200, `"v"`},
		{"script's fetch with its own", "/", `"v"`, []string{"Sec-Fetch-Dest", "empty", "If-None-Match", `"v"`}, 304, `"v"`},
		{"If-Match names the resource", "/", `"v"`, []string{"Sec-Fetch-Dest", "empty", "If-Match", `W/"v-tuber"`}, 200, `"v"`},
	} {
		s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Last-Modified", date)
			switch match := r.Header.Get("If-None-Match"); {
			case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != c.etag:
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			case c.etag != "":
				w.Header().Set("Etag", c.etag)
				if match == c.etag {
					w.WriteHeader(http.StatusNotModified)
					return
				}
			case r.Header.Get("If-Modified-Since") == date && match == "":
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, page)
		}))
		res, _ := s.ask("GET", c.path, nil, c.ask...)
		if res.StatusCode != c.status || res.Header.Get("Etag") != c.gotTag {
			t.Errorf("%s: got %d %s, want %d %s", c.name, res.StatusCode, res.Header.Get("Etag"), c.status, c.gotTag)
		}
	}
}

func TestPlainHTTP(t *testing.T) {
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page)
	})
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, c := range []struct {
		name    string
		trusted []netip.Prefix
		ask     []string
		want    bool
	}{
		{"another machine", nil, []string{"Host", "home.example", "Accept", "text/html"}, false},
		{"a private address", nil, []string{"Host", "192.168.1.5:8080", "Accept", "text/html"}, false},
		{"localhost", nil, []string{"Host", "LocalHost:8080", "Accept", "text/html"}, true},
		{"name below localhost", nil, []string{"Host", "a.localhost", "Accept", "text/html"}, true},
		{"loopback address", nil, []string{"Host", "127.3.4.5", "Accept", "text/html"}, true},
		{"IPv6 loopback", nil, []string{"Host", "[::1]:80", "Accept", "text/html"}, true},
		{"name that only begins so", nil, []string{"Host", "localhost.example", "Accept", "text/html"}, false},
		{"proxy with HTTPS", local, []string{"Host", "home.example", "Accept", "text/html", "X-Forwarded-Proto", "https"}, true},
		{"proxy without", local, []string{"Host", "home.example", "Accept", "text/html", "X-Forwarded-Proto", "http"}, false},
		{"spoofed", nil, []string{"Host", "home.example", "Accept", "text/html", "X-Forwarded-Proto", "https"}, false},
		{"the browser sees HTTPS", nil, []string{"Host", "home.example", "Sec-Fetch-Dest", "document"}, true},
	} {
		var log lines
		s := put(t, site, func(cfg *Config) { cfg.TrustedProxies, cfg.Log = c.trusted, log.logger() })
		for range 3 {
			_, body := s.ask("GET", "/", nil, c.ask...)
			if has := strings.Contains(body, tag); has != c.want {
				t.Errorf("%s: injected %v, want %v", c.name, has, c.want)
			}
		}
		if n := log.count("HTTPS"); c.want && n != 0 || !c.want && n != 1 {
			t.Errorf("%s: told %d times", c.name, n)
		}
	}
}

// A page still gets the script while the host's switch is off: only it can
// unregister the worker of an earlier visit. A site's own worker is left alone.
func TestSwitchedOff(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/own.js" {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, "self.x=1")
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page)
	}), func(c *Config) { c.Off = func() bool { return true } })
	if _, body := s.ask("GET", "/", nil, "Sec-Fetch-Dest", "document"); !strings.Contains(body, "/.tuber/page.js") {
		t.Errorf("the page cannot unregister its worker: %q", body)
	}
	if _, body := s.ask("GET", "/own.js", nil, "Service-Worker", "script", "Sec-Fetch-Dest", "serviceworker"); body != "self.x=1" {
		t.Errorf("the site's own worker became %q", body)
	}
}

func TestSitesOwnWorker(t *testing.T) {
	const call = `importScripts("/.tuber/sw.js");`
	for _, c := range []struct{ name, script, want string }{
		{"classic", "self.x=1", call + "self.x=1"},
		{"strict", "/* c */ // d\n'use strict';\nx=1", `"use strict";` + call + "/* c */ // d\n'use strict';\nx=1"},
		{"strict later", "x=1;'use strict'", call + "x=1;'use strict'"},
		{"module", "// m\nimport {a} from './a.js';", `import "/.tuber/sw.js";` + "// m\nimport {a} from './a.js';"},
		{"module with a default", "import a from './a.js';", `import "/.tuber/sw.js";` + "import a from './a.js';"},
		{"dynamic import is none", "import('./a.js')", call + "import('./a.js')"},
		{"importScripts is none", "importScripts('a.js')", call + "importScripts('a.js')"},
		{"byte order mark", "\xef\xbb\xbfx", "\xef\xbb\xbf" + call + "x"},
		{"long", strings.Repeat("x;", lookAhead), call + strings.Repeat("x;", lookAhead)},
	} {
		s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			w.Header().Set("Etag", `"v"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(c.script)))
			fmt.Fprint(w, c.script)
		}))
		res, body := s.ask("GET", "/sw.js", nil, "Service-Worker", "script", "Sec-Fetch-Dest", "serviceworker")
		if body != c.want || res.ContentLength != int64(len(c.want)) || res.Header.Get("Etag") != `W/"v-tuber"` {
			t.Errorf("%s: got %.200q, length %d, etag %s, want %.200q", c.name, body, res.ContentLength, res.Header.Get("Etag"), c.want)
		}
		if _, body = s.ask("GET", "/sw.js", nil, "Sec-Fetch-Dest", "script"); body != c.script {
			t.Errorf("%s: as an ordinary script got %.200q", c.name, body)
		}
	}
}
