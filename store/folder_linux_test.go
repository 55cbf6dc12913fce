package store

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// mount makes a small disk of its own.
func mount(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 && os.Getenv("TUBER_REQUIRE") != "all" {
		t.Skip("mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tuber", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Fatalf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// To another disk nothing can be renamed: what was cached is begun anew there,
// and what is in memory stays.
func TestMoveToAnotherDisk(t *testing.T) {
	clk, from, to := newClock(), t.TempDir(), mount(t)
	s, r := held(t, filepath.Join(from, "chunks.db"), clk)
	must(t, s.Move(filepath.Join(to, "chunks.db")))
	must(t, s.Full())
	if left, err := filepath.Glob(filepath.Join(from, "*")); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v left behind, want nothing", left, err)
	}
	check(t, s, r.chunks[0])
	_, err := next(t, s, 4, clk)
	must(t, err)
	must(t, s.Close())
}

// A disk that turns read-only, as one does after an error.
func TestFolderTurnsReadOnly(t *testing.T) {
	clk, dir := newClock(), mount(t)
	path := filepath.Join(dir, "chunks.db")
	s, first := held(t, path, clk)
	must(t, s.Close())
	must(t, syscall.Mount("tuber", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	s = openStore(t, Options{Path: path, Now: clk.Now})
	troubled(t, s, dir)
	hold(s, 1, 1, contentID("a"))
	r, err := next(t, s, 4, clk)
	if err == nil {
		t.Error("written to a read-only disk")
	}
	check(t, s, r.chunks[0])
	must(t, syscall.Mount("tuber", dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"))
	clk.add(fullPause)
	s.Sweep()
	must(t, s.Full())
	clk.add(2 * time.Minute)
	s.Sweep()
	check(t, s, first.chunks[0])
	must(t, s.Close())
}
