// Package store is where chunks rest, and where the host and the boosters keep
// their book.
//
// A Store is the chunks of one swarm: a Ring of live chunks in memory, and a
// Disk with the partitions that a hold names. A Book is small and precious:
// keys, invites, boosters, memberships, settings.
//
// Invariants:
//   - nothing enters that was not verified, and nothing leaves the disk before
//     it was verified again by the site key;
//   - a run reaches the disk whole: the chunks of its held partitions and its
//     manifest in one commit, or nothing;
//   - the chunk file is disposable: damaged, it is set aside and begun anew,
//     and no panic or fault of its mapping leaves this package;
//   - the book is not: damaged, it is an error that says how to restore it;
//   - the byte quota counts the size of the file, not of what is live in it.
package store

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
)

// Bounds of what one store remembers.
const (
	maxContents  = 1024 // contents of one swarm
	maxManifests = 8192 // manifests of one content in memory: 2 GiB of full runs
	// manifestLife is how long a manifest without any held chunk is remembered.
	manifestLife = 2 * time.Minute
	tick         = time.Second // rhythm of Run when nothing happens
)

// Options says what a Store is for. Only Site is needed.
type Options struct {
	// Site is the key that every manifest read from disk must be signed by.
	Site tuber.PublicKey
	// Path is the chunk file, chunks-SWARM.db; empty keeps everything in memory.
	Path string
	// Quota is the most bytes that the file may have; 0 means DefaultQuota.
	Quota int64
	// RingAge and RingBytes bound the memory; 0 means DefaultRingAge, DefaultRingBytes.
	RingAge   time.Duration
	RingBytes int64
	// Now is the origin's clock as far as it is known; nil means the local one.
	Now func() time.Time
	// Log is told of damage and of a full disk; nil discards.
	Log *slog.Logger
}

func (o *Options) defaults() {
	if o.Quota <= 0 {
		o.Quota = DefaultQuota
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Store keeps the chunks, manifests and newest updates of one swarm. It is safe
// for concurrent use; what it returns is shared and read only.
type Store struct {
	opts Options
	ring *Ring
	disk *Disk         // nil: memory only
	kick chan struct{} // a run may be ready for the disk

	mu       sync.RWMutex // guards the fields below, never held over disk access
	contents map[tuber.ContentID]*content
	holds    map[tuber.ContentID]tuber.Hold
	k        map[tuber.ContentID]int
	dropped  map[tuber.ContentID]bool // whose deletion from disk has not succeeded yet
}

// New opens the store. A chunk file of another program is an error of type
// *LockedError, a newer one is ErrNewer; a damaged one is begun anew.
func New(opts Options) (*Store, error) {
	opts.defaults()
	s := &Store{
		opts:     opts,
		ring:     NewRing(opts.RingAge, opts.RingBytes, opts.Now),
		kick:     make(chan struct{}, 1),
		contents: map[tuber.ContentID]*content{},
		dropped:  map[tuber.ContentID]bool{},
	}
	if opts.Path == "" {
		return s, nil
	}
	disk, err := OpenDisk(DiskOptions{Path: opts.Path, Site: opts.Site, Quota: opts.Quota, Now: opts.Now, Log: opts.Log})
	if err != nil {
		return nil, err
	}
	s.disk = disk
	return s, nil
}

// Run writes held runs to disk as they complete, and forgets what is old, until
// ctx ends. Errors of the disk are reported by Full, not returned: a store
// whose disk fails still serves from memory.
func (s *Store) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.kick:
		case <-ticker.C:
			s.Sweep()
		}
		if err := s.Flush(); err != nil {
			s.opts.Log.Debug("held runs wait for the disk", "err", err)
		}
	}
}

// Close writes what is ready and closes the file.
func (s *Store) Close() error {
	if s.disk == nil {
		return nil
	}
	return errors.Join(s.Flush(), s.disk.Close())
}

