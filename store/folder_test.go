package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// held is a store with one run on disk.
func held(t *testing.T, path string, clk *clock) (*Store, run) {
	t.Helper()
	c := contentID("a")
	s := openStore(t, Options{Path: path, Now: clk.Now})
	hold(s, 1, 1, c)
	r := makeRun(t, c, 0, 4, clk.in(time.Hour))
	put(t, s, r)
	return s, r
}

// next puts another run and tells how writing it went.
func next(t *testing.T, s *Store, first tuber.ChunkNumber, clk *clock) (run, error) {
	t.Helper()
	r := makeRun(t, contentID("a"), first, 4, clk.in(time.Hour))
	s.AddManifest(r.m)
	for _, v := range r.chunks {
		_, err := s.Put(v)
		must(t, err)
	}
	return r, s.Flush()
}

// troubled holds an error against what its reader needs to know.
func troubled(t *testing.T, s *Store, folder string) {
	t.Helper()
	var trouble *FolderError
	if err := s.Full(); !errors.As(err, &trouble) || trouble.Folder != folder {
		t.Fatalf("got %v, want an error of the folder %s", err, folder)
	}
	for _, want := range []string{folder, "writable", "choose another folder", "from memory"} {
		if !strings.Contains(s.Full().Error(), want) {
			t.Errorf("got %q, want it to say %q", s.Full(), want)
		}
	}
	if strings.Count(s.Full().Error(), folder) != 1 || strings.Contains(s.Full().Error(), "\n") {
		t.Errorf("got %q, want one line that names the folder once", s.Full())
	}
}

// A folder that is taken away and put back: the store serves from memory
// meanwhile, says so, and makes no folder of that name anew.
func TestFolderVanishesAndComesBack(t *testing.T) {
	clk, folder := newClock(), filepath.Join(t.TempDir(), "disk")
	must(t, os.Mkdir(folder, 0o700))
	s, first := held(t, filepath.Join(folder, "chunks.db"), clk)
	away := folder + ".away"
	must(t, os.Rename(folder, away))
	s.Sweep()
	troubled(t, s, folder)
	check(t, s, first.chunks[0]) // from memory
	live, err := next(t, s, 4, clk)
	if err == nil {
		t.Error("written to a folder that is not there")
	}
	check(t, s, live.chunks[0])
	clk.add(fullPause)
	s.Sweep()
	if _, err := os.Stat(folder); err == nil {
		t.Fatal("the folder was made anew")
	}
	must(t, os.Rename(away, folder))
	clk.add(fullPause)
	s.Sweep()
	must(t, s.Full())
	_, err = next(t, s, 8, clk)
	must(t, err)
	clk.add(2 * time.Minute)
	s.Sweep()
	check(t, s, first.chunks[0]) // from the disk that came back
	must(t, s.Close())
}

// A folder that cannot be used from the start.
func TestFolderIsNoFolder(t *testing.T) {
	clk, file := newClock(), filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	s := openStore(t, Options{Path: filepath.Join(file, "chunks.db"), Now: clk.Now})
	troubled(t, s, file)
	hold(s, 1, 1, contentID("a"))
	r, err := next(t, s, 0, clk)
	if err == nil {
		t.Error("written to no folder")
	}
	check(t, s, r.chunks[0])
	must(t, s.SetQuota(1<<30)) // it holds once there is a file
	must(t, os.Remove(file))
	must(t, os.Mkdir(file, 0o700))
	clk.add(fullPause)
	s.Sweep()
	must(t, s.Full())
	if got := s.disk.quota; got != 1<<30 {
		t.Errorf("got a quota of %d, want 1 GiB", got)
	}
	must(t, s.Close())
}

func TestMove(t *testing.T) {
	clk, from, to := newClock(), t.TempDir(), t.TempDir()
	s, r := held(t, filepath.Join(from, "chunks.db"), clk)
	must(t, s.Move(filepath.Join(to, "chunks.db")))
	if left, err := filepath.Glob(filepath.Join(from, "*")); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v left behind, want nothing", left, err)
	}
	clk.add(2 * time.Minute)
	s.Sweep()
	check(t, s, r.chunks[0])
	_, err := next(t, s, 4, clk)
	must(t, err)

	// To a folder that cannot be used nothing is moved.
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	var trouble *FolderError
	if err := s.Move(filepath.Join(file, "chunks.db")); !errors.As(err, &trouble) {
		t.Errorf("got %v, want an error of the folder", err)
	}
	must(t, s.Full())
	check(t, s, r.chunks[0])
	must(t, s.Close())
}
