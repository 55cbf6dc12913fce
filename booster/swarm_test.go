package booster

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
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/host"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
	"github.com/tubercdn/tuber/wire"
)

// onAir is a live stream of a segment a second, listed six at a time. Its
// segments are all alike but for the first bytes.
const (
	segmentBytes = 100 << 10
	listed       = 6
)

func onAir(t *testing.T) *url.URL {
	t.Helper()
	start := time.Now().Add(-listed * time.Second)
	newest := func() int { return int(time.Since(start) / time.Second) }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/live/index.m3u8" {
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
			n := newest()
			fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", n-listed)
			for i := n - listed; i < n; i++ {
				fmt.Fprintf(w, "#EXTINF:1.0,\n%d.ts\n", i)
			}
			return
		}
		var i int
		if _, err := fmt.Sscanf(r.URL.Path, "/live/%d.ts", &i); err != nil || i >= newest() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "video/mp2t")
		_, _ = io.WriteString(w, fmt.Sprintf("%016d", i)+strings.Repeat("x", segmentBytes-16)) // a client that left
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// beHost is a real host on loopback that follows the stream at all times.
func beHost(t *testing.T) *host.Host {
	t.Helper()
	h, _ := hostAt(t, stateDir(t), "127.0.0.1:0")
	return h
}

// hostAt is such a host with its state in dir and its planner at an address,
// until the test ends or until the returned stop.
func hostAt(t *testing.T, dir, planner string) (h *host.Host, stop func()) {
	t.Helper()
	h, err := host.New(host.Config{
		Upstream: onAir(t), Name: "Ann's\tattic\u202e", Dir: dir, PublicHost: "127.0.0.1",
		Listen: "127.0.0.1:0", ControlListen: planner, DashboardListen: "127.0.0.1:0",
		UDPListen: "127.0.0.1:0", STUNListen: host.Off,
		Follow: "always", Always: []string{"/live/index.m3u8"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("host: %v", err)
		}
	})
	t.Cleanup(stop)
	eventually(t, "the stream is followed", func() bool { return len(h.Status().Contents) == 1 })
	return h, stop
}

func invited(t *testing.T, h *host.Host) string {
	t.Helper()
	v, err := h.Invite(tuber.Offer{})
	if err != nil {
		t.Fatal(err)
	}
	return v.URL
}

