package host

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/booster"
	"github.com/tubercdn/tuber/store"
)

// What the site gives to one user, to the other, and to everyone.
const (
	markAnn    = "MARK-OF-ANN"
	markBob    = "MARK-OF-BOB"
	markPublic = "MARK-OF-ALL"
	userAddr   = "198.51.100.77" // of both, behind a trusted proxy
)

const segmentChunks = 4

// marks by cookie.
var marks = map[string]string{"ann": markAnn, "bob": markBob}

// markOf is whose answer a request gets.
func markOf(r *http.Request) string {
	if c, err := r.Cookie("user"); err == nil && marks[c.Value] != "" {
		return marks[c.Value]
	}
	return markPublic
}

// membersSite logs its users in by a cookie and has a stream for everyone, of
// which users get their own bytes under the same names, and streams that are
// one user's: by the cookie, by what the playlist lists, by a word in the query.
func membersSite(t *testing.T) *url.URL {
	t.Helper()
	start := time.Now().Add(-6 * time.Second)
	list := func(w http.ResponseWriter, segment string) {
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		n := int(time.Since(start) / time.Second)
		fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", n-6)
		for i := n - 6; i < n; i++ {
			fmt.Fprintf(w, "#EXTINF:1.0,\n"+segment+"\n", i)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/{user}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: r.PathValue("user"), Path: "/"})
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>%s</title>", marks[r.PathValue("user")])
	})
	mux.HandleFunc("GET /all/index.m3u8", func(w http.ResponseWriter, _ *http.Request) { list(w, "%d.ts") })
	mux.HandleFunc("GET /own/index.m3u8", func(w http.ResponseWriter, r *http.Request) { // a personal list
		list(w, "%d.ts?of="+markOf(r))
	})
	mux.HandleFunc("GET /closed/index.m3u8", func(w http.ResponseWriter, r *http.Request) {
		if markOf(r) == markPublic {
			http.Error(w, "log in first", http.StatusForbidden)
			return
		}
		list(w, "%d.ts")
	})
	mux.HandleFunc("GET /signed/index.m3u8", func(w http.ResponseWriter, r *http.Request) { // a key in the query
		list(w, "%d.ts?token="+r.URL.Query().Get("token"))
	})
	mux.HandleFunc("GET /{stream}/{segment}", func(w http.ResponseWriter, r *http.Request) {
		mark := markOf(r)
		for _, of := range []string{"of", "token"} {
			if v := r.URL.Query().Get(of); v != "" {
				mark = v
			}
		}
		if mark != markPublic {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: mark})
		}
		w.Header().Set("Content-Type", "video/mp2t")
		io.WriteString(w, strings.Repeat(mark+" ", segmentChunks*tuber.ChunkSize/(len(mark)+1)))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// user is one viewer without a script: it plays every stream of the site with
// its own cookie, and keeps what the player of the stream for everyone got.
type user struct {
	t    *testing.T
	site string
	name string
}

func (u user) get(path string) string {
	resp, body := fetch(u.t, "GET", u.site+path, "", http.Header{
		"Cookie": {"user=" + u.name}, "X-Forwarded-For": {userAddr},
	})
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	return body
}

// play is one look at each playlist and its newest segment.
func (u user) play(got *strings.Builder) {
	got.WriteString(u.get("login/" + u.name))
	for _, stream := range []string{"all/", "own/", "closed/", "signed/"} {
		list := "index.m3u8"
		if stream == "signed/" {
			list += "?token=" + marks[u.name]
		}
		lines := strings.Split(strings.TrimSpace(u.get(stream+list)), "\n")
		if newest := lines[len(lines)-1]; newest != "" {
			got.WriteString(u.get(stream + newest))
		}
	}
}

