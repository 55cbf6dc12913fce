package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

// damages are ways in which a file goes bad.
var damages = map[string]func(t testing.TB, path string){
	"garbage": func(t testing.TB, path string) {
		must(t, os.WriteFile(path, bytes.Repeat([]byte("not a database "), 4000), 0o600))
	},
	"empty":        func(t testing.TB, path string) { must(t, os.Truncate(path, 0)) },
	"one page":     func(t testing.TB, path string) { must(t, os.Truncate(path, 4096)) },
	"four pages":   func(t testing.TB, path string) { must(t, os.Truncate(path, 4*4096)) },
	"zeroed metas": func(t testing.TB, path string) { overwrite(t, path, 0, make([]byte, 8192)) },
	"zeroed rest": func(t testing.TB, path string) {
		info, err := os.Stat(path)
		must(t, err)
		overwrite(t, path, 8192, make([]byte, info.Size()-8192))
	},
}

func overwrite(t testing.TB, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(b, at)
	must(t, errors.Join(err, f.Close()))
}

func TestDamagedChunkFileIsBegunAnew(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			path, c := chunkPath(t), contentID("a")
			r := makeRun(t, c, 0, 20, tuber.MillisOf(time.Now().Add(time.Hour)))
			for n := range 3 {
				s := openStore(t, Options{Path: path})
				if got := len(s.Contents()); got != 0 {
					t.Fatalf("contents of a new file: got %d, want 0", got)
				}
				hold(s, 1, 1, c)
				put(t, s, r)
				must(t, s.Close())
				damage(t, path)
				if kept := setAside(path); len(kept) > 1 || len(kept) != min(n, 1) {
					t.Fatalf("set aside: got %v, want at most one", kept)
				}
			}
		})
	}
}

// A file that goes bad under the running store costs its chunks and no more.
func TestDamageInUse(t *testing.T) {
	for name, damage := range damages {
		if name == "garbage" {
			continue // that is another file under the same name
		}
		t.Run(name, func(t *testing.T) {
			clk, path := newClock(), chunkPath(t)
			s := openStore(t, Options{Path: path, Now: clk.Now})
			a, b := contentID("a"), contentID("b")
			hold(s, 1, 1, a, b)
			old, young := makeRun(t, a, 0, 20, clk.in(time.Hour)), makeRun(t, b, 0, 20, clk.in(time.Hour))
			put(t, s, old)
			clk.add(2 * time.Minute)
			s.ring.Trim()
			check(t, s, old.chunks[0])
			damage(t, path)
			for _, v := range old.chunks {
				if got, ok := s.Get(a, v.Number()); ok && !bytes.Equal(got.Data(), v.Data()) {
					t.Fatal("corrupt chunk served")
				}
			}
			for range 2 { // the first may find the damage, the second has the new file
				s.AddManifest(young.m)
				for _, v := range young.chunks {
					_, err := s.Put(v)
					must(t, err)
				}
				_ = s.Flush()
			}
			clk.add(2 * time.Minute)
			s.ring.Trim()
			for _, v := range young.chunks {
				check(t, s, v)
			}
			must(t, s.Close())
			s = openStore(t, Options{Path: path, Now: clk.Now})
			for _, v := range young.chunks {
				check(t, s, v)
			}
		})
	}
}

// Whatever byte flips, wrong bytes never come out and nothing panics.
func TestFlippedBytes(t *testing.T) {
	clk, path, c := newClock(), chunkPath(t), contentID("a")
	s := openStore(t, Options{Path: path, Now: clk.Now})
	hold(s, 2, 3, c)
	var runs []run
	for n := range tuber.ChunkNumber(6) {
		runs = append(runs, makeRun(t, c, n*3, 3, clk.in(time.Hour)))
		put(t, s, runs[n])
	}
	must(t, s.Close())
	whole, err := os.ReadFile(path)
	must(t, err)
	lost := 0
	for i := range 250 {
		at := i * 2 // the metas, then spread over the file
		if i >= 70 {
			at = (i * 7919 * 13) % len(whole)
		}
		if i >= 150 { // heads of pages: where the structure is
			at = (i-150)%(len(whole)/4096)*4096 + i%32
		}
		bad := bytes.Clone(whole)
		bad[at] ^= byte(1 + i%255)
		must(t, os.WriteFile(path, bad, 0o600))
		s, err := New(Options{Path: path, Site: testSite, Now: clk.Now})
		must(t, err)
		for _, r := range runs {
			for _, v := range r.chunks {
				got, ok := s.Get(c, v.Number())
				if !ok {
					lost++
				} else if !bytes.Equal(got.Data(), v.Data()) {
					t.Fatalf("byte %d: chunk %d is corrupt", at, v.Number())
				}
			}
		}
		hold(s, 2, 3, c)
		put(t, s, runs[0])
		s.Drop(c)
		must(t, s.Close())
	}
	if lost == 0 {
		t.Fatal("no flip hit anything: the test tests nothing")
	}
}

