package host

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"
)

// mediaTypes are those that systems' own tables lack or disagree about (RFC
// 8216 section 4, RFC 8081, RFC 4337).
var mediaTypes = map[string]string{
	".m3u8": "application/vnd.apple.mpegurl",
	".ts":   "video/mp2t",
	".m4s":  "video/iso.segment",
	".mp4":  "video/mp4",
	".m4v":  "video/mp4",
	".m4a":  "audio/mp4",
	".cmfv": "video/mp4",
	".cmfa": "audio/mp4",
	".aac":  "audio/aac",
	".mp3":  "audio/mpeg",
	".webm": "video/webm",
	".vtt":  "text/vtt; charset=utf-8",
	".mpd":  "application/dash+xml",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".wasm": "application/wasm",
}

// folder serves a folder without any web server. Symbolic links do not lead out
// of it, names that begin with a dot are not served, folders are not listed.
type folder struct {
	root *os.Root
	next http.Handler
}

func openFolder(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w; change --files", err)
	}
	return &folder{root, http.FileServerFS(root.FS())}, nil
}

func (f *folder) Close() error { return f.root.Close() }

func (f *folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This folder is read only.", http.StatusMethodNotAllowed)
		return
	}
	name := path.Clean("/" + r.URL.Path)
	if strings.Contains(name, "/.") {
		http.NotFound(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/") {
		if _, err := f.root.Stat(strings.TrimPrefix(path.Join(name, "index.html"), "/")); err != nil {
			http.NotFound(w, r)
			return
		}
	}
	ext := strings.ToLower(path.Ext(name))
	if kind, ok := mediaTypes[ext]; ok {
		w.Header().Set("Content-Type", kind)
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if ext == ".m3u8" || ext == ".mpd" {
		w.Header().Set("Cache-Control", "no-cache") // a live playlist changes under its name
	}
	f.next.ServeHTTP(w, r)
}
