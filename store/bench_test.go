package store

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tubercdn/tuber"
)

// The store's acknowledged bytes against the same bytes written to a plain file
// with one fsync per run: a run of MaxRun chunks, 2 MiB, one commit.
//
//	go test -run - -bench . ./store
//
// BenchmarkRatio writes both in turns and reports store over plain;
// BenchmarkReadRatio reads both.
func benchRuns(b *testing.B) []run {
	var runs []run
	for n := range tuber.ChunkNumber(16) {
		runs = append(runs, makeRun(b, contentID("bench"), n*tuber.MaxRun, tuber.MaxRun, 1<<62))
	}
	return runs
}

type stage struct {
	b    *testing.B
	s    *Store
	file *os.File
	runs []run
}

func newStage(b *testing.B) *stage {
	dir := b.TempDir()
	f, err := os.Create(filepath.Join(dir, "plain"))
	must(b, err)
	b.Cleanup(func() { _ = f.Close() })
	g := &stage{b: b, runs: benchRuns(b), file: f}
	g.s = openStore(b, Options{Path: filepath.Join(dir, "chunks.db"), Quota: 256 << 20})
	hold(g.s, 4, 0xf, contentID("bench"))
	return g
}

// acknowledge writes run i through the store; runs come again under new
// numbers only on disk, so they are dropped from it each time round.
func (g *stage) acknowledge(i int) int64 {
	if i%len(g.runs) == 0 {
		g.s.Drop(contentID("bench"))
		hold(g.s, 4, 0xf, contentID("bench"))
	}
	r := g.runs[i%len(g.runs)]
	put(g.b, g.s, r)
	return int64(r.m.Manifest().Length)
}

func (g *stage) plain(i int) int64 {
	r := g.runs[i%len(g.runs)]
	if i%len(g.runs) == 0 {
		_, err := g.file.Seek(0, 0)
		must(g.b, err)
	}
	for _, v := range r.chunks {
		_, err := g.file.Write(v.Data())
		must(g.b, err)
	}
	must(g.b, g.file.Sync())
	return int64(r.m.Manifest().Length)
}

func BenchmarkRatio(b *testing.B) {
	g := newStage(b)
	g.acknowledge(0)
	g.plain(0)
	var bytes int64
	var store, plain float64
	for i := 0; b.Loop(); i++ {
		from := b.Elapsed()
		bytes += g.acknowledge(i)
		middle := b.Elapsed()
		g.plain(i)
		store += (middle - from).Seconds()
		plain += (b.Elapsed() - middle).Seconds()
	}
	b.ReportMetric(float64(bytes)/store/1e6, "store-MB/s")
	b.ReportMetric(float64(bytes)/plain/1e6, "plain-MB/s")
	b.ReportMetric(plain/store, "ratio")
}

// filled has all runs in the store's file, none in its ring, and in the plain file.
func filled(b *testing.B) *stage {
	g := newStage(b)
	for i := range g.runs {
		g.acknowledge(i)
		g.plain(i)
	}
	g.s.ring.Drop(contentID("bench"))
	return g
}

// get reads run i chunk by chunk from the store, each with its proof.
func (g *stage) get(i int) (bytes int64) {
	for _, want := range g.runs[i%len(g.runs)].chunks {
		v, ok := g.s.Get(want.Content(), want.Number())
		if !ok {
			g.b.Fatal("a chunk is gone")
		}
		bytes += int64(len(v.Data()))
	}
	return bytes
}

// read is the least that has the same worth: each chunk into a slice of its own,
// and its digest compared.
func (g *stage) read(i int) {
	r := g.runs[i%len(g.runs)]
	m := r.m.Manifest()
	at := int64(i%len(g.runs)) * int64(m.Length)
	for k, want := range r.chunks {
		data := make([]byte, len(want.Data()))
		_, err := g.file.ReadAt(data, at)
		must(g.b, err)
		if sha256.Sum256(data) != m.Digests[k] {
			g.b.Fatal("the plain file is not what was written")
		}
		at += int64(len(data))
	}
}

// BenchmarkReadRatio reads the same chunks from both in turns.
func BenchmarkReadRatio(b *testing.B) {
	g := filled(b)
	var bytes int64
	var store, plain float64
	for i := 0; b.Loop(); i++ {
		from := b.Elapsed()
		bytes += g.get(i)
		middle := b.Elapsed()
		g.read(i)
		store += (middle - from).Seconds()
		plain += (b.Elapsed() - middle).Seconds()
	}
	b.ReportMetric(float64(bytes)/store/1e6, "store-MB/s")
	b.ReportMetric(float64(bytes)/plain/1e6, "plain-MB/s")
	b.ReportMetric(plain/store, "ratio")
}

// BenchmarkRead is a chunk from disk: one copy and the whole proof again.
func BenchmarkRead(b *testing.B) {
	g := filled(b)
	c := contentID("bench")
	b.SetBytes(tuber.ChunkSize)
	for i := 0; b.Loop(); i++ {
		if _, ok := g.s.Get(c, tuber.ChunkNumber(i%(16*tuber.MaxRun-1))); !ok {
			b.Fatal("a chunk is gone")
		}
	}
}

// TestReadCopiesOnce: what a read from disk allocates is the chunk itself, and
// little beside it.
func TestReadCopiesOnce(t *testing.T) {
	s := openStore(t, Options{Path: filepath.Join(t.TempDir(), "chunks.db"), Quota: 16 << 20})
	c := contentID("copies")
	hold(s, 4, 0xf, c)
	put(t, s, makeRun(t, c, 0, tuber.MaxRun, 1<<62))
	s.ring.Drop(c)
	const reads = 500
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range tuber.ChunkNumber(reads) {
		if v, ok := s.Get(c, i%(tuber.MaxRun-1)); !ok || len(v.Data()) != tuber.ChunkSize {
			t.Fatalf("chunk %d is gone", i)
		}
	}
	runtime.ReadMemStats(&after)
	got := (after.TotalAlloc - before.TotalAlloc) / reads
	if got < tuber.ChunkSize || got > tuber.ChunkSize*5/4 {
		t.Errorf("a read allocates %d bytes, want a chunk of %d and at most a quarter more", got, tuber.ChunkSize)
	}
}
