package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tubercdn/tuber"
)

// FolderError is why a chunk file cannot be used where it is to be: its folder
// is read-only, was taken away, or its disk fails.
type FolderError struct {
	Folder string
	Err    error
}

func (e *FolderError) Error() string {
	return fmt.Sprintf("nothing can be kept in %s: %v; make it writable, put its disk back, or choose another folder. Sending goes on from memory",
		e.Folder, e.Cause())
}

func (e *FolderError) Unwrap() error { return e.Err }

// Cause is what the system said, without the path.
func (e *FolderError) Cause() error {
	var path *os.PathError
	if errors.As(e.Err, &path) {
		return path.Err
	}
	return e.Err
}

// CheckFolder tells whether chunk files can be kept in a folder.
func CheckFolder(folder string) error {
	f, err := os.CreateTemp(folder, "chunks-*.try")
	if err != nil {
		return &FolderError{folder, err}
	}
	_, err = f.Write([]byte("tuber"))
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return &FolderError{folder, err}
	}
	return nil
}

// foreign tells whether err is a reason not to touch the file at all.
func foreign(err error) bool {
	var locked *LockedError
	return errors.As(err, &locked) || errors.Is(err, ErrNewer) || errors.Is(err, ErrOtherSite)
}

// loseLocked goes on without a file, until Sweep finds that it can be opened.
func (d *Disk) loseLocked(err error) {
	if d.file != nil {
		_ = d.file.close() // it is given up
	}
	d.file, d.index, d.doomed = nil, map[tuber.ContentID][]*entry{}, nil
	if d.full == nil {
		d.opts.Log.Warn("chunks are kept in memory only", "folder", filepath.Dir(d.opts.Path), "err", err)
	}
	d.full = &FolderError{filepath.Dir(d.opts.Path), err}
	d.retry = d.opts.Now().Add(fullPause)
}

// lookLocked opens a file that was lost, if it can be, and finds out when one
// was taken away. A file that was deleted while it is open would otherwise take
// room that nobody sees.
func (d *Disk) lookLocked() {
	now := d.opts.Now()
	if d.file != nil {
		if _, err := os.Stat(d.opts.Path); err != nil {
			d.loseLocked(err)
		}
		return
	}
	if now.Before(d.retry) {
		return
	}
	d.retry = now.Add(fullPause)
	if err := d.beginLocked(); err != nil {
		d.loseLocked(err)
	} else {
		d.opts.Log.Info("chunks are kept on disk again", "folder", filepath.Dir(d.opts.Path))
	}
}

// Move takes the file to another path; where that is on another disk, it begins
// anew there. If the folder cannot be used, nothing changes.
func (d *Disk) Move(path string) error {
	if err := CheckFolder(filepath.Dir(path)); err != nil {
		return err
	}
	d.w.Lock()
	defer d.w.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.opts.Path
	if d.closed {
		return errClosed
	}
	if path == old {
		return nil
	}
	if d.file != nil {
		if err := d.file.close(); err != nil {
			d.opts.Log.Warn("the old chunk file was not closed well", "err", err)
		}
	}
	d.file, d.index, d.doomed, d.full = nil, map[tuber.ContentID][]*entry{}, nil, nil
	d.manifest = newLRU(d.manifest.limit)
	moved := os.Rename(old, path)
	d.opts.Path = path
	if err := d.beginLocked(); err != nil {
		d.loseLocked(err)
	}
	if moved != nil { // another disk: what was cached there is of no more use
		_ = removeFile(old)
	}
	for _, aside := range setAside(old) {
		_ = removeFile(aside)
	}
	return nil
}

// Move takes the chunk file to another path (Disk.Move).
func (s *Store) Move(path string) error {
	if s.disk == nil {
		return nil
	}
	return s.disk.Move(path)
}
