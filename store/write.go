package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/tubercdn/tuber"
)

// errQuota is returned when the quota is taken by what matters more.
var errQuota = errors.New("the disk quota is used up by what matters more")

// fullPause is how long a full disk is left alone before the next try.
const fullPause = 5 * time.Second

// Write commits these partitions of a run with its manifest: all that get has,
// or nothing. Partitions that are on disk already are kept.
func (d *Disk) Write(m *tuber.SignedManifest, k int, parts tuber.Partitions, get func(tuber.ContentID, tuber.ChunkNumber) (tuber.VerifiedChunk, bool)) error {
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.RLock()
	file, full, wait := d.file, d.full, d.retry
	old := d.findLocked(m.Manifest().Content, m.Manifest().First)
	d.mu.RUnlock()
	if old != nil && old.first == m.Manifest().First && old.k == k && parts&^old.parts == 0 {
		return nil // someone was faster
	}
	if file == nil {
		return cmp.Or(full, errClosed)
	}
	now := d.opts.Now()
	if full != nil && now.Before(wait) {
		return full
	}
	e, buf, err := d.compose(m, k, parts, old, get)
	if err != nil {
		return err
	}
	err = d.commit(e, buf)
	d.mu.Lock()
	switch {
	case err == nil:
		d.insertLocked(e)
		d.full = nil
	case isFull(err):
		d.full, d.retry = fmt.Errorf("the disk is full: %w", err), now.Add(fullPause)
		err = d.full
	case !errors.Is(err, ErrDamaged):
		d.full, d.retry = &FolderError{filepath.Dir(d.opts.Path), err}, now.Add(fullPause)
		err = d.full
	}
	d.mu.Unlock()
	return d.repair(err)
}

// compose lays out the value of a run, joined with what is on disk of it. It is
// valid until the next one: a commit keeps no reference to what it has written.
func (d *Disk) compose(m *tuber.SignedManifest, k int, parts tuber.Partitions, old *entry,
	get func(tuber.ContentID, tuber.ChunkNumber) (tuber.VerifiedChunk, bool)) (*entry, []byte, error) {
	s := m.Manifest()
	e := &entry{content: s.Content, first: s.First, parts: parts, k: k, count: len(s.Digests), length: s.Length,
		expires: s.Expires, written: tuber.MillisOf(d.opts.Now())}
	if old != nil && old.first == e.first && old.k == k {
		e.parts |= old.parts
	}
	size := 4 + len(m.Raw())
	e.each(func(n tuber.ChunkNumber) { size += e.size(n) })
	if cap(d.value) < size {
		d.value = make([]byte, 0, size)
	}
	buf := binary.BigEndian.AppendUint32(d.value[:0], uint32(len(m.Raw())))
	buf = append(buf, m.Raw()...)
	var missing error
	e.each(func(n tuber.ChunkNumber) {
		v, ok := get(s.Content, n)
		if !ok && old != nil {
			v, ok = d.reread(old, n)
		}
		if !ok {
			missing = fmt.Errorf("write run %d of %s: chunk %d is gone", s.First, s.Content, n)
			return
		}
		buf = append(buf, v.Data()...)
	})
	e.bytes = uint32(len(buf))
	return e, buf, missing
}

// reread is Get for the writer, which cannot wait for itself to repair.
func (d *Disk) reread(e *entry, n tuber.ChunkNumber) (tuber.VerifiedChunk, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.file == nil || !e.has(n) {
		return tuber.VerifiedChunk{}, false
	}
	v, err := d.readLocked(d.file, e, n)
	return v, err == nil
}

// commit makes room and writes. Where the free pages lie too scattered for the
// value, a small file is compacted, and a large one loses some more runs.
func (d *Disk) commit(e *entry, buf []byte) error {
	need := int64(len(buf)) + roomSlack
	for try := 0; ; try++ {
		if err := d.makeRoom(e, need); err != nil {
			return err
		}
		err := d.file.update(func(tx *bolt.Tx) error { return putRun(tx, e, buf) })
		if !errors.Is(err, berrors.ErrMaxSizeReached) || try == 4 {
			return err
		}
		if d.Size() > compactCheap {
			need *= 2
		} else if err := d.shrink(); err != nil {
			return err
		}
	}
}

func putRun(tx *bolt.Tx, e *entry, buf []byte) error {
	runs := tx.Bucket(bucketRuns)
	if runs.Bucket(e.key()) != nil {
		if err := runs.DeleteBucket(e.key()); err != nil {
			return err
		}
	}
	b, err := runs.CreateBucket(e.key())
	if err != nil {
		return err
	}
	if err := b.Put(keyRun, buf); err != nil {
		return err
	}
	return tx.Bucket(bucketIndex).Put(e.key(), e.encode())
}

// remove deletes runs in one commit. They are not served from the moment it
// begins, whether or not it succeeds. The caller holds w.
func (d *Disk) remove(runs []*entry) error {
	d.mu.Lock()
	for _, e := range runs {
		d.forgetLocked(e)
	}
	runs = append(runs, d.doomed...)
	d.doomed = runs // until it has succeeded
	file := d.file
	d.mu.Unlock()
	if len(runs) == 0 {
		return nil
	}
	if file == nil {
		return errClosed // the doomed are tried again when there is a file
	}
	// Deleting takes a few pages first, and gives back more: let it have them
	// from the step that is otherwise kept free below the quota.
	step := file.db.AllocSize
	file.db.AllocSize = os.Getpagesize()
	defer func() { file.db.AllocSize = step }()
	err := file.update(func(tx *bolt.Tx) error {
		for _, e := range runs {
			if err := deleteRun(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		d.mu.Lock()
		d.doomed = nil
		d.mu.Unlock()
	}
	return d.repair(err)
}

func deleteRun(tx *bolt.Tx, e *entry) error {
	err := tx.Bucket(bucketRuns).DeleteBucket(e.key())
	if err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
		return err
	}
	return tx.Bucket(bucketIndex).Delete(e.key())
}

func (d *Disk) insertLocked(e *entry) {
	d.forgetLocked(e)
	runs := d.index[e.content]
	i, _ := slices.BinarySearchFunc(runs, e.first, byFirst)
	d.index[e.content] = slices.Insert(runs, i, e)
}

// forgetLocked drops the entry of the same key.
func (d *Disk) forgetLocked(e *entry) {
	runs := d.index[e.content]
	if i, ok := slices.BinarySearchFunc(runs, e.first, byFirst); ok {
		d.index[e.content] = slices.Delete(runs, i, i+1)
	}
	if len(d.index[e.content]) == 0 {
		delete(d.index, e.content)
	}
}

func byFirst(e *entry, first tuber.ChunkNumber) int {
	switch {
	case e.first < first:
		return -1
	case e.first > first:
		return 1
	}
	return 0
}

// Drop deletes a content in one commit.
func (d *Disk) Drop(c tuber.ContentID) error {
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.Lock()
	runs := slices.Clone(d.index[c])
	delete(d.holds, c)
	d.slack = d.slack || len(runs) > 0
	d.mu.Unlock()
	return d.remove(runs)
}
