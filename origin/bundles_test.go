package origin

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// A browser that takes gzip gets the same script, smaller, under a tag of its own.
func TestBundlesArePacked(t *testing.T) {
	script := []byte(strings.Repeat("let a = 1;\n", 1000))
	var b bundles
	ask := func(method string, headers ...string) *http.Response {
		r := httptest.NewRequest(method, "/.tuber/page.js", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		b.serve(w, r, script)
		return w.Result()
	}
	plain, packed := ask("GET"), ask("GET", "Accept-Encoding", "gzip, br")
	if got, _ := io.ReadAll(plain.Body); string(got) != string(script) || plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("without gzip: %d bytes, %v", len(got), plain.Header)
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != string(script) {
		t.Errorf("unpacked %d bytes, %v, want %d", len(got), err, len(script))
	}
	if n, err := strconv.Atoi(packed.Header.Get("Content-Length")); err != nil || n >= len(script)/3 {
		t.Errorf("packed to %d bytes of %d, %v", n, len(script), err)
	}
	if packed.Header.Get("Vary") != "Accept-Encoding" || packed.Header.Get("Etag") == plain.Header.Get("Etag") {
		t.Errorf("a cache could mix them up: %v", packed.Header)
	}
	if res := ask("GET", "Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("Etag")); res.StatusCode != 304 {
		t.Errorf("again: got %d, want 304", res.StatusCode)
	}
	if res := ask("GET", "Accept-Encoding", "gzip", "Range", "bytes=0-9"); res.StatusCode != 206 || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("a range: got %d %v", res.StatusCode, res.Header)
	}
	if res := ask("HEAD", "Accept-Encoding", "gzip"); res.Header.Get("Content-Length") != packed.Header.Get("Content-Length") {
		t.Errorf("HEAD: %v", res.Header)
	}
	for range 3 * maxBundles {
		script = append(script, 'x')
		ask("GET", "Accept-Encoding", "gzip")
	}
	if len(b.packed) > maxBundles {
		t.Errorf("%d scripts are kept packed, at most %d", len(b.packed), maxBundles)
	}
}
