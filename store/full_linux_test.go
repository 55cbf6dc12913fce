package store

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// On a disk that is full the store serves what it has, says so, and goes on
// when space returns, without a restart.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 && os.Getenv("TUBER_REQUIRE") != "all" {
		t.Skip("mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tuber", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 2<<20), 0o600))

	clk, c := newClock(), contentID("a")
	s := openStore(t, Options{Path: filepath.Join(dir, "chunks.db"), Now: clk.Now})
	hold(s, 1, 1, c)
	var stored []run
	next := tuber.ChunkNumber(0)
	add := func() (run, error) {
		r := makeRun(t, c, next, 4, clk.in(time.Hour))
		next += 4
		s.AddManifest(r.m)
		for _, v := range r.chunks {
			_, err := s.Put(v)
			must(t, err)
		}
		return r, s.Flush()
	}
	for {
		r, err := add()
		if err != nil {
			break
		}
		if stored = append(stored, r); len(stored) > 100 {
			t.Fatal("the disk never filled")
		}
	}
	if s.Full() == nil || len(stored) == 0 {
		t.Fatalf("full: got %v after %d runs", s.Full(), len(stored))
	}
	serves := func() {
		t.Helper()
		clk.add(2 * time.Minute)
		s.Sweep()
		for _, r := range stored {
			for _, v := range r.chunks {
				check(t, s, v)
			}
		}
	}
	serves()
	for range 3 { // and does not break by trying
		clk.add(fullPause)
		if _, err := add(); err == nil {
			t.Fatal("written to a full disk")
		}
	}
	serves()
	must(t, os.Remove(ballast))
	clk.add(fullPause)
	r, err := add()
	must(t, err)
	if stored = append(stored, r); s.Full() != nil {
		t.Fatalf("full: got %v with space, want nil", s.Full())
	}
	serves()
	if aside := setAside(filepath.Join(dir, "chunks.db")); len(aside) != 0 {
		t.Fatalf("set aside: %v", aside)
	}
	must(t, s.Close())
}
