package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// compactBatch bounds the memory of one commit while compacting.
const compactBatch = 8 << 20

// compactCheap is the size up to which compacting costs less than evicting
// runs at random until their pages happen to lie side by side.
const compactCheap = 64 << 20

// shrink rewrites the file without its free pages, so that its size, and
// withdrawn bytes in it, go. Readers wait only for the change of files. The
// caller holds w.
func (d *Disk) shrink() error {
	path := d.opts.Path
	temp := fmt.Sprintf("%s.new-%d", path, os.Getpid())
	if err := removeFile(temp); err != nil {
		return err
	}
	defer func() { _ = removeFile(temp) }()
	if err := d.copyTo(temp); err != nil {
		return d.repair(fmt.Errorf("compact %s: %w", path, err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// The name changes hands while no file is open: Windows renames no other way.
	if err := d.file.close(); err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	d.file = nil
	err := os.Rename(temp, path)
	if err == nil {
		err = syncDir(filepath.Dir(path))
		d.slack = false
	}
	if err := errors.Join(err, d.openLocked()); err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	return nil
}

func (d *Disk) copyTo(temp string) error {
	dst, err := rawOpen(temp, lockWait)
	if err != nil {
		return err
	}
	dst.db.AllocSize = int(growStep(0))
	dst.db.NoSync = true // synced once, below, before it gets its name
	err = guard(func() error { return bolt.Compact(dst.db, d.file.db, compactBatch) })
	if err == nil {
		err = dst.db.Sync()
	}
	if errors.Is(err, ErrDamaged) { // which of the two, nobody knows
		d.file.fail(err)
		return errors.Join(err, release(dst.handle))
	}
	return errors.Join(err, dst.close())
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
