package store

import (
	"maps"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// content is what is remembered of one content in memory.
type content struct {
	k         int // 0 while unknown
	update    *tuber.SignedUpdate
	playlist  []byte
	manifests []known // ascending by first number, never overlapping
	newest    tuber.ChunkNumber
	any       bool // newest is the highest number that was ever held
}

// known is a manifest and when it came.
type known struct {
	m    *tuber.SignedManifest
	at   time.Time
	done tuber.Partitions // written once: evicted since, they are not written again
}

func (ct *content) note(n tuber.ChunkNumber) {
	if !ct.any || n > ct.newest {
		ct.newest, ct.any = n, true
	}
}

// find is the place of the first manifest with Next() > n.
func (ct *content) find(n tuber.ChunkNumber) int {
	i, _ := slices.BinarySearchFunc(ct.manifests, n, func(e known, n tuber.ChunkNumber) int {
		if e.m.Manifest().Next() <= n {
			return -1
		}
		return 1
	})
	return i
}

// manifest is the one that chunk n belongs to, or nil.
func (ct *content) manifest(n tuber.ChunkNumber) *tuber.SignedManifest {
	i := ct.find(n)
	if i == len(ct.manifests) || ct.manifests[i].m.Manifest().First > n {
		return nil
	}
	return ct.manifests[i].m
}

// contentLocked is the record of c, made if there is room for it, else nil.
func (s *Store) contentLocked(c tuber.ContentID) *content {
	ct := s.contents[c]
	if ct == nil && len(s.contents) < maxContents {
		ct = &content{k: s.k[c]}
		s.contents[c] = ct
	}
	return ct
}

// AddUpdate keeps the update if it is newer than the held one and states this
// playlist. It keeps the playlist, which must not change any more.
func (s *Store) AddUpdate(u *tuber.SignedUpdate, playlist []byte) bool {
	if !u.Update().Matches(playlist) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ct := s.contentLocked(u.Update().Content)
	if ct == nil || (ct.update != nil && !u.Update().Newer(ct.update.Update())) {
		return false
	}
	ct.update, ct.playlist = u, playlist
	ct.k = int(u.Update().K)
	return true
}

// Update is the newest update of a content with its playlist, or nil.
func (s *Store) Update(c tuber.ContentID) (*tuber.SignedUpdate, []byte) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ct := s.contents[c]; ct != nil {
		return ct.update, ct.playlist
	}
	return nil, nil
}

// AddManifest remembers a run. It returns false if the run is known already,
// has expired, or claims numbers of a known one.
func (s *Store) AddManifest(sm *tuber.SignedManifest) bool {
	m, now := sm.Manifest(), s.opts.Now()
	if m.Expires < tuber.MillisOf(now) {
		return false
	}
	stored := s.disk != nil && s.disk.Knows(m.Content, m.First) && !s.isDropped(m.Content)
	s.mu.Lock()
	ct := s.contentLocked(m.Content)
	if ct == nil {
		s.mu.Unlock()
		return false
	}
	i := ct.find(m.First)
	if i < len(ct.manifests) && ct.manifests[i].m.Manifest().First < m.Next() {
		s.mu.Unlock()
		return false
	}
	ct.manifests = slices.Insert(ct.manifests, i, known{m: sm, at: now})
	if len(ct.manifests) > maxManifests {
		ct.manifests = slices.Delete(ct.manifests, 0, 1)
	}
	_, held := s.holds[m.Content]
	s.mu.Unlock()
	if held {
		s.wake() // its chunks may have come before it
	}
	return !stored
}

// Manifest is the manifest of chunk n, or nil.
func (s *Store) Manifest(c tuber.ContentID, n tuber.ChunkNumber) *tuber.SignedManifest {
	s.mu.RLock()
	var m *tuber.SignedManifest
	if ct := s.contents[c]; ct != nil {
		m = ct.manifest(n)
	}
	dropped := s.dropped[c]
	s.mu.RUnlock()
	if m != nil || s.disk == nil || dropped {
		return m
	}
	return s.disk.Manifest(c, n)
}

// Manifests lists the known runs with Next() > from, ascending.
func (s *Store) Manifests(c tuber.ContentID, from tuber.ChunkNumber) []*tuber.SignedManifest {
	byFirst := map[tuber.ChunkNumber]*tuber.SignedManifest{}
	s.mu.RLock()
	if ct := s.contents[c]; ct != nil {
		for _, e := range ct.manifests[ct.find(from):] {
			byFirst[e.m.Manifest().First] = e.m
		}
	}
	dropped := s.dropped[c]
	s.mu.RUnlock()
	if s.disk != nil && !dropped {
		for _, m := range s.disk.Manifests(c, from, byFirst) {
			byFirst[m.Manifest().First] = m
		}
	}
	out := make([]*tuber.SignedManifest, 0, len(byFirst))
	for _, first := range slices.Sorted(maps.Keys(byFirst)) {
		out = append(out, byFirst[first])
	}
	return out
}

// Contents lists every content of which anything is held or known.
func (s *Store) Contents() []tuber.ContentID {
	all := map[tuber.ContentID]bool{}
	s.mu.RLock()
	for c := range s.contents {
		all[c] = true
	}
	s.mu.RUnlock()
	if s.disk != nil {
		for _, c := range s.disk.Contents() {
			if !s.isDropped(c) {
				all[c] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b tuber.ContentID) int { return slices.Compare(a[:], b[:]) })
}
