package origin

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
)

var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// made is n bytes that depend on name alone.
func made(name string, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(sha256.Sum256([]byte(name))).Read(b)
	return b
}

// encoder is a live site: every target a segment appears. All its times are of
// the clock that the test runs under.
type encoder struct {
	start  time.Time
	target time.Duration
	window uint64
	size   int                                               // bytes of a segment
	list   func(e *encoder, r *http.Request) string          // nil: the plain list
	other  func(w http.ResponseWriter, r *http.Request) bool // answers first
	kind   string                                            // media type of segments

	mu   sync.Mutex // guards the fields below
	hits map[string]int
	bad  []string // requests of the follower with anything of a viewer's
}

func newEncoder() *encoder {
	return &encoder{start: time.Now(), target: 2 * time.Second, window: 6, size: 3*tuber.ChunkSize + 100,
		kind: "video/mp2t", hits: map[string]int{}}
}

// newest is the number of the newest segment.
func (e *encoder) newest() uint64 { return 10 + uint64(time.Since(e.start)/e.target) }

func (e *encoder) first() uint64 { return e.newest() + 1 - e.window }

func (e *encoder) head() string {
	return fmt.Sprintf("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n",
		int(e.target.Seconds()), e.first())
}

func plainList(e *encoder, _ *http.Request) string {
	b := e.head()
	for n := e.first(); n <= e.newest(); n++ {
		b += fmt.Sprintf("#EXTINF:%.3f,\nseg/%d.ts\n", e.target.Seconds(), n)
	}
	return b
}

func (e *encoder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	if r.Header.Get("User-Agent") == "tuber" {
		e.hits[canonical(r.URL)]++
		if r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" || r.Header.Get("X-Viewer") != "" {
			e.bad = append(e.bad, r.URL.Path)
		}
	} else {
		e.hits["viewer "+canonical(r.URL)]++
	}
	e.mu.Unlock()
	if e.other != nil && e.other(w, r) {
		return
	}
	if strings.HasSuffix(r.URL.Path, ".m3u8") {
		list := plainList
		if e.list != nil {
			list = e.list
		}
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		fmt.Fprint(w, list(e, r))
		return
	}
	w.Header().Set("Content-Type", e.kind)
	w.Header().Set("Etag", `"`+r.URL.Path+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(made(r.URL.Path, e.size)))
}

// fetches is how often the follower asked for a target.
func (e *encoder) fetches(target string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hits[target]
}

// place is a chunk number of a content.
type place struct {
	content tuber.ContentID
	n       tuber.ChunkNumber
}

// collector is a Publisher that checks what it gets as a peer would.
type collector struct {
	t *testing.T

	mu        sync.Mutex // guards the fields below
	contents  [][]tuber.Content
	pubs      []Publication
	manifests map[place]*tuber.SignedManifest // by first number
	chunks    map[place]tuber.VerifiedChunk
	updates   []*tuber.SignedUpdate
	raw       []byte // all that was published, for canaries
}

func (c *collector) SetContents(list []tuber.Content) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.contents = append(c.contents, list)
}

func (c *collector) Publish(p Publication) {
	c.mu.Lock()
	defer c.mu.Unlock()
	site := tuber.PublicKeyOf(testKey)
	c.pubs = append(c.pubs, p)
	for _, m := range p.Manifests {
		if _, err := tuber.OpenManifest(site, m.Raw()); err != nil {
			c.t.Errorf("manifest: %v", err)
		}
		first := place{m.Manifest().Content, m.Manifest().First}
		if c.manifests[first] != nil {
			c.t.Errorf("chunk number %d was given twice", first.n)
		}
		c.manifests[first] = m
		c.raw = append(c.raw, m.Raw()...)
	}
	for _, v := range p.Chunks {
		at := place{v.Content(), v.Number()}
		if c.covering(at) == nil {
			c.t.Errorf("chunk %d came before its manifest", v.Number())
		}
		c.chunks[at] = v
		c.raw = append(c.raw, v.Data()...)
	}
	if p.Update == nil {
		return
	}
	u, err := tuber.OpenUpdate(site, p.Update.Raw())
	if err != nil || !u.Update().Matches(p.Playlist) {
		c.t.Errorf("update: %v, playlist matches %v", err, err == nil && u.Update().Matches(p.Playlist))
		return
	}
	if n := len(c.updates); n > 0 && !u.Update().Newer(c.updates[n-1].Update()) && u.Update().Content == c.updates[n-1].Update().Content {
		c.t.Errorf("update %d is not newer than the one before", u.Update().Sequence)
	}
	for n := u.Update().LastFirst; n < u.Update().LastNext; n++ {
		if _, ok := c.chunks[place{u.Update().Content, n}]; !ok {
			c.t.Errorf("playlist published before chunk %d of its last segment", n)
		}
	}
	c.updates = append(c.updates, u)
	c.raw = append(append(c.raw, u.Raw()...), p.Playlist...)
}