// Put takes a verified chunk; false means that it was held already.
func (s *Store) Put(v tuber.VerifiedChunk) (bool, error) {
	c, n := v.Content(), v.Number()
	if s.disk != nil && s.disk.Has(c, n) {
		return false, nil
	}
	if !s.ring.Put(v) {
		return false, nil
	}
	s.mu.Lock()
	ct := s.contentLocked(c)
	if ct != nil {
		ct.note(n)
	}
	wanted := s.wantedLocked(c, n)
	s.mu.Unlock()
	if wanted {
		s.wake()
	}
	return true, nil
}

// Get returns a held chunk. From disk it is copied once and verified again.
func (s *Store) Get(c tuber.ContentID, n tuber.ChunkNumber) (tuber.VerifiedChunk, bool) {
	if v, ok := s.ring.Get(c, n); ok {
		return v, true
	}
	if s.disk == nil || s.isDropped(c) {
		return tuber.VerifiedChunk{}, false
	}
	return s.disk.Get(c, n)
}

// SetHolds replaces what the disk is for; k is the number of partitions of each
// content. What no hold names any more is the first to be evicted.
func (s *Store) SetHolds(k map[tuber.ContentID]int, holds []tuber.Hold) {
	byContent := make(map[tuber.ContentID]tuber.Hold, len(holds))
	for _, h := range holds {
		if partitions(k[h.Content]) {
			byContent[h.Content] = merge(byContent[h.Content], h)
		}
	}
	s.mu.Lock()
	s.holds, s.k = byContent, maps.Clone(k)
	for c, n := range k {
		if ct := s.contents[c]; ct != nil && partitions(n) {
			ct.k = n
		}
	}
	s.mu.Unlock()
	if s.disk != nil {
		s.disk.SetHolds(maps.Clone(byContent))
		s.wake()
	}
}

// Drop deletes a content that was withdrawn, or whose swarm was left, at once.
func (s *Store) Drop(c tuber.ContentID) {
	s.mu.Lock()
	delete(s.contents, c)
	delete(s.holds, c)
	if s.disk != nil {
		s.dropped[c] = true
	}
	s.mu.Unlock()
	s.ring.Drop(c)
	s.dropFromDisk(c)
}

func (s *Store) dropFromDisk(c tuber.ContentID) {
	if s.disk == nil {
		return
	}
	if err := s.disk.Drop(c); err != nil {
		s.opts.Log.Warn("withdrawn content is not served, but still on disk", "content", c.String(), "err", err)
		return
	}
	s.mu.Lock()
	delete(s.dropped, c)
	s.mu.Unlock()
}

// Stored is the size of the file, as the quota counts it.
func (s *Store) Stored() int64 {
	if s.disk == nil {
		return 0
	}
	return s.disk.Size()
}

// SetQuota bounds the file. A lower bound evicts and compacts before it returns;
// 0 keeps nothing.
func (s *Store) SetQuota(bytes int64) error {
	if s.disk == nil {
		return nil
	}
	return s.disk.SetQuota(bytes)
}

// Full is nil while the disk takes what the holds name, else why it does not.
// What is held is served all the same, and the error goes when space returns.
func (s *Store) Full() error {
	if s.disk == nil {
		return nil
	}
	return s.disk.Full()
}

func (s *Store) isDropped(c tuber.ContentID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.dropped[c]
}

func (s *Store) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func partitions(k int) bool { return k == 1 || k == 2 || k == 4 || k == 8 }

// merge joins two holds of one content: all their partitions, the longer window
// (0 is without end), the higher priority.
func merge(a, b tuber.Hold) tuber.Hold {
	if a.Partitions == 0 {
		return b
	}
	b.Partitions |= a.Partitions
	b.Priority = max(a.Priority, b.Priority)
	if a.Window == 0 || b.Window == 0 {
		b.Window = 0
	} else {
		b.Window = max(a.Window, b.Window)
	}
	return b
}
