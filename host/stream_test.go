package host

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
	"github.com/tubercdn/tuber/wire"
)

// liveSite serves a live playlist of three segments that stands still.
func liveSite(t *testing.T) (*url.URL, map[string][]byte) {
	t.Helper()
	segments := make(map[string][]byte)
	playlist := "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
	for i := range 3 {
		body := make([]byte, 5*tuber.ChunkSize+100*i+1)
		rand.Read(body)
		segments[fmt.Sprintf("/live/%d.ts", i)] = body
		playlist += fmt.Sprintf("#EXTINF:2.0,\n%d.ts\n", i)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live/index.m3u8" {
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
			io.WriteString(w, playlist)
			return
		}
		body, ok := segments[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "video/mp2t")
		w.Write(body)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u, segments
}

// goViewer is a viewer of the host without a browser: page, ticket, control
// socket and links over real sockets. It ends with the test.
func goViewer(t *testing.T, h *Host) (*peer.Peer, *store.Store) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p, err := peer.New(peer.Config{Key: key, Role: tuber.RoleViewer, AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := store.New(store.Options{Site: h.Site()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { p.Run(ctx) })
	dial := plain(t, h)
	site := h.Addresses().Site
	wg.Go(func() {
		err := p.Join(ctx, peer.Membership{
			Site: h.Site(), Chunks: chunks, Means: tuber.Means{Relay: true},
			Dial: func(ctx context.Context) (control.Conn, error) { return control.Dial(ctx, dial) },
			Ticket: func(ctx context.Context, f tuber.Fingerprint) (string, error) {
				return ticketFor(ctx, site, f)
			},
		})
		if err != nil && ctx.Err() == nil {
			t.Errorf("join: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		chunks.Close()
	})
	return p, chunks
}

func ticketFor(ctx context.Context, site string, f tuber.Fingerprint) (string, error) {
	q, err := json.Marshal(map[string]wire.Bytes{"fingerprint": f[:]})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", site+".tuber/ticket", bytes.NewReader(q))
	if err != nil {
		return "", err
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var a struct{ Ticket string }
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return "", fmt.Errorf("ticket (%d): %w", resp.StatusCode, err)
	}
	return a.Ticket, nil
}

// A stream's whole way: the site's segments reach a viewer over a link from the
// host's own peer, each byte as the site sent it.
func TestStreamReachesAViewerOverALink(t *testing.T) {
	upstream, segments := liveSite(t)
	cfg := testConfig(t)
	cfg.Upstream = upstream
	cfg.Follow, cfg.Always = "always", []string{"/live/index.m3u8"}
	h, _ := begin(t, cfg)
	eventually(t, "the stream is followed", func() bool { return len(h.Status().Contents) == 1 })
	content := h.Status().Contents[0]
	p, chunks := goViewer(t, h)
	eventually(t, "the viewer joins", func() bool { return p.SetWant(h.Site(), []tuber.ContentID{content.ID}) == nil })
	got := make(map[string][]byte)
	eventually(t, "all segments arrive", func() bool {
		clear(got)
		for _, m := range chunks.Manifests(content.ID, 0) {
			for n := m.Manifest().First; n < m.Manifest().Next(); n++ {
				if c, ok := chunks.Get(content.ID, n); ok {
					got[m.Manifest().URL] = append(got[m.Manifest().URL], c.Data()...)
				}
			}
		}
		for name, want := range segments {
			if !bytes.Equal(got[name], want) {
				return false
			}
		}
		return true
	})
	s := h.Status()
	if s.Viewers != 1 || s.Tabs != 1 || s.Peers != 1 || s.Bitrate == 0 {
		t.Errorf("got %d viewers, %d tabs, %d links, bitrate %v, want 1, 1, 1 and some", s.Viewers, s.Tabs, s.Peers, s.Bitrate)
	}
	var sum uint64
	for _, body := range segments {
		sum += uint64(len(body))
	}
	if sent := h.sent.Load(); sent < sum {
		t.Errorf("%d bytes were counted, of %d that were sent", sent, sum)
	}
}
