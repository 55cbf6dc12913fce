package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/app"
	"github.com/tubercdn/tuber/booster"
)

var (
	_ app.Engine  = (*engine)(nil)
	_ app.Engine  = (*booster.Client)(nil)
	_ app.Hosting = (*hosting)(nil)
)

func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "app") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

var quiet = slog.New(slog.DiscardHandler)

func TestEngineOfItsOwn(t *testing.T) {
	e := &engine{dir: folder(t), log: quiet}
	if _, err := e.Status(); !errors.Is(err, errNotBegun) {
		t.Errorf("before the start: got %v", err)
	}
	if err := e.end(); err != nil {
		t.Errorf("ended before it began: %v", err)
	}
	if err := e.begin(); err != nil {
		t.Fatal(err)
	}
	if err := e.begin(); err != nil {
		t.Errorf("begun twice: %v", err)
	}
	until := time.Now().Add(time.Hour)
	if err := e.Pause(tuber.PublicKey{}, until); err != nil {
		t.Fatal(err)
	}
	if st, err := e.Status(); err != nil || st.Reason != tuber.ReasonPaused || !st.Until.Equal(until) {
		t.Errorf("got %+v, %v, want it paused", st, err)
	}
	s, err := e.Settings()
	if err != nil {
		t.Fatal(err)
	}
	s.Limits.Upload = 3e6
	if err := e.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if err := e.Join("nonsense"); err == nil || !strings.Contains(err.Error(), "invite") {
		t.Errorf("joined by nonsense: %v", err)
	}
	if err := e.end(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Status(); !errors.Is(err, errEnded) {
		t.Errorf("after the end: got %v", err)
	}
	again := &engine{dir: e.dir, log: quiet}
	if err := again.begin(); err != nil {
		t.Fatal(err)
	}
	defer again.end()
	if st, err := again.Status(); err != nil || st.Reason != tuber.ReasonPaused || !st.Until.Equal(until) {
		t.Errorf("started again: got %+v, %v, want it still paused", st, err)
	}
	if s, err := again.Settings(); err != nil || s.Limits.Upload != 3e6 {
		t.Errorf("started again: got %+v, %v", s, err)
	}
}

// A booster without a window has the folder: the window shows that one, and
// leaves it alone when it goes.
func TestEngineOfAnother(t *testing.T) {
	dir := folder(t)
	b, err := booster.New(booster.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	e := &engine{dir: dir, log: quiet}
	if err := e.begin(); err != nil {
		t.Fatal(err)
	}
	if err := e.Pause(tuber.PublicKey{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := e.end(); err != nil {
		t.Fatal(err)
	}
	if st := b.Status(); st.Reason != tuber.ReasonPaused {
		t.Errorf("the other booster: got %+v, want it paused, and running", st)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := e.Status(); err == nil || errors.Is(err, errEnded) {
		t.Errorf("after it went: got %v, want that it cannot be asked", err)
	}
}

func TestEngineThatCannotStart(t *testing.T) {
	dir := folder(t)
	book := filepath.Join(dir, "book.db")
	if err := os.WriteFile(book, []byte(strings.Repeat("no book at all ", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &engine{dir: dir, log: quiet}
	if err := e.begin(); err == nil || !strings.Contains(err.Error(), book) {
		t.Errorf("got %v, want the file named", err)
	}
	if _, err := e.Status(); !errors.Is(err, errNotBegun) {
		t.Errorf("got %v", err)
	}
}

func TestHosting(t *testing.T) {
	site := t.TempDir()
	if err := os.WriteFile(filepath.Join(site, "index.html"), []byte("<h1>here</h1>"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &hosting{dir: folder(t), log: quiet}
	if running, err := h.Running(); running || err != nil {
		t.Errorf("at first: got %v, %v", running, err)
	}
	if err := h.Stop(); err != nil {
		t.Errorf("stopped before it began: %v", err)
	}
	if _, err := h.State(); !errors.Is(err, errNotHosting) {
		t.Errorf("got %v", err)
	}
	setup := tuber.HostSetup{Folder: site, Name: "Ann’s show", Public: "127.0.0.1", Listen: "127.0.0.1:0"}
	for range 2 { // it can be started again
		if err := h.Start(setup); err != nil {
			t.Fatal(err)
		}
		if err := h.Start(setup); err == nil {
			t.Error("started twice")
		}
		st, err := h.State()
		if err != nil || st.Site == "" {
			t.Fatalf("got %+v, %v", st, err)
		}
		if r := st.Mapping; r.Mapping != "off" || r.Port == 0 {
			t.Errorf("the owner sees %+v, want the port, and that the router is left alone", r)
		}
		if got := get(t, st.Site); !strings.Contains(got, "here") {
			t.Errorf("the site is %q", got)
		}
		if err := h.Stop(); err != nil {
			t.Error(err)
		}
	}
	if err := h.Start(setup); err != nil {
		t.Fatal(err)
	}
	defer h.Stop()
	v, err := h.Invite(tuber.Offer{Uses: 2, Life: time.Hour, Note: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tuber.ParseInvite(v.AppURL); err != nil {
		t.Errorf("%q: %v", v.AppURL, err)
	}
	if got := nameOfHost(t, v.URL); got != setup.Name {
		t.Errorf("a friend sees the name %q, want %q", got, setup.Name)
	}
	if err := h.RevokeInvite(v.ID); err != nil {
		t.Error(err)
	}
	if err := h.RemoveBooster(tuber.PeerID{1}); err != nil {
		t.Errorf("a booster that is gone already: %v", err)
	}
	other := &hosting{dir: h.dir, log: quiet}
	if err := other.Start(setup); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second host on the folder: got %v", err)
	}
}

// nameOfHost joins by an invite and tells what the host calls itself.
func nameOfHost(t *testing.T, invite string) string {
	t.Helper()
	e := &engine{dir: folder(t), log: quiet}
	if err := e.begin(); err != nil {
		t.Fatal(err)
	}
	defer e.end()
	if err := e.Join(invite); err != nil {
		t.Fatal(err)
	}
	st, err := e.Status()
	if err != nil || len(st.Swarms) != 1 {
		t.Fatalf("got %+v, %v, want one swarm", st, err)
	}
	return st.Swarms[0].Name
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHostingBehindAProxy(t *testing.T) {
	for proxy, want := range map[string]string{
		"": "[127.0.0.0/8 ::1/128]", "192.168.1.2": "[192.168.1.2/32]", "2001:db8::2": "[2001:db8::2/128]", "10.0.0.0/8": "[10.0.0.0/8]",
	} {
		cfg, err := hostConfig(tuber.HostSetup{OuterHTTPS: true, Proxy: proxy})
		if got := fmt.Sprint(cfg.TrustedProxies); err != nil || !cfg.OuterHTTPS || got != want {
			t.Errorf("%q: got %v, %s, %v, want %s", proxy, cfg.OuterHTTPS, got, err, want)
		}
	}
	if cfg, err := hostConfig(tuber.HostSetup{Proxy: "10.0.0.0/8"}); err != nil || cfg.TrustedProxies != nil {
		t.Errorf("without a proxy %v is believed, %v", cfg.TrustedProxies, err)
	}
	h := &hosting{dir: folder(t), log: quiet}
	if err := h.Start(tuber.HostSetup{Folder: t.TempDir(), Public: "tv.example", Listen: "127.0.0.1:0", OuterHTTPS: true}); err != nil {
		t.Fatal(err)
	}
	defer h.Stop()
	if st, err := h.State(); err != nil || st.Site != "https://tv.example/" {
		t.Errorf("the site is %q, %v", st.Site, err)
	}
	v, err := h.Invite(tuber.Offer{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tuber.ParseInvite(v.URL); err != nil || got.Host != "tv.example" || got.Pin != (tuber.Digest{}) {
		t.Errorf("the invite leads to %+v, %v, want the proxy, whose certificate a CA vouches for", got, err)
	}
}

func TestHostingThatCannotStart(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for name, tc := range map[string]struct {
		setup tuber.HostSetup
		want  string
	}{
		"nothing":           {tuber.HostSetup{}, "either a site"},
		"both":              {tuber.HostSetup{Upstream: "http://127.0.0.1:1", Folder: t.TempDir()}, "either a site"},
		"no address":        {tuber.HostSetup{Upstream: "localhost:3000"}, "http://"},
		"another scheme":    {tuber.HostSetup{Upstream: "file:///etc/passwd"}, "http://"},
		"no folder":         {tuber.HostSetup{Folder: filepath.Join(t.TempDir(), "gone")}, "gone"},
		"a taken port":      {tuber.HostSetup{Folder: t.TempDir(), Listen: ln.Addr().String()}, "the port is taken by another program"},
		"no proxy":          {tuber.HostSetup{Folder: t.TempDir(), Public: "tv.example", OuterHTTPS: true, Proxy: "tv.example"}, "192.168.1.2"},
		"a name with a way": {tuber.HostSetup{Folder: t.TempDir(), Public: "example.org/x"}, "example.org/x"},
	} {
		h := &hosting{dir: folder(t), log: quiet}
		err := h.Start(tc.setup)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		if running, err := h.Running(); running || err != nil {
			t.Errorf("%s: got %v, %v", name, running, err)
		}
	}
}
