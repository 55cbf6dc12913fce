package store

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// testKey is the same site in every test and in the children of the kill test.
var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

var testSite = tuber.PublicKeyOf(testKey)

func contentID(name string) tuber.ContentID { return tuber.NewContentID(testSite, "/"+name, 1) }

// run is a signed run with its chunks.
type run struct {
	m      *tuber.SignedManifest
	chunks []tuber.VerifiedChunk
}

// makeRun cuts count chunks, the last one short by half, whose bytes follow
// from the content and the numbers.
func makeRun(t testing.TB, c tuber.ContentID, first tuber.ChunkNumber, count int, expires tuber.Millis) run {
	t.Helper()
	m := tuber.Manifest{Content: c, First: first, Length: uint32(count*tuber.ChunkSize - tuber.ChunkSize/2),
		Expires: expires, URL: fmt.Sprintf("/seg%d.ts", first)}
	var data [][]byte
	for i := range count {
		size := tuber.ChunkSize
		if i == count-1 {
			size /= 2
		}
		b := chunkBytes(c, first+tuber.ChunkNumber(i), size)
		data = append(data, b)
		m.Digests = append(m.Digests, sha256.Sum256(b))
	}
	signed, err := tuber.SignManifest(testKey, m)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	out := run{m: signed}
	for i, b := range data {
		v, err := signed.Verify(first+tuber.ChunkNumber(i), b)
		if err != nil {
			t.Fatalf("verify: %v", err)
		}
		out.chunks = append(out.chunks, v)
	}
	return out
}

func chunkBytes(c tuber.ContentID, n tuber.ChunkNumber, size int) []byte {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64(c[:], uint64(n)))
	return bytes.Repeat(seed[:], size/len(seed)+1)[:size]
}

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) in(d time.Duration) tuber.Millis { return tuber.MillisOf(c.Now().Add(d)) }

func openStore(t testing.TB, opts Options) *Store {
	t.Helper()
	opts.Site = testSite
	s, err := New(opts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func chunkPath(t testing.TB) string { return filepath.Join(t.TempDir(), "chunks-test.db") }

// hold makes the store keep all of these contents, with k partitions each.
func hold(s *Store, k int, parts tuber.Partitions, contents ...tuber.ContentID) {
	ks := map[tuber.ContentID]int{}
	var holds []tuber.Hold
	for _, c := range contents {
		ks[c] = k
		holds = append(holds, tuber.Hold{Content: c, Partitions: parts})
	}
	s.SetHolds(ks, holds)
}

// put adds the manifest and the chunks and writes what is held.
func put(t testing.TB, s *Store, r run) {
	t.Helper()
	s.AddManifest(r.m)
	for _, v := range r.chunks {
		if _, err := s.Put(v); err != nil {
			t.Fatalf("put %d: %v", v.Number(), err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatalf("flush: %v", err)
	}
}

// check wants the chunk's exact bytes.
func check(t testing.TB, s *Store, v tuber.VerifiedChunk) {
	t.Helper()
	got, ok := s.Get(v.Content(), v.Number())
	if !ok || !bytes.Equal(got.Data(), v.Data()) {
		t.Fatalf("chunk %d: got %v, %d bytes, want the bytes that were put", v.Number(), ok, len(got.Data()))
	}
}
