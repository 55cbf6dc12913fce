package demo

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed site
var siteFiles embed.FS

//go:embed clip/*.ts
var clipFiles embed.FS

// The clip: made with ffmpeg, see clip/README.md.
const (
	clipSegments    = 6
	segmentDuration = 2 * time.Second
	windowSegments  = 6 // listed in the live playlist
	keptSegments    = 12
)

// Site is the sample site: a page with a player, and a live stream. Its stream
// is a pure function of the time since Start, so it needs no goroutine.
type Site struct {
	Start time.Time
	Now   func() time.Time
	Live  http.Handler // instead of the clip, under /live/; nil for the clip
}

// NewSite is a site whose stream has been on air long enough to fill its window.
func NewSite(live http.Handler) *Site {
	return &Site{Start: time.Now().Add(-windowSegments * segmentDuration), Now: time.Now, Live: live}
}

// ServeSite serves the sample site alone until ctx ends.
func ServeSite(ctx context.Context, listen string, out io.Writer) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen for the sample site: %w", err)
	}
	server := &http.Server{Handler: NewSite(nil), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	fmt.Fprintf(out, "  site       http://%s/\n", l.Addr())
	if err := server.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("serve the sample site: %w", err)
	}
	return nil
}

// ServeHTTP answers as any web server would.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, live := strings.CutPrefix(r.URL.Path, "/live/")
	switch {
	case live && s.Live != nil:
		http.StripPrefix("/live", s.Live).ServeHTTP(w, r)
	case live && name == "index.m3u8":
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		w.Header().Set("Cache-Control", "no-cache")
		fmt.Fprint(w, livePlaylist(s.onAir()))
	case live:
		s.segment(w, r, name)
	default:
		root, err := fs.Sub(siteFiles, "site")
		if err != nil {
			panic("demo: internal error: " + err.Error())
		}
		http.FileServerFS(root).ServeHTTP(w, r)
	}
}

// onAir is how many segments are complete by now.
func (s *Site) onAir() int {
	return max(0, int(s.Now().Sub(s.Start)/segmentDuration))
}

func (s *Site) segment(w http.ResponseWriter, r *http.Request, name string) {
	number, err := strconv.Atoi(strings.TrimSuffix(name, ".ts"))
	complete := s.onAir()
	if err != nil || number < 0 || number >= complete || number < complete-keptSegments {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "video/mp2t")
	w.Header().Set("Cache-Control", "public, max-age=60")
	http.ServeFileFS(w, r, clipFiles, fmt.Sprintf("clip/seg%d.ts", number%clipSegments))
}

// livePlaylist lists the newest segments of a clip that begins anew after its
// last one: a discontinuity there, and its count once it slid out of the window
// (RFC 8216, sections 4.3.2.3 and 4.3.3.3).
func livePlaylist(complete int) string {
	first := max(0, complete-windowSegments)
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n", int(segmentDuration.Seconds()))
	fmt.Fprintf(&b, "#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	fmt.Fprintf(&b, "#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", max(0, (first-1)/clipSegments))
	for n := first; n < complete; n++ {
		if n > 0 && n%clipSegments == 0 {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		fmt.Fprintf(&b, "#EXTINF:%.3f,\n%d.ts\n", segmentDuration.Seconds(), n)
	}
	return b.String()
}
