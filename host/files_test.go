package host

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	outside := t.TempDir()
	dir := t.TempDir()
	for name, body := range map[string]string{
		"index.html": "<!doctype html>home", "live/a.m3u8": "#EXTM3U\n", "live/0.ts": "ts", "live/1.m4s": "m4s",
		".secret": "dot", ".git/config": "dot", "sub/index.html": "sub",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "private.txt"), []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "private.txt"), filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range []struct {
		method, path string
		code         int
		kind, body   string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "<!doctype html>home"},
		{"GET", "/sub/", 200, "text/html; charset=utf-8", "sub"},
		{"GET", "/sub", 301, "", ""},
		{"GET", "/live/a.m3u8", 200, "application/vnd.apple.mpegurl", "#EXTM3U\n"},
		{"GET", "/live/0.ts", 200, "video/mp2t", "ts"},
		{"GET", "/live/1.m4s", 200, "video/iso.segment", "m4s"},
		{"HEAD", "/live/0.ts", 200, "video/mp2t", ""},
		{"GET", "/live/", 404, "", ""},
		{"GET", "/.secret", 404, "", ""},
		{"GET", "/.git/config", 404, "", ""},
		{"GET", "/link.txt", 500, "", ""},
		{"GET", "/none.ts", 404, "", ""},
		{"POST", "/", 405, "", ""},
	} {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.code && !(c.code == 500 && w.Code >= 400) {
			t.Errorf("%s %s: got %d, want %d", c.method, c.path, w.Code, c.code)
		}
		if c.kind != "" && w.Header().Get("Content-Type") != c.kind {
			t.Errorf("%s: type %q, want %q", c.path, w.Header().Get("Content-Type"), c.kind)
		}
		if c.code == http.StatusOK && w.Body.String() != c.body {
			t.Errorf("%s: body %q, want %q", c.path, w.Body, c.body)
		}
		if strings.Contains(w.Body.String(), "outside") {
			t.Errorf("%s: a link led out of the folder", c.path)
		}
	}
	if _, err := openFolder(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "--files") {
		t.Errorf("got %v, want an error that names --files", err)
	}
}
