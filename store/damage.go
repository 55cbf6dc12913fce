package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tubercdn/tuber"
)

// blame acts on what a reader found: a bad run is deleted, a bad file set aside.
func (d *Disk) blame(file *boltFile, e *entry, err error) {
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.RLock()
	current := d.file == file
	d.mu.RUnlock()
	switch {
	case !current || errors.Is(err, errClosed): // someone was faster
	case errors.Is(err, ErrDamaged):
		d.repair(err)
	case errors.Is(err, errRun):
		d.opts.Log.Warn("deleting a damaged run", "path", d.opts.Path, "content", e.content.String(), "first", e.first, "err", err)
		if err := d.remove([]*entry{e}); err != nil {
			d.opts.Log.Warn("the damaged run stays, unserved", "err", err)
		}
	}
}

// repair begins the file anew if err says that it is damaged, and returns err.
// The caller holds w.
func (d *Disk) repair(err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if again := d.renewLocked(err); again != nil {
		d.full, d.retry = fmt.Errorf("the chunk file could not be begun anew: %w", again), d.opts.Now().Add(fullPause)
		err = errors.Join(err, again)
	}
	return err
}

// renewLocked sets the file aside, at most one being kept, and begins a new one.
func (d *Disk) renewLocked(cause error) error {
	path := d.opts.Path
	if d.file != nil {
		_ = d.file.close() // it is given up
	}
	d.doomed, d.full = nil, nil
	d.file, d.index, d.manifest = nil, map[tuber.ContentID][]*entry{}, newLRU(d.manifest.limit)
	n := 1
	for _, old := range setAside(path) {
		if _, err := fmt.Sscanf(old[len(path):], ".damaged-%d", &n); err == nil {
			n++
		}
		_ = os.Remove(old)
	}
	aside := fmt.Sprintf("%s.damaged-%d", path, n)
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("set %s aside: %w", path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("set %s aside: %w", path, err)
	}
	d.opts.Log.Warn("the chunk file was damaged; it was set aside and begun anew", "path", path, "aside", aside, "err", cause)
	if info, err := os.Stat(aside); err == nil && info.Size() > d.quota/2 {
		_ = os.Remove(aside) // the owner's quota counts it too
	}
	return d.openLocked()
}

// setAside lists the damaged files that are kept, oldest first.
func setAside(path string) []string {
	names, err := filepath.Glob(path + ".damaged-*")
	if err != nil {
		return nil // a path with a broken pattern in it
	}
	slices.Sort(names)
	return names
}
