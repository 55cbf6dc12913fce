package watch

import (
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
	"github.com/tubercdn/tuber/store"
)

const (
	maxCopies    = 8    // playlists kept: one whose segment or part is held is among them
	maxRunsKnown = 4096 // manifests found by URL
)

// held is a viewer's chunks: a store in memory that also finds runs by URL,
// remembers when playlists came, and tells when anything changed.
type held struct {
	*store.Store

	mu      sync.Mutex // guards the fields below
	copies  map[tuber.ContentID][]playlistCopy
	runs    map[string][]*tuber.SignedManifest // by URL, in the order of their coming
	order   []string                           // one URL for each run, oldest first
	changed chan struct{}                      // closed at the next change
}

// playlistCopy is a playlist that an update vouches for.
type playlistCopy struct {
	update   *tuber.Update
	patience time.Duration // it is shown without its last segment, or part, after so long
	playlist []byte
	arrived  time.Time
}

func newHeld(site tuber.PublicKey, now func() time.Time) (*held, error) {
	s, err := store.New(store.Options{Site: site, Now: now})
	if err != nil {
		return nil, err
	}
	return &held{
		Store: s, copies: make(map[tuber.ContentID][]playlistCopy),
		runs: make(map[string][]*tuber.SignedManifest), changed: make(chan struct{}),
	}, nil
}

// change is closed when anything more is held.
func (h *held) change() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

func (h *held) tellLocked() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// AddUpdate also remembers the copy and when it came.
func (h *held) AddUpdate(u *tuber.SignedUpdate, playlist []byte) bool {
	if !h.Store.AddUpdate(u, playlist) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := u.Update().Content
	patience := time.Duration(u.Update().Target) * time.Millisecond / 2
	if p, err := hls.Parse(playlist); err == nil && p.Media != nil && p.Media.PartTarget > 0 {
		patience = p.Media.PartTarget
	}
	all := append(h.copies[c], playlistCopy{u.Update(), patience, playlist, time.Now()})
	h.copies[c] = all[max(0, len(all)-maxCopies):]
	h.tellLocked()
	return true
}

// AddManifest also finds the run by its URL from now on.
func (h *held) AddManifest(m *tuber.SignedManifest) bool {
	if !h.Store.AddManifest(m) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	url := m.Manifest().URL
	h.runs[url] = append(h.runs[url], m)
	if h.order = append(h.order, url); len(h.order) > maxRunsKnown {
		h.forgetLocked(h.order[0])
		h.order = h.order[1:]
	}
	h.tellLocked()
	return true
}

func (h *held) forgetLocked(url string) {
	if h.runs[url] = h.runs[url][1:]; len(h.runs[url]) == 0 {
		delete(h.runs, url)
	}
}

// Put also tells those who wait.
func (h *held) Put(v tuber.VerifiedChunk) (bool, error) {
	fresh, err := h.Store.Put(v)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tellLocked()
	return fresh, err
}

// Drop also forgets the content's playlists and runs.
func (h *held) Drop(c tuber.ContentID) {
	h.Store.Drop(c)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.copies, c)
}

// runAt is the newest run that states this byte of a URL; nil if none does.
func (h *held) runAt(url string, at uint64) *tuber.SignedManifest {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.runs[url]
	for i := len(all) - 1; i >= 0; i-- {
		if m := all[i].Manifest(); m.Offset <= at && at < m.End() {
			return all[i]
		}
	}
	return nil
}

// endsAt tells whether a run that ends its segment ends there.
func (h *held) endsAt(url string, at uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.runs[url] {
		if m := s.Manifest(); m.Ends && m.End() == at {
			return true
		}
	}
	return false
}

// choose is the playlist that a player is shown: the newest signed copy whose
// last segment or part is held, at latest half a target duration, or a part's,
// after it came. False where HTTP must answer: nothing is held, or the newest copy is stale.
func (h *held) choose(c tuber.ContentID, now time.Time, origin tuber.Millis) (playlistCopy, bool) {
	h.mu.Lock()
	all := append([]playlistCopy(nil), h.copies[c]...)
	h.mu.Unlock()
	if len(all) == 0 || stale(all[len(all)-1], now, origin) {
		return playlistCopy{}, false
	}
	for i := len(all) - 1; i >= 0; i-- {
		u := all[i].update
		if now.Sub(all[i].arrived) >= all[i].patience || h.hasAll(c, u.LastFirst, u.LastNext) {
			return all[i], origin <= u.Expires
		}
	}
	return playlistCopy{}, false
}

// stale: no newer update for 1.5 target durations, or expired on the origin's clock.
func stale(c playlistCopy, now time.Time, origin tuber.Millis) bool {
	target := time.Duration(c.update.Target) * time.Millisecond
	return origin > c.update.Expires || !c.update.Ended && now.Sub(c.arrived) > target*3/2
}

func (h *held) hasAll(c tuber.ContentID, first, next tuber.ChunkNumber) bool {
	for n := first; n < next; n++ {
		if _, ok := h.Get(c, n); !ok {
			return false
		}
	}
	return true
}