// watching is a viewer without a browser: a ticket of the site, the planner's
// socket and links. It returns what it received so far.
func watching(t *testing.T, h *host.Host) func() peer.SwarmStats {
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
	wg.Go(func() { _ = p.Run(ctx) }) // it has no socket to close
	site := h.Addresses().Site
	wg.Go(func() {
		err := p.Join(ctx, peer.Membership{
			Site: h.Site(), Chunks: chunks, Means: tuber.Means{},
			Dial: func(ctx context.Context) (control.Conn, error) {
				at := "ws" + strings.TrimPrefix(site, "http") + ".tuber/control"
				return control.Dial(ctx, control.DialOptions{URL: at, Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
			},
			Ticket: func(ctx context.Context, f tuber.Fingerprint) (string, error) { return ticket(ctx, site, f) },
		})
		if err != nil && ctx.Err() == nil {
			t.Errorf("viewer: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait(); _ = chunks.Close() }) // of memory only
	content := h.Status().Contents[0].ID
	eventually(t, "the viewer joins", func() bool { return p.SetWant(h.Site(), []tuber.ContentID{content}) == nil })
	return func() peer.SwarmStats { return p.Stats()[h.Site()] }
}

func ticket(ctx context.Context, site string, f tuber.Fingerprint) (string, error) {
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
	return a.Ticket, json.NewDecoder(resp.Body).Decode(&a)
}

// The whole life of a membership, with a real host before a real stream.
func TestMembershipWithARealHost(t *testing.T) {
	h := beHost(t)
	dir := stateDir(t)
	b, stop := begin(t, dir, func(s *tuber.Settings) { s.Limits.Upload = 20e6 })
	link := invited(t, h)
	if err := b.Join(t.Context(), link); err != nil {
		t.Fatalf("join: %v", err)
	}
	received := watching(t, h)
	site := h.Site()
	eventually(t, "chunks reach the booster's store", func() bool {
		s := b.swarms[site].store()
		if s == nil {
			return false
		}
		r, ok := s.Range(h.Status().Contents[0].ID)
		return ok && r.Next > r.First+6
	})
	eventually(t, "the booster sends to the viewer", func() bool { return b.Status().Sent > segmentBytes })
	eventually(t, "the viewer receives", func() bool { return received().Received > segmentBytes })
	if s := b.Status(); !s.Swarms[0].Connected || s.Links < 2 || s.Swarms[0].Name != "Ann's attic" {
		t.Errorf("got %+v, want links with the host and the viewer, and the host's name", s)
	}

	pauseWhileWatched(t, b, received)

	// A restart keeps the membership without the invite, which was burnt.
	stop()
	b, stop = begin(t, dir, nil)
	eventually(t, "the booster is back", func() bool { return b.Status().Swarms[0].Connected })
	if got := b.swarms[site].current().Invite; got != (tuber.Invite{}) {
		t.Errorf("got %+v kept of the invite, want nothing", got)
	}
	if state, err := h.State(); err != nil || len(state.BoosterList) != 1 || !state.BoosterList[0].Linked {
		t.Errorf("got %+v, %v, want one booster, linked", state.BoosterList, err)
	}

	// Leaving deletes what was kept, here and in the host's book.
	if err := b.Leave(site); err != nil {
		t.Fatalf("leave: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "chunks-*")); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v left, want nothing", left, err)
	}
	eventually(t, "the host forgets the booster", func() bool {
		state, err := h.State()
		return err == nil && len(state.BoosterList) == 0
	})
	stop()
}

// pauseWhileWatched: a pause stops the sending while the viewer goes on receiving.
func pauseWhileWatched(t *testing.T, b *Booster, received func() peer.SwarmStats) {
	t.Helper()
	if err := b.Pause(all, time.Time{}); err != nil {
		t.Fatal(err)
	}
	over(time.Second, b.uplink.Total)
	before := received().Received
	if got := over(time.Second, b.uplink.Total); got != 0 {
		t.Errorf("a second after the pause began: got %d bytes more, want 0", got)
	}
	eventually(t, "the host feeds the viewer instead", func() bool { return received().Received > before+segmentBytes/2 })
	if err := b.Resume(all); err != nil {
		t.Fatal(err)
	}
	sent := b.uplink.Total()
	eventually(t, "the booster sends again", func() bool { return b.uplink.Total() > sent+segmentBytes/2 })
}

// A host that removed a booster lets it in again by a new invite, and by no old one.
func TestRemovedBoosterComesBackByANewInvite(t *testing.T) {
	h := beHost(t)
	b, _ := begin(t, stateDir(t), nil)
	used := invited(t, h)
	if err := b.Join(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	if err := h.RemoveBooster(tuber.PublicKeyOf(b.key).PeerID()); err != nil {
		t.Fatal(err)
	}
	away := func() bool {
		s := b.Status().Swarms[0]
		return !s.Connected && strings.Contains(s.Error, "ask the host for a new invite")
	}
	eventually(t, "the booster is told", away)
	if err := b.Join(t.Context(), used); err == nil || err.Error() != tuber.ErrInviteUsed.Error() {
		t.Errorf("the used invite: got %v, want %q alone", err, tuber.ErrInviteUsed)
	}
	eventually(t, "the swarm stays listed, with what is wrong", away)
	if err := b.Join(t.Context(), invited(t, h)); err != nil {
		t.Errorf("a new invite: %v", err)
	}
	if s := b.Status().Swarms; len(s) != 1 || !s[0].Connected {
		t.Errorf("got %+v, want one swarm with a session", s)
	}
}

func TestUsedInviteJoinsNothing(t *testing.T) {
	h := beHost(t)
	link := invited(t, h)
	first, _ := begin(t, stateDir(t), nil)
	if err := first.Join(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if err := first.Join(t.Context(), link); err == nil || !strings.Contains(err.Error(), "joined already") {
		t.Errorf("the same swarm twice: got %v, want that it was joined already", err)
	}
	dir := stateDir(t)
	second, _ := begin(t, dir, nil)
	err := second.Join(t.Context(), link)
	if err == nil || err.Error() != tuber.ErrInviteUsed.Error() {
		t.Errorf("got %v, want %q alone", err, tuber.ErrInviteUsed)
	}
	if s := second.Status().Swarms; len(s) != 0 {
		t.Errorf("got %+v, want no swarm", s)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "chunks-") {
			t.Errorf("got %s left, want no chunks", e.Name())
		}
	}
}
