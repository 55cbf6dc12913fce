package peer

import (
	"slices"
	"sync"

	"github.com/tubercdn/tuber"
)

// memory is a Chunks without bounds.
type memory struct {
	mu        sync.Mutex
	updates   map[tuber.ContentID]*tuber.SignedUpdate
	playlists map[tuber.ContentID][]byte
	manifests map[tuber.ContentID][]*tuber.SignedManifest
	chunks    map[chunkKey]tuber.VerifiedChunk
	puts      int
	dropped   []tuber.ContentID
	changed   chan struct{} // closed and made anew at each change
}

func newMemory() *memory {
	return &memory{
		updates: map[tuber.ContentID]*tuber.SignedUpdate{}, playlists: map[tuber.ContentID][]byte{},
		manifests: map[tuber.ContentID][]*tuber.SignedManifest{}, chunks: map[chunkKey]tuber.VerifiedChunk{},
		changed: make(chan struct{}),
	}
}

func (m *memory) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) AddUpdate(u *tuber.SignedUpdate, playlist []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := u.Update().Content
	if old := m.updates[c]; old != nil && !u.Update().Newer(old.Update()) {
		return false
	}
	m.updates[c], m.playlists[c] = u, playlist
	m.change()
	return true
}

func (m *memory) Update(c tuber.ContentID) (*tuber.SignedUpdate, []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.updates[c], m.playlists[c]
}

func (m *memory) AddManifest(s *tuber.SignedManifest) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := s.Manifest().Content
	i, found := slices.BinarySearchFunc(m.manifests[c], s.Manifest().First, func(x *tuber.SignedManifest, n tuber.ChunkNumber) int {
		return int(int64(x.Manifest().First) - int64(n))
	})
	if found {
		return false
	}
	m.manifests[c] = slices.Insert(m.manifests[c], i, s)
	m.change()
	return true
}

func (m *memory) Manifest(c tuber.ContentID, n tuber.ChunkNumber) *tuber.SignedManifest {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.manifests[c] {
		if s.Manifest().Size(n) > 0 {
			return s
		}
	}
	return nil
}

func (m *memory) Manifests(c tuber.ContentID, from tuber.ChunkNumber) (out []*tuber.SignedManifest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.manifests[c] {
		if s.Manifest().Next() > from {
			out = append(out, s)
		}
	}
	return out
}

func (m *memory) Put(v tuber.VerifiedChunk) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := chunkKey{v.Content(), v.Number()}
	if _, ok := m.chunks[k]; ok {
		return false, nil
	}
	m.chunks[k] = v
	m.puts++
	m.change()
	return true, nil
}

func (m *memory) Get(c tuber.ContentID, n tuber.ChunkNumber) (tuber.VerifiedChunk, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.chunks[chunkKey{c, n}]
	return v, ok
}

func (m *memory) Range(c tuber.ContentID) (tuber.Range, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := tuber.Range{Content: c, First: 1 << 62, Partitions: 0xff}
	for k := range m.chunks {
		if k.content == c {
			r.First, r.Next = min(r.First, k.n), max(r.Next, k.n+1)
		}
	}
	return r, r.Next > 0
}

func (m *memory) Contents() (out []tuber.ContentID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := map[tuber.ContentID]bool{}
	for k := range m.chunks {
		if !seen[k.content] {
			seen[k.content] = true
			out = append(out, k.content)
		}
	}
	return out
}

func (m *memory) SetHolds(map[tuber.ContentID]int, []tuber.Hold) {}

func (m *memory) Drop(c tuber.ContentID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.updates, c)
	delete(m.playlists, c)
	delete(m.manifests, c)
	for k := range m.chunks {
		if k.content == c {
			delete(m.chunks, k)
		}
	}
	m.dropped = append(m.dropped, c)
	m.change()
}

// count is how many chunks of c are held, and a channel that closes at the next change.
func (m *memory) count(c tuber.ContentID) (int, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for k := range m.chunks {
		if k.content == c {
			n++
		}
	}
	return n, m.changed
}
