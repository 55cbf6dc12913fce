package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

// DefaultQuota bounds a chunk file unless its owner says otherwise.
const DefaultQuota int64 = 10 << 30

// ErrOtherSite is returned when the chunk file belongs to another site.
var ErrOtherSite = errors.New("it holds the chunks of another site")

// DiskOptions says what a Disk is for; all but Log is needed.
type DiskOptions struct {
	Path  string
	Site  tuber.PublicKey
	Quota int64
	Now   func() time.Time
	Log   *slog.Logger
}

// Disk keeps whole runs of partitions in one bbolt file. Its index is mirrored
// in memory; the file is read only for the bytes.
type Disk struct {
	opts DiskOptions

	w     sync.Mutex // one writer at a time; taken before mu
	value []byte     // the writer's own, guarded by w: a run's value is laid out in it

	mu       sync.RWMutex // guards the fields below; readers of the file hold it for reading
	file     *boltFile    // nil while the folder cannot be used
	index    map[tuber.ContentID][]*entry
	quota    int64
	holds    map[tuber.ContentID]tuber.Hold
	planned  bool // SetHolds was called
	full     error
	retry    time.Time // no write before this while full
	slack    bool      // withdrawn bytes are still in free pages
	doomed   []*entry  // forgotten, but their deletion has not succeeded yet
	closed   bool
	manifest *lru
}

// OpenDisk opens or begins the file. A damaged file is set aside; where the
// folder cannot be used, Full says so, and it is tried again.
func OpenDisk(opts DiskOptions) (*Disk, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	d := &Disk{opts: opts, quota: opts.Quota, manifest: newLRU(128)}
	if err := d.begin(); err != nil {
		if foreign(err) {
			return nil, err
		}
		d.mu.Lock()
		d.loseLocked(err)
		d.mu.Unlock()
	}
	if err := d.SetQuota(opts.Quota); err != nil { // it may have been lowered meanwhile
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Disk) begin() error {
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.beginLocked()
}

// beginLocked opens the file, or a new one if it is damaged.
func (d *Disk) beginLocked() error {
	err := d.openLocked()
	if errors.Is(err, ErrDamaged) {
		return d.renewLocked(err)
	}
	return err
}

// openLocked opens the file and reads its index.
func (d *Disk) openLocked() error {
	if _, err := os.Stat(filepath.Dir(d.opts.Path)); err != nil {
		return err // a folder that was taken away is not made anew on another disk
	}
	file, err := openBolt(d.opts.Path, initChunks(d.opts.Site))
	if err != nil {
		return err
	}
	var index map[tuber.ContentID][]*entry
	err = probeFile(file, d.checkSchema)
	if err == nil {
		index, err = d.readIndex(file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", d.opts.Path, err), file.close())
	}
	d.file, d.index, d.full = file, index, nil
	d.applyQuotaLocked()
	return nil
}

func (d *Disk) checkSchema(tx *bolt.Tx) error {
	if err := checkSchema(tx, chunkSchema, bucketIndex, bucketRuns); err != nil {
		return err
	}
	if site := tx.Bucket(bucketAbout).Get(keySite); !bytes.Equal(site, d.opts.Site[:]) {
		return ErrOtherSite
	}
	return nil
}

func (d *Disk) readIndex(file *boltFile) (map[tuber.ContentID][]*entry, error) {
	index := map[tuber.ContentID][]*entry{}
	err := file.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketIndex).ForEach(func(k, v []byte) error {
			e, err := decodeEntry(k, v)
			if err == nil {
				index[e.content] = append(index[e.content], e)
			}
			return err
		})
	})
	return index, err
}

// Close closes the file.
func (d *Disk) Close() error {
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.file == nil {
		return nil
	}
	err := d.file.close()
	d.file = nil
	return err
}

// findLocked is the entry that chunk n belongs to, or nil.
func (d *Disk) findLocked(c tuber.ContentID, n tuber.ChunkNumber) *entry {
	runs := d.index[c]
	i, ok := slices.BinarySearchFunc(runs, n, func(e *entry, n tuber.ChunkNumber) int { return cmp.Compare(e.first, n) })
	if !ok {
		i--
	}
	if i < 0 || n >= runs[i].next() {
		return nil
	}
	return runs[i]
}

// Has tells whether chunk n is on disk.
func (d *Disk) Has(c tuber.ContentID, n tuber.ChunkNumber) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e := d.findLocked(c, n)
	return e != nil && e.has(n)
}

// Knows tells whether the run that begins at first is on disk, in part or whole.
func (d *Disk) Knows(c tuber.ContentID, first tuber.ChunkNumber) bool {
	return d.Partitions(c, first) != 0
}

// Partitions is what is on disk of the run that begins at first.
func (d *Disk) Partitions(c tuber.ContentID, first tuber.ChunkNumber) tuber.Partitions {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if e := d.findLocked(c, first); e != nil && e.first == first {
		return e.parts
	}
	return 0
}

// Contents lists what is on disk.
func (d *Disk) Contents() []tuber.ContentID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]tuber.ContentID, 0, len(d.index))
	for c := range d.index {
		out = append(out, c)
	}
	return out
}

// Size is the size of the file, and of one that was set aside.
func (d *Disk) Size() int64 {
	var total int64
	for _, path := range append(setAside(d.opts.Path), d.opts.Path) {
		if info, err := os.Stat(path); err == nil {
			total += info.Size()
		}
	}
	return total
}

// Full is nil while the disk takes what it is given, else why it does not.
func (d *Disk) Full() error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.full
}
