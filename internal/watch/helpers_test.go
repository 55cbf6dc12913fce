package watch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// liveSite is a stream: a pure function of time.
type liveSite struct {
	start  time.Time
	length time.Duration // of a segment
	url    string
}

const siteWindow = 6

// newLiveSite has segments of one second. Where something fails on purpose two
// are better: players are three of them behind, which a loaded machine needs.
func newLiveSite(t *testing.T, length time.Duration) *liveSite {
	t.Helper()
	s := &liveSite{start: time.Now().Add(-siteWindow * length), length: length}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *liveSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	onAir := int(time.Since(s.start) / s.length)
	name := strings.TrimPrefix(r.URL.Path, "/live/")
	number, err := strconv.Atoi(strings.TrimSuffix(name, ".ts"))
	switch {
	case r.URL.Path == "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><html><head><title>live</title></head><body><video data-src="/live/index.m3u8"></video></body></html>`)
	case name == "index.m3u8":
		first := max(0, onAir-siteWindow)
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", s.length/time.Second, first)
		for n := first; n < onAir; n++ {
			fmt.Fprintf(w, "#EXTINF:%.1f,\n%d.ts\n", s.length.Seconds(), n)
		}
	case err == nil && number < onAir:
		w.Header().Set("Content-Type", "video/mp2t")
		w.Write(segmentBody(number))
	default:
		http.NotFound(w, r)
	}
}

// segmentBody is 5 chunks and a bit, the same at every call.
func segmentBody(n int) []byte {
	body := make([]byte, 5*tuber.ChunkSize+100)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(body)
	return body
}

// newHost runs a host before a site, until the test ends.
func newHost(t *testing.T, upstream string, change ...func(*host.Config)) *host.Host {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "watch") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg := host.Config{
		Upstream: u, Dir: dir, PublicHost: "127.0.0.1", Listen: "127.0.0.1:0", ControlListen: "127.0.0.1:0",
		DashboardListen: "127.0.0.1:0", UDPListen: "127.0.0.1:0", STUNListen: host.Off,
		Follow: "always", Always: []string{"/live/index.m3u8"}, AllowPrivate: true,
	}
	for _, f := range change {
		f(&cfg)
	}
	h, err := host.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("host: %v", err)
		}
	})
	eventually(t, "the stream is followed", func() bool {
		st := h.Status()
		return st.Planner && len(st.Contents) == 1
	})
	return h
}

// watching is a Run under test.
type watching struct {
	t     *testing.T
	end   context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex // guards the fields below
	last   Result
	played map[int]int // segments, by viewer
	wrong  []string
	final  Result
	err    error
}

// watch begins to watch; it ends with the test at the latest.
func startWatch(t *testing.T, o Options) *watching {
	t.Helper()
	w := &watching{t: t, ended: make(chan struct{}), played: make(map[int]int)}
	o.Progress = func(r Result) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.last = r
	}
	o.Played = w.hasPlayed
	ctx, cancel := context.WithCancel(context.Background())
	w.end = cancel
	go func() {
		defer close(w.ended)
		r, err := Run(ctx, o)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.final, w.err = r, err
	}()
	t.Cleanup(func() { cancel(); <-w.ended })
	return w
}

// hasPlayed holds each segment against the site's own bytes.
func (w *watching) hasPlayed(viewer int, address string, sum tuber.Digest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.played[viewer]++
	name := address[strings.LastIndexByte(address, '/')+1:]
	n, err := strconv.Atoi(strings.TrimSuffix(name, ".ts"))
	if err != nil || sha256.Sum256(segmentBody(n)) != sum {
		w.wrong = append(w.wrong, address)
	}
}

func (w *watching) now() Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// least is the fewest segments that any of n viewers has played.
func (w *watching) least(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	fewest := w.played[0]
	for i := range n {
		fewest = min(fewest, w.played[i])
	}
	return fewest
}

// stop ends the watch and returns what it saw; a wrong byte or a stall is an error.
func (w *watching) stop() Result {
	w.t.Helper()
	r := w.stopSkipping()
	if r.Stalls != 0 || r.Skipped != 0 {
		w.t.Errorf("got %d stalls, %d skips, want none", r.Stalls, r.Skipped)
	}
	return r
}

// stopSkipping is stop where some of the stream cannot be had in time.
func (w *watching) stopSkipping() Result {
	w.t.Helper()
	w.end()
	<-w.ended
	if w.err != nil {
		w.t.Fatal(w.err)
	}
	if len(w.wrong) > 0 {
		w.t.Errorf("played what the site did not send: %v", w.wrong)
	}
	if r := w.final; r.Failed != 0 {
		w.t.Errorf("%d segments failed, want none", r.Failed)
	}
	return w.final
}

// eventually waits for what happens soon in another goroutine.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("in vain: %s", what)
		}
	}
}
