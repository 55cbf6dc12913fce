package store

import (
	"cmp"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

const (
	// roomSlack is what a commit may need beside the value: pages of the index,
	// of the buckets above it, and of the list of free pages.
	roomSlack = 64 << 10
	// unheldLife is how long chunks stay that no hold names, if there is room:
	// with the time that a plan and a sweep take, what was withdrawn is gone
	// within ten minutes.
	unheldLife = 9 * time.Minute
	// minQuota is the size of a file with nothing in it.
	minQuota = 256 << 10
)

// worth is what a run is kept for; the lesser goes first.
type worth struct {
	held     bool
	expired  bool
	priority tuber.Priority
	written  tuber.Millis
}

// compare orders by: no hold, expired, lowest priority, oldest.
func (a worth) compare(b worth) int {
	flag := func(x, y bool) int {
		switch {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	}
	return cmp.Or(flag(a.held, b.held), flag(b.expired, a.expired),
		cmp.Compare(a.priority, b.priority), cmp.Compare(a.written, b.written))
}

// worthOf judges one run. A run past its hold's window is not held.
func worthOf(e *entry, holds map[tuber.ContentID]tuber.Hold, now tuber.Millis) worth {
	w := worth{expired: e.expires < now, written: e.written}
	h, ok := holds[e.content]
	inWindow := h.Window <= 0 || e.written+tuber.Millis(h.Window.Milliseconds()) >= now
	if ok && inWindow && h.Partitions&e.parts != 0 {
		w.held, w.priority = true, h.Priority
	}
	return w
}

// evictionOrder lists the runs, the one to go first first. It is pure; ties are
// broken by name, so that it is the same every time.
func evictionOrder(index map[tuber.ContentID][]*entry, holds map[tuber.ContentID]tuber.Hold, now tuber.Millis) []*entry {
	var out []*entry
	for _, runs := range index {
		out = append(out, runs...)
	}
	slices.SortFunc(out, func(a, b *entry) int {
		return cmp.Or(worthOf(a, holds, now).compare(worthOf(b, holds, now)),
			slices.Compare(a.content[:], b.content[:]), cmp.Compare(a.first, b.first))
	})
	return out
}

// SetHolds says what the disk is for. It keeps the map.
func (d *Disk) SetHolds(holds map[tuber.ContentID]tuber.Hold) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holds, d.planned = holds, true
}

// Sweep deletes what expired and what no hold has named for unheldLife, and
// tries again what could not be done before.
func (d *Disk) Sweep() error {
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	now := d.opts.Now()
	d.lookLocked()
	if d.file == nil {
		d.mu.Unlock()
		return nil
	}
	gone := d.overdueLocked(now)
	slack, work := d.slack, len(gone)+len(d.doomed) > 0
	d.mu.Unlock()
	var err error
	if work {
		err = d.remove(gone)
	}
	if slack && err == nil {
		err = d.shrink()
	}
	return err
}

// overdueLocked lists what expired, and what no hold has named for unheldLife
// since the first plan came.
func (d *Disk) overdueLocked(now time.Time) []*entry {
	var out []*entry
	for _, runs := range d.index {
		for _, e := range runs {
			w := worthOf(e, d.holds, tuber.MillisOf(now))
			switch {
			case w.held || !d.planned:
				e.idle = time.Time{}
			case e.idle.IsZero():
				e.idle = now
			}
			if w.expired || (!e.idle.IsZero() && now.Sub(e.idle) > unheldLife) {
				out = append(out, e)
			}
		}
	}
	return out
}

// space is how the file's bytes are used.
type space struct {
	top  int64 // end of the last page in use
	free int64 // in free pages below it
}

func (d *Disk) space() (s space, err error) {
	err = d.file.view(func(tx *bolt.Tx) error {
		s.top = tx.Size()
		stats := tx.DB().Stats()
		s.free = int64(stats.FreePageN+stats.PendingPageN) * int64(tx.DB().Info().PageSize)
		return nil
	})
	return s, err
}

// makeRoom evicts until a value of need bytes fits, but nothing that is worth
// more than the run it is for. The caller holds w.
func (d *Disk) makeRoom(e *entry, need int64) error {
	s, err := d.space()
	if err != nil {
		return err
	}
	d.mu.RLock()
	limit := d.limitLocked()
	lacks := min(need-s.free, s.top+need-limit)
	var victims []*entry
	if lacks > 0 {
		now := tuber.MillisOf(d.opts.Now())
		own := worthOf(e, d.holds, now)
		for _, v := range evictionOrder(d.index, d.holds, now) {
			if lacks <= 0 || worthOf(v, d.holds, now).compare(own) >= 0 {
				break
			}
			if v.content == e.content && v.first == e.first {
				continue
			}
			victims = append(victims, v)
			lacks -= int64(v.bytes)
		}
	}
	d.mu.RUnlock()
	if lacks > 0 {
		return errQuota
	}
	return d.remove(victims)
}

// limitLocked is how far the pages in use may reach: bbolt refuses to come
// closer to its bound than the step by which it grows.
func (d *Disk) limitLocked() int64 { return d.quota - growStep(d.quota) }

// growStep is by how much the file grows at once, at most 1/16 of the quota.
func growStep(quota int64) int64 { return min(max(quota/16, 32<<10), 16<<20) }

func (d *Disk) applyQuotaLocked() {
	d.file.db.MaxSize = int(max(d.quota, minQuota))
	d.file.db.AllocSize = int(growStep(d.quota))
}

// SetQuota bounds the file from now on. If it is larger, runs are evicted and
// the file is compacted before this returns.
func (d *Disk) SetQuota(quota int64) error {
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.Lock()
	d.quota = max(quota, 0)
	if d.file == nil {
		closed := d.closed
		d.mu.Unlock()
		if closed {
			return errClosed
		}
		return nil // it holds from the moment on at which there is a file
	}
	d.full = nil
	d.applyQuotaLocked()
	d.mu.Unlock()
	if d.Size() <= quota {
		return nil
	}
	for _, old := range setAside(d.opts.Path) {
		if err := removeFile(old); err != nil {
			return err
		}
	}
	d.file.db.MaxSize = 0 // it is over it already; the compacted file is bound again
	err := errors.Join(d.fit(), d.shrink())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file != nil {
		d.applyQuotaLocked()
	}
	return err
}

// fit evicts until what is live is within the quota.
func (d *Disk) fit() error {
	s, err := d.space()
	if err != nil {
		return d.repair(err)
	}
	d.mu.RLock()
	over := s.top - s.free - d.limitLocked() + roomSlack
	var victims []*entry
	for _, v := range evictionOrder(d.index, d.holds, tuber.MillisOf(d.opts.Now())) {
		if over <= 0 {
			break
		}
		victims = append(victims, v)
		over -= int64(v.bytes)
	}
	d.mu.RUnlock()
	return d.remove(victims)
}
