package store

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestChunksSurviveReopening(t *testing.T) {
	clk, path, c := newClock(), chunkPath(t), contentID("live.m3u8")
	s := openStore(t, Options{Path: path, Now: clk.Now})
	hold(s, 4, 0b0101, c)
	r := makeRun(t, c, 0, 10, clk.in(time.Hour))
	put(t, s, r)
	for _, v := range r.chunks {
		check(t, s, v)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Path: path, Now: clk.Now})
	for _, v := range r.chunks {
		_, ok := s.Get(c, v.Number())
		if want := tuber.Partitions(0b0101).Has(v.Number().Partition(4)); ok != want {
			t.Fatalf("chunk %d: got %v, want %v", v.Number(), ok, want)
		} else if ok {
			check(t, s, v)
		}
	}
	if s.Manifest(c, 3) == nil {
		t.Fatal("manifest is gone")
	}
	s.Drop(c)
	if got := s.Contents(); len(got) != 0 {
		t.Fatalf("contents after drop: got %v", got)
	}
}
