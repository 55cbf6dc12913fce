package store

import (
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

// Get reads chunk n: one copy out of the mapping, then the whole proof again.
// What fails it is deleted, and a file that contradicts itself is set aside.
func (d *Disk) Get(c tuber.ContentID, n tuber.ChunkNumber) (tuber.VerifiedChunk, bool) {
	d.mu.RLock()
	file, e := d.file, d.findLocked(c, n)
	if file == nil || e == nil || !e.has(n) {
		d.mu.RUnlock()
		return tuber.VerifiedChunk{}, false
	}
	v, err := d.readLocked(file, e, n)
	d.mu.RUnlock()
	if err != nil {
		d.blame(file, e, err)
		return tuber.VerifiedChunk{}, false
	}
	return v, true
}

func (d *Disk) readLocked(file *boltFile, e *entry, n tuber.ChunkNumber) (v tuber.VerifiedChunk, err error) {
	m := d.manifest.get(e)
	var data []byte
	err = file.view(func(tx *bolt.Tx) error {
		raw, chunks, err := value(tx, e)
		if err != nil {
			return err
		}
		if m == nil {
			if m, err = d.open(e, raw); err != nil {
				return err
			}
		}
		at, size := e.offset(n), e.size(n)
		if at+size > len(chunks) {
			return fmt.Errorf("%w: chunk %d is past its run's end", errRun, n)
		}
		data = slices.Clone(chunks[at : at+size])
		return nil
	})
	if err != nil {
		return v, err
	}
	if v, err = m.Verify(n, data); err != nil {
		return v, fmt.Errorf("%w: %w", errRun, err)
	}
	d.manifest.put(e, m)
	return v, nil
}

// errRun is returned when one run on disk fails its proof.
var errRun = errors.New("a run on disk is damaged")

// value is the run's manifest and chunks, valid within the transaction.
func value(tx *bolt.Tx, e *entry) (raw, chunks []byte, err error) {
	b := tx.Bucket(bucketRuns).Bucket(e.key())
	if b == nil {
		return nil, nil, fmt.Errorf("%w: it is not there", errRun)
	}
	v := b.Get(keyRun)
	if len(v) != int(e.bytes) || len(v) < 4 {
		return nil, nil, fmt.Errorf("%w: %d bytes, want %d", errRun, len(v), e.bytes)
	}
	n := binary.BigEndian.Uint32(v)
	if int64(n) > int64(len(v)-4) {
		return nil, nil, fmt.Errorf("%w: manifest of %d bytes in %d", errRun, n, len(v))
	}
	return v[4 : 4+n], v[4+n:], nil
}

// open copies a manifest out of the mapping and checks it against the site key
// and the index.
func (d *Disk) open(e *entry, raw []byte) (*tuber.SignedManifest, error) {
	m, err := tuber.OpenManifest(d.opts.Site, slices.Clone(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRun, err)
	}
	if s := m.Manifest(); s.Content != e.content || s.First != e.first || len(s.Digests) != e.count || s.Length != e.length {
		return nil, fmt.Errorf("%w: its manifest is of another run", errRun)
	}
	return m, nil
}

// Manifest is the manifest of chunk n, or nil.
func (d *Disk) Manifest(c tuber.ContentID, n tuber.ChunkNumber) *tuber.SignedManifest {
	d.mu.RLock()
	file, e := d.file, d.findLocked(c, n)
	if file == nil || e == nil {
		d.mu.RUnlock()
		return nil
	}
	m, err := d.readManifestLocked(file, e)
	d.mu.RUnlock()
	if err != nil {
		d.blame(file, e, err)
		return nil
	}
	return m
}

func (d *Disk) readManifestLocked(file *boltFile, e *entry) (*tuber.SignedManifest, error) {
	if m := d.manifest.get(e); m != nil {
		return m, nil
	}
	var m *tuber.SignedManifest
	err := file.view(func(tx *bolt.Tx) error {
		raw, _, err := value(tx, e)
		if err != nil {
			return err
		}
		m, err = d.open(e, raw)
		return err
	})
	if err == nil {
		d.manifest.put(e, m)
	}
	return m, err
}

// Manifests lists the runs on disk with Next() > from that skip does not have.
func (d *Disk) Manifests(c tuber.ContentID, from tuber.ChunkNumber, skip map[tuber.ChunkNumber]*tuber.SignedManifest) []*tuber.SignedManifest {
	d.mu.RLock()
	var firsts []tuber.ChunkNumber
	for _, e := range d.index[c] {
		if e.next() > from && skip[e.first] == nil {
			firsts = append(firsts, e.first)
		}
	}
	d.mu.RUnlock()
	var out []*tuber.SignedManifest
	for _, first := range firsts {
		if m := d.Manifest(c, first); m != nil {
			out = append(out, m)
		}
	}
	return out
}

// lru keeps the manifests that were opened last, so that the chunks of one run
// cost one check of a signature.
type lru struct {
	limit int

	mu    sync.Mutex // guards the fields below
	order *list.List // of lruItem, newest first
	items map[*entry]*list.Element
}

type lruItem struct {
	e *entry
	m *tuber.SignedManifest
}

func newLRU(limit int) *lru {
	return &lru{limit: limit, order: list.New(), items: map[*entry]*list.Element{}}
}

func (l *lru) get(e *entry) *tuber.SignedManifest {
	l.mu.Lock()
	defer l.mu.Unlock()
	el := l.items[e]
	if el == nil {
		return nil
	}
	l.order.MoveToFront(el)
	return el.Value.(lruItem).m
}

func (l *lru) put(e *entry, m *tuber.SignedManifest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.items[e] != nil {
		return
	}
	l.items[e] = l.order.PushFront(lruItem{e, m})
	if l.order.Len() > l.limit {
		last := l.order.Back()
		delete(l.items, last.Value.(lruItem).e)
		l.order.Remove(last)
	}
}