// logged is a log that a test can read while others write.
type logged struct {
	mu   sync.Mutex // guards the field below
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// aBooster is a real booster that joined by a real invite, with its own disk.
func aBooster(t *testing.T, link string, log *slog.Logger) (dir string, stop func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "boost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := booster.New(booster.Config{Dir: dir, Name: "friend", Listen: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("booster: %v", err)
		}
	})
	t.Cleanup(stop)
	if err := b.Join(ctx, link); err != nil {
		t.Fatal(err)
	}
	return dir, stop
}

// filesWith names the files below dir that hold any of the words.
func filesWith(t *testing.T, dir string, words ...string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(body, []byte(w)) {
				found = append(found, filepath.Base(path)+" holds "+w)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// carried is everything that came to a viewer over links: chunks, playlists and
// manifests.
func carried(chunks *store.Store) string {
	var all strings.Builder
	for _, c := range chunks.Contents() {
		if _, playlist := chunks.Update(c); playlist != nil {
			all.Write(playlist)
		}
		for _, m := range chunks.Manifests(c, 0) {
			all.Write(m.Raw())
			for n := m.Manifest().First; n < m.Manifest().Next(); n++ {
				if v, ok := chunks.Get(c, n); ok {
					all.Write(v.Data())
				}
			}
		}
	}
	return all.String()
}

// Two users play a site that marks whatever it gives to one of them, while a
// booster keeps and a third viewer receives what the swarm carries. Nothing of
// either user may be in there, nor in a log, nor may a secret or an address be.
func TestNothingOfAUserLeavesItsOwnAnswers(t *testing.T) {
	var log logged
	cfg := testConfig(t)
	cfg.Upstream = membersSite(t)
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h, stop := begin(t, cfg)
	invite, err := h.NewInvite(1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir, stopBooster := aBooster(t, invite.URL(), cfg.Log)
	p, chunks := goViewer(t, h)

	var ann, bob strings.Builder
	var first tuber.ChunkNumber
	eventually(t, "the stream for everyone reaches the booster's disk and a viewer", func() bool {
		user{t, h.Addresses().Site, "ann"}.play(&ann)
		user{t, h.Addresses().Site, "bob"}.play(&bob)
		var all []tuber.ContentID
		for _, c := range h.Status().Contents {
			all = append(all, c.ID)
		}
		if len(all) == 0 || p.SetWant(h.Site(), all) != nil || !strings.Contains(carried(chunks), markPublic) {
			return false
		}
		held, _ := chunks.Range(all[0])
		if first == 0 {
			first = held.Next
		}
		return held.Next > first+2*segmentChunks && len(filesWith(t, dir, markPublic)) > 0
	})
	if n := len(h.Status().Contents); n != 1 {
		t.Errorf("%d streams are shared, want the one for everyone", n)
	}
	// The test would prove nothing if the site had not known its users.
	if !strings.Contains(ann.String(), markAnn) || !strings.Contains(bob.String(), markBob) {
		t.Error("the users did not get their own answers")
	}
	if strings.Contains(ann.String(), markBob) || strings.Contains(bob.String(), markAnn) {
		t.Error("a user got an answer of the other")
	}
	for _, mark := range []string{markAnn, markBob} {
		if strings.Contains(carried(chunks), mark) {
			t.Errorf("links carried %s", mark)
		}
	}
	stopBooster()
	stop()
	for _, d := range []string{dir, cfg.Dir} {
		if found := filesWith(t, d, markAnn, markBob, userAddr); len(found) > 0 {
			t.Errorf("on disk: %v", found)
		}
	}
	link, err := url.Parse(h.Addresses().Dashboard)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"ann's mark": markAnn, "bob's mark": markBob, "a user's address": userAddr,
		"the invite's secret": base64.RawURLEncoding.EncodeToString(invite.Secret[:]), "the invite": invite.URL(),
		"the dashboard's key": link.Query().Get("key"),
	} {
		if text := log.String(); strings.Contains(text, secret) {
			at := strings.Index(text, secret)
			t.Errorf("%s is in the log: %s", name, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}
