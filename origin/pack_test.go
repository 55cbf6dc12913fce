package origin

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
)

// On a scarce line what a site sends as it is goes packed to whom takes that, and
// nothing else is touched.
func TestPack(t *testing.T) {
	script := strings.Repeat("let tuber = 'a potato';\n", 1000)
	gz := []string{"Accept-Encoding", "gzip, br"}
	for _, c := range []struct {
		name   string
		line   tuber.BitsPerSecond
		method string
		ask    []string
		site   map[string]string
		status int
		packed bool
	}{
		{"a script", 3e6, "GET", gz, nil, 200, true},
		{"a line that was not declared", tuber.Unlimited, "GET", gz, nil, 200, false},
		{"who takes none", 3e6, "GET", []string{"Accept-Encoding", "identity"}, nil, 200, false},
		{"who refuses", 3e6, "GET", []string{"Accept-Encoding", "gzip;q=0"}, nil, 200, false},
		{"no more than its length", 3e6, "HEAD", gz, nil, 200, false},
		{"a part", 3e6, "GET", gz, nil, 206, false},
		{"a page", 3e6, "GET", gz, map[string]string{"Content-Type": "text/html"}, 200, false},
		{"a picture", 3e6, "GET", gz, map[string]string{"Content-Type": "image/png"}, 200, false},
		{"what the site packed", 3e6, "GET", gz, map[string]string{"Content-Encoding": "br"}, 200, false},
		{"what must stay as it is", 3e6, "GET", gz, map[string]string{"Cache-Control": "no-transform"}, 200, false},
		{"what is for one visitor", 3e6, "GET", gz, map[string]string{"Set-Cookie": "a=b"}, 200, false},
	} {
		s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Type", "text/javascript; charset=utf-8")
			h.Set("Etag", `"v"`)
			h.Set("Accept-Ranges", "bytes")
			for k, v := range c.site {
				h.Set(k, v)
			}
			h.Set("Content-Length", "24000")
			w.WriteHeader(c.status)
			if r.Method != http.MethodHead {
				_, _ = io.WriteString(w, script)
			}
		}), func(cfg *Config) { cfg.Uplink = tuber.NewUplink(c.line) })
		res, body := s.ask(c.method, "/app.js", nil, c.ask...)
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != c.packed {
			t.Errorf("%s: packed %v, want %v", c.name, got, c.packed)
			continue
		}
		if !c.packed {
			if res.Header.Get("Etag") != `"v"` || res.ContentLength != 24000 || c.method == "GET" && body != script {
				t.Errorf("%s: it was changed: %v", c.name, res.Header)
			}
			continue
		}
		if len(body) > len(script)/10 || unzip(t, body) != script {
			t.Errorf("%s: another body came, of %d bytes", c.name, len(body))
		}
		if h := res.Header; h.Get("Etag") != `W/"v-tuberz"` || h.Get("Vary") != "Accept-Encoding" || h.Get("Accept-Ranges") != "" {
			t.Errorf("%s: %v", c.name, h)
		}
	}
}

func unzip(t *testing.T, body string) string {
	t.Helper()
	gz, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The site knows its own tags when a browser asks again with what it kept packed.
func TestPackedIsAskedForAgain(t *testing.T) {
	var got http.Header
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r.Header }))
	for _, c := range []struct{ name, sent, want string }{
		{"If-None-Match", `W/"v-tuberz"`, `"v"`},
		{"If-None-Match", `W/"v-tuberzw", "x"`, `W/"v", "x"`},
		{"If-Match", `W/"v-tuberz"`, `"v"`},
		{"If-Range", `W/"v-tuberz"`, ""},
	} {
		s.ask("GET", "/app.js", nil, c.name, c.sent, "Range", "bytes=0-9")
		if got.Get(c.name) != c.want || c.name == "If-Range" && got.Get("Range") != "" {
			t.Errorf("%s: %s came as %q, range %q", c.name, c.sent, got.Get(c.name), got.Get("Range"))
		}
	}
}