// A page that leads back to itself would make bbolt recurse without end.
func TestCircleOfPages(t *testing.T) {
	path := chunkPath(t)
	s := openStore(t, Options{Path: path})
	c := contentID("a")
	hold(s, 1, 1, c)
	for n := range tuber.ChunkNumber(120) {
		put(t, s, makeRun(t, c, n, 1, tuber.MillisOf(time.Now().Add(time.Hour))))
	}
	must(t, s.Close())
	whole, err := os.ReadFile(path)
	must(t, err)
	branches := 0
	for at := 8192; at < len(whole); at += 4096 {
		if binary.NativeEndian.Uint16(whole[at+8:]) != pageBranch || binary.NativeEndian.Uint64(whole[at:]) != uint64(at/4096) {
			continue
		}
		branches++
		copy(whole[at+16+8:], whole[at:at+8]) // the first child is the page itself
	}
	if branches == 0 {
		t.Fatal("no branch page: the test tests nothing")
	}
	must(t, os.WriteFile(path, whole, 0o600))
	s = openStore(t, Options{Path: path})
	if len(s.Contents()) != 0 || len(setAside(path)) != 1 {
		t.Fatalf("got %v, aside %v, want a new file and the old one aside", s.Contents(), setAside(path))
	}
}

func TestNewerSchemaIsRefusedUntouched(t *testing.T) {
	chunks, book := chunkPath(t), bookPath(t)
	must(t, openStore(t, Options{Path: chunks}).Close())
	must(t, openBook(t, book, nil).Close())
	opens := map[string]func() (io.Closer, error){
		chunks: func() (io.Closer, error) { return New(Options{Path: chunks, Site: testSite}) },
		book:   func() (io.Closer, error) { return OpenBook(BookOptions{Path: book}) },
	}
	for path, open := range opens {
		db, err := bolt.Open(path, 0o600, nil)
		must(t, err)
		must(t, db.Update(func(tx *bolt.Tx) error {
			for _, name := range append([][]byte{bucketIndex, bucketRuns}, bookBuckets...) { // it may be laid out otherwise
				if err := tx.DeleteBucket(name); err != nil && tx.Bucket(name) != nil {
					return err
				}
			}
			return tx.Bucket(bucketAbout).Put(keySchema, binary.BigEndian.AppendUint32(nil, 9))
		}))
		must(t, db.Close())
		before, err := os.ReadFile(path)
		must(t, err)
		if _, err := open(); !errors.Is(err, ErrNewer) {
			t.Fatalf("%s: got %v, want %v", filepath.Base(path), err, ErrNewer)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) || len(setAside(path)) != 0 {
			t.Fatalf("%s: the newer file was touched", filepath.Base(path))
		}
	}
}

func TestOtherSite(t *testing.T) {
	path := chunkPath(t)
	must(t, openStore(t, Options{Path: path}).Close())
	if _, err := New(Options{Path: path, Site: tuber.PublicKey{1}}); !errors.Is(err, ErrOtherSite) {
		t.Fatalf("got %v, want %v", err, ErrOtherSite)
	}
}

func TestCopyThatWasLeftBehindIsRemoved(t *testing.T) {
	path := chunkPath(t)
	must(t, os.WriteFile(path+".new-1", []byte("half a file"), 0o600))
	openStore(t, Options{Path: path})
	if left := leftovers(path); len(left) != 0 {
		t.Fatalf("left: %v", left)
	}
}
