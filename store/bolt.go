package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// These errors are returned when a file cannot be opened.
var (
	// ErrNewer is returned when the file was written by a newer Tuber. It was not touched.
	ErrNewer = errors.New("it was written by a newer Tuber; update this one")
	// ErrDamaged is returned when the file contradicts itself.
	ErrDamaged = errors.New("the file is damaged")
)

// LockedError is returned when another program has the file open.
type LockedError struct {
	Path string
	PID  int // 0 if it left no note
}

func (e *LockedError) Error() string {
	who := "another program"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("open %s: %s is using it; stop that one first", e.Path, who)
}

// errClosed is returned when a file is used after it was closed.
var errClosed = errors.New("the store is closed")

const (
	lockWait = time.Second
	fileMode = 0o600
	dirMode  = 0o700
)

// boltFile is one open bbolt file whose panics and mapping faults come out as
// ErrDamaged. After one it is broken: bbolt may still hold its own locks then,
// so it is not asked again, not even to close.
type boltFile struct {
	path   string
	db     *bolt.DB
	handle *os.File // bbolt's own, to release its lock when bbolt cannot

	mu   sync.Mutex // guards the field below and every start and end of a reading transaction
	gone error      // why it is not asked again: ErrDamaged or errClosed
}

// guard runs fn and turns its panic, or a fault in the mapping of a file that
// was cut short, into ErrDamaged.
func guard(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	return fn()
}

// openBolt opens an existing file, or makes one with init inside. The file
// appears under its name only when it is whole and on disk.
func openBolt(path string, init func(*bolt.Tx) error) (*boltFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return nil, fmt.Errorf("make the folder of %s: %w", path, err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createBolt(path, init); err != nil {
			return nil, fmt.Errorf("create %s: %w", path, err)
		}
	}
	b, err := rawOpen(path, lockWait)
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, &LockedError{Path: path, PID: readPID(path)}
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	for _, left := range leftovers(path) { // of a program that was killed while it wrote them
		_ = os.Remove(left)
	}
	if err := os.WriteFile(pidPath(path), []byte(strconv.Itoa(os.Getpid())+"\n"), fileMode); err != nil {
		return nil, errors.Join(fmt.Errorf("note who uses %s: %w", path, err), b.db.Close())
	}
	return b, nil
}

// rawOpen opens whatever is there. An error that is not the system's own means
// that the file is damaged.
func rawOpen(path string, wait time.Duration) (*boltFile, error) {
	b := &boltFile{path: path}
	opts := &bolt.Options{Timeout: wait, FreelistType: bolt.FreelistMapType}
	opts.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		b.handle = f
		return f, err
	}
	err := guard(func() (err error) {
		b.db, err = bolt.Open(path, fileMode, opts)
		return err
	})
	var errno syscall.Errno
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, ErrDamaged): // bbolt did not come round to closing it
		_ = release(b.handle)
		return nil, err
	case errors.Is(err, berrors.ErrTimeout) || errors.As(err, &errno):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
}

// createBolt writes a new file beside path and links it there. If another
// program was faster, its file stays.
func createBolt(path string, init func(*bolt.Tx) error) error {
	temp := fmt.Sprintf("%s.new-%d", path, os.Getpid())
	_ = os.Remove(temp)
	defer func() { _ = os.Remove(temp) }()
	b, err := rawOpen(temp, lockWait)
	if err != nil {
		return err
	}
	if err := errors.Join(b.update(init), b.db.Sync(), b.close()); err != nil {
		return err
	}
	err = os.Link(temp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(temp, path) // a file system without hard links
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func leftovers(path string) []string {
	names, _ := filepath.Glob(path + ".new-*")
	return names
}

func pidPath(path string) string { return path + ".pid" }

func readPID(path string) int {
	b, err := os.ReadFile(pidPath(path))
	if err != nil || len(b) > 32 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// begin starts a transaction, unless the file is broken.
func (b *boltFile) begin(writable bool) (tx *bolt.Tx, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone != nil {
		return nil, b.gone
	}
	err = guard(func() (err error) {
		tx, err = b.db.Begin(writable)
		return err
	})
	if errors.Is(err, ErrDamaged) {
		b.gone = err
	}
	return tx, err
}

// view reads. What fn sees is valid until it returns.
func (b *boltFile) view(fn func(*bolt.Tx) error) error {
	tx, err := b.begin(false)
	if err != nil {
		return err
	}
	err = guard(func() error { return fn(tx) })
	b.mu.Lock()
	defer b.mu.Unlock()
	if !errors.Is(b.gone, ErrDamaged) {
		_ = guard(tx.Rollback)
	}
	return err
}

// update writes in one durable commit. Its callers take turns outside.
func (b *boltFile) update(fn func(*bolt.Tx) error) error {
	tx, err := b.begin(true)
	if err != nil {
		return err
	}
	err = guard(func() error {
		if err := fn(tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	})
	if errors.Is(err, ErrDamaged) {
		b.fail(err)
	}
	return err
}

// fail keeps everybody from the file.
func (b *boltFile) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone = err
}

// close releases the file and the note of who uses it. A broken file's mapping
// stays until the process ends: bbolt may hold the locks that unmapping needs.
func (b *boltFile) close() error {
	b.mu.Lock()
	was := b.gone
	b.gone = errClosed
	b.mu.Unlock()
	if errors.Is(was, errClosed) {
		return nil
	}
	if readPID(b.path) == os.Getpid() {
		_ = os.Remove(pidPath(b.path))
	}
	if was != nil {
		return release(b.handle)
	}
	return guard(b.db.Close)
}

// isFull tells whether err means that there is no room.
func isFull(err error) bool {
	return errors.Is(err, diskFull) || errors.Is(err, errQuota) || errors.Is(err, berrors.ErrMaxSizeReached) ||
		(err != nil && strings.Contains(err.Error(), diskFull.Error())) // bbolt does not wrap it where it grows
}
