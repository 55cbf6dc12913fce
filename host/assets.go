package host

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
)

//go:embed assets
var assets embed.FS

// page serves one embedded HTML page with the policy that allows only our own
// files. What fill names is put in its place; the values are ours, not a stranger's.
func page(name string, fill map[string]string) http.HandlerFunc {
	body := mustRead(name)
	for mark, value := range fill {
		body = bytes.ReplaceAll(body, []byte(mark), []byte(value))
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		harden(w.Header())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(body)
	}
}

// files serves the named scripts and styles by their last path element.
func files(names ...string) http.HandlerFunc {
	type file struct {
		body []byte
		kind string
		tag  string
	}
	all := make(map[string]file)
	for _, name := range names {
		body := mustRead(name)
		sum := sha256.Sum256(body)
		all[name] = file{body, mediaTypes[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		f, ok := all[path.Base(r.URL.Path)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		harden(w.Header())
		w.Header().Set("Content-Type", f.kind)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", f.tag)
		if r.Header.Get("If-None-Match") == f.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(f.body)
	}
}

func mustRead(name string) []byte {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic("host: internal error: " + err.Error()) // embedded at build time
	}
	return b
}
