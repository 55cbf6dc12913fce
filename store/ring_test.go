package store

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestRingBounds(t *testing.T) {
	clk, c := newClock(), contentID("a")
	r := NewRing(time.Minute, 4*tuber.ChunkSize, clk.Now)
	live := makeRun(t, c, 0, 8, clk.in(time.Hour))
	for i, v := range live.chunks[:6] {
		if !r.Put(v) || r.Put(v) {
			t.Fatalf("chunk %d: want it put once", i)
		}
	}
	for n := range tuber.ChunkNumber(6) {
		if got, want := r.Has(c, n), n >= 2; got != want {
			t.Fatalf("by bytes, chunk %d: got %v, want %v", n, got, want)
		}
	}
	got, _ := r.Get(c, 5)
	if &got.Data()[0] != &live.chunks[5].Data()[0] {
		t.Fatal("the bytes were copied")
	}
	clk.add(50 * time.Second)
	r.Put(live.chunks[7])
	clk.add(20 * time.Second)
	r.Trim()
	for n := range tuber.ChunkNumber(8) {
		if got, want := r.Has(c, n), n == 7; got != want {
			t.Fatalf("by age, chunk %d: got %v, want %v", n, got, want)
		}
	}
	r.Drop(c)
	if r.Bytes() != 0 || len(r.Contents()) != 0 {
		t.Fatalf("after drop: got %d bytes, %v", r.Bytes(), r.Contents())
	}
	r.Put(live.chunks[7]) // the slot of before must not count for this one
	clk.add(50 * time.Second)
	r.Trim()
	if !r.Has(c, 7) || r.Bytes() != int64(len(live.chunks[7].Data())) {
		t.Fatalf("put again after drop: got %v, %d bytes", r.Has(c, 7), r.Bytes())
	}
}
