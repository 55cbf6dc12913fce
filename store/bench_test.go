package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tubercdn/tuber"
)

// The store's acknowledged bytes against the same bytes written to a plain file
// with one fsync per run: a run of MaxRun chunks, 2 MiB, one commit.
//
//	go test -run - -bench . ./store
//
// BenchmarkRatio writes both in turns and reports store over plain.
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

// BenchmarkRead is a chunk from disk: one copy and the whole proof again.
func BenchmarkRead(b *testing.B) {
	g := newStage(b)
	for i := range g.runs {
		g.acknowledge(i)
	}
	c := contentID("bench")
	g.s.ring.Drop(c)
	b.SetBytes(tuber.ChunkSize)
	for i := 0; b.Loop(); i++ {
		if _, ok := g.s.Get(c, tuber.ChunkNumber(i%(16*tuber.MaxRun-1))); !ok {
			b.Fatal("a chunk is gone")
		}
	}
}