func (c *collector) covering(at place) *tuber.Manifest {
	for _, m := range c.manifests {
		if m.Manifest().Content == at.content && m.Manifest().Size(at.n) > 0 {
			return m.Manifest()
		}
	}
	return nil
}

// bodies puts the newest complete copy of each segment together again, under
// its URL, or under URL@start where it is a byte range.
func (c *collector) bodies() map[string][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	firsts := make([]place, 0, len(c.manifests))
	for n := range c.manifests {
		firsts = append(firsts, n)
	}
	sort.Slice(firsts, func(i, j int) bool { return firsts[i].n < firsts[j].n })
	open, out := map[string][]byte{}, map[string][]byte{}
	for _, n := range firsts {
		m := c.manifests[n].Manifest()
		name := m.URL
		if m.Start > 0 {
			name = fmt.Sprintf("%s@%d", m.URL, m.Start)
		}
		if m.Offset == m.Start {
			open[name] = nil
		} else if int(m.Offset-m.Start) != len(open[name]) {
			c.t.Errorf("%s: run at %d after %d bytes", name, m.Offset, len(open[name]))
		}
		for i := m.First; i < m.Next(); i++ {
			open[name] = append(open[name], c.chunks[place{m.Content, i}].Data()...)
		}
		if m.Ends {
			out[name] = open[name]
		}
	}
	return out
}

func (c *collector) announced() []tuber.Content {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.contents) == 0 {
		return nil
	}
	return c.contents[len(c.contents)-1]
}

func (c *collector) published() (pubs, updates int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pubs), len(c.updates)
}

// bubble runs an origin over site, on a clock of its own.
type bubble struct {
	*testing.T
	origin *Origin
	got    *collector
}

func inBubble(t *testing.T, script func(b *bubble, e *encoder), change ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEncoder()
		got := &collector{t: t, manifests: map[place]*tuber.SignedManifest{}, chunks: map[place]tuber.VerifiedChunk{}}
		cfg := Config{Handler: e, Key: testKey, Epoch: 5, Publisher: got}
		for _, c := range change {
			c(&cfg)
		}
		o, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- o.Run(ctx) }()
		synctest.Wait()
		script(&bubble{T: t, origin: o, got: got}, e)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: got %v want canceled", err)
		}
		<-time.After(time.Minute) // the site's slow handlers end
		if len(e.bad) > 0 {
			t.Errorf("the follower's requests carried a viewer's headers: %v", e.bad)
		}
	})
}

// get is a viewer's request.
func (b *bubble) get(path string, headers ...string) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.origin.ServeHTTP(w, r)
	return w
}

// watch is a viewer that asks for the playlist every second.
func (b *bubble) watch(path string, d time.Duration, headers ...string) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		b.get(path, headers...)
		b.pass(time.Second)
	}
}

// pass lets the bubble's clock run.
func (b *bubble) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (b *bubble) sameBody(name string, want []byte) {
	b.Helper()
	got, ok := b.got.bodies()[name]
	if !ok {
		b.Errorf("%s was not published whole", name)
		return
	}
	if sha256.Sum256(got) != sha256.Sum256(want) {
		b.Errorf("%s: published bytes differ from upstream's (%d and %d bytes)", name, len(got), len(want))
	}
}

// last is the newest update.
func (c *collector) last() *tuber.Update {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.updates) == 0 {
		c.t.Fatal("no playlist was published")
	}
	return c.updates[len(c.updates)-1].Update()
}

// first is the content as it was announced at first.
func (c *collector) first() tuber.Content {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.contents) == 0 {
		c.t.Fatal("no content was announced")
	}
	return c.contents[0][0]
}
