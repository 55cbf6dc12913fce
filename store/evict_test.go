package store

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// The order is a table: no hold, expired, lowest priority, oldest.
func TestEvictionOrder(t *testing.T) {
	const now = tuber.Millis(1_000_000)
	high, low, none := contentID("high"), contentID("low"), contentID("none")
	holds := map[tuber.ContentID]tuber.Hold{
		high: {Content: high, Partitions: 0b01, Priority: 9},
		low:  {Content: low, Partitions: 0b11, Priority: 1, Window: 100 * time.Second},
	}
	want := []entry{ // in the order in which they go
		{content: none, first: 0, parts: 1, expires: now - 1, written: now - 5},   // no hold and expired
		{content: none, first: 1, parts: 1, expires: now, written: now - 900_000}, // no hold, older
		{content: low, first: 0, parts: 1, expires: now, written: now - 100_001},  // past the hold's window
		{content: high, first: 0, parts: 0b10, expires: now, written: now - 7},    // a partition that is not held
		{content: none, first: 2, parts: 1, expires: now, written: now},           // no hold, newest of all
		{content: low, first: 1, parts: 1, expires: now - 1, written: now - 3},    // expired, low
		{content: high, first: 1, parts: 1, expires: now - 1, written: now - 8},   // expired, high
		{content: low, first: 2, parts: 1, expires: now, written: now - 100_000},  // low, oldest
		{content: low, first: 3, parts: 1, expires: now, written: now - 1},        // low, newest
		{content: high, first: 2, parts: 0b11, expires: now, written: now - 9999}, // high, oldest
		{content: high, first: 3, parts: 1, expires: now, written: now - 9998},    // high, newer
	}
	index := map[tuber.ContentID][]*entry{}
	for i := range want {
		e := want[(i*7)%len(want)]
		index[e.content] = append(index[e.content], &e)
	}
	for i, got := range evictionOrder(index, holds, now) {
		if *got != want[i] {
			t.Errorf("place %d: got %+v, want %+v", i, *got, want[i])
		}
	}
}

// The file never outgrows its quota, and the newest runs are the ones kept.
func TestQuota(t *testing.T) {
	const quota = 2 << 20
	clk, path, c := newClock(), chunkPath(t), contentID("a")
	s := openStore(t, Options{Path: path, Now: clk.Now, Quota: quota, RingBytes: 1})
	s.ring = NewRing(time.Minute, 1<<20, clk.Now)
	hold(s, 2, 3, c)
	var last run
	for n := range tuber.ChunkNumber(200) {
		last = makeRun(t, c, n*8, 5+int(n%4), clk.in(time.Hour))
		put(t, s, last)
		clk.add(time.Second)
		if got := s.Stored(); got > quota {
			t.Fatalf("after run %d: got %d bytes, want at most %d", n, got, quota)
		}
		check(t, s, last.chunks[0])
	}
	if s.Full() != nil {
		t.Fatalf("full: got %v, want nil", s.Full())
	}
	held := 0
	for n := range tuber.ChunkNumber(200) {
		if s.disk.Knows(c, n*8) {
			held++
		} else if held > 0 {
			t.Fatalf("run %d is gone, an older one is not", n)
		}
	}
	if held < 8 {
		t.Fatalf("got %d runs on disk: too little of the quota is used", held)
	}
	if err := s.SetQuota(quota / 4); err != nil {
		t.Fatal(err)
	}
	if got := s.Stored(); got > quota/4 || got == 0 {
		t.Fatalf("lowered: got %d bytes, want at most %d", got, quota/4)
	}
	check(t, s, last.chunks[0])
	must(t, s.SetQuota(0))
	if got := s.disk.Contents(); len(got) != 0 {
		t.Fatalf("quota 0: got %v", got)
	}
	must(t, s.SetQuota(quota))
	put(t, s, makeRun(t, c, 5000, 8, clk.in(time.Hour)))
	if !s.disk.Knows(c, 5000) {
		t.Fatal("raised again: nothing is written")
	}
}

func TestQuotaLoweredWhileClosed(t *testing.T) {
	clk, path, c := newClock(), chunkPath(t), contentID("a")
	s := openStore(t, Options{Path: path, Now: clk.Now})
	hold(s, 1, 1, c)
	for n := range tuber.ChunkNumber(20) {
		put(t, s, makeRun(t, c, n*16, 16, clk.in(time.Hour)))
	}
	must(t, s.Close())
	s = openStore(t, Options{Path: path, Now: clk.Now, Quota: 1 << 20})
	if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 || len(s.Contents()) == 0 {
		t.Fatalf("got %d bytes, %v, %v", info.Size(), err, s.Contents())
	}
}

// What matters less never pushes out what matters more; the store says that it
// is full, and recovers when it is allowed more.
func TestLowPriorityDoesNotPushOutHigh(t *testing.T) {
	clk, high, low := newClock(), contentID("high"), contentID("low")
	s := openStore(t, Options{Path: chunkPath(t), Now: clk.Now, Quota: 1 << 20})
	s.SetHolds(map[tuber.ContentID]int{high: 1, low: 1}, []tuber.Hold{
		{Content: high, Partitions: 1, Priority: 9}, {Content: low, Partitions: 1, Priority: 1}})
	for n := range tuber.ChunkNumber(100) {
		put(t, s, makeRun(t, high, n*8, 8, clk.in(time.Hour)))
		clk.add(time.Second)
	}
	before := len(s.disk.index[high])
	r := makeRun(t, low, 0, 8, clk.in(time.Hour))
	s.AddManifest(r.m)
	for _, v := range r.chunks {
		_, err := s.Put(v)
		must(t, err)
	}
	if err := s.Flush(); !errors.Is(err, errQuota) || s.Full() == nil {
		t.Fatalf("got %v, full %v, want %v", err, s.Full(), errQuota)
	}
	if after := len(s.disk.index[high]); after != before {
		t.Fatalf("runs of high priority: got %d, want %d", after, before)
	}
	clk.add(fullPause) // nor does what waits in vain hold it up
	r = makeRun(t, high, 2000, 8, clk.in(time.Hour))
	s.AddManifest(r.m)
	for _, v := range r.chunks {
		_, err := s.Put(v)
		must(t, err)
	}
	if err := s.Flush(); !errors.Is(err, errQuota) || !s.disk.Knows(high, 2000) {
		t.Fatalf("got %v, stored %v, want the run of high priority on disk", err, s.disk.Knows(high, 2000))
	}
	must(t, s.SetQuota(2<<20))
	must(t, s.Flush())
	if s.Full() != nil || !s.disk.Knows(low, 0) {
		t.Fatalf("with room: full %v, stored %v", s.Full(), s.disk.Knows(low, 0))
	}
}

func TestSweepDeletesExpiredAndUnheld(t *testing.T) {
	clk, path, a, b := newClock(), chunkPath(t), contentID("a"), contentID("b")
	s := openStore(t, Options{Path: path, Now: clk.Now})
	hold(s, 1, 1, a, b)
	put(t, s, makeRun(t, a, 0, 4, clk.in(5*time.Minute)))
	put(t, s, makeRun(t, a, 4, 4, clk.in(time.Hour)))
	put(t, s, makeRun(t, b, 0, 4, clk.in(time.Hour)))
	must(t, s.Close())
	s = openStore(t, Options{Path: path, Now: clk.Now})
	clk.add(20 * time.Minute)
	s.Sweep()
	for _, tt := range []struct {
		c     tuber.ContentID
		first tuber.ChunkNumber
		want  bool
	}{{a, 0, false}, {a, 4, true}, {b, 0, true}} { // without a plan only expiry deletes
		if got := s.disk.Knows(tt.c, tt.first); got != tt.want {
			t.Fatalf("before the plan, %s at %d: got %v, want %v", tt.c, tt.first, got, tt.want)
		}
	}
	hold(s, 1, 1, b)
	s.Sweep()
	clk.add(10*time.Minute - 10*time.Second) // which leave time for a plan and a sweep
	s.Sweep()
	if s.disk.Knows(a, 4) || !s.disk.Knows(b, 0) {
		t.Fatalf("unheld: got %v, held: got %v", s.disk.Knows(a, 4), s.disk.Knows(b, 0))
	}
	if got := s.Contents(); len(got) != 1 || got[0] != b {
		t.Fatalf("contents: got %v, want b", got)
	}
}

// Withdrawn bytes do not linger in the free pages of the file.
func TestDroppedBytesLeaveTheFile(t *testing.T) {
	clk, path, a, b := newClock(), chunkPath(t), contentID("a"), contentID("b")
	s := openStore(t, Options{Path: path, Now: clk.Now})
	hold(s, 1, 1, a, b)
	gone, kept := makeRun(t, a, 0, 64, clk.in(time.Hour)), makeRun(t, b, 0, 4, clk.in(time.Hour))
	put(t, s, gone)
	put(t, s, kept)
	before := s.Stored()
	s.Drop(a)
	s.Sweep()
	if after := s.Stored(); after >= before/2 {
		t.Fatalf("size: got %d of %d", after, before)
	}
	if _, ok := s.Get(a, 0); ok {
		t.Fatal("withdrawn chunk served")
	}
	clk.add(2 * time.Minute)
	s.ring.Trim()
	check(t, s, kept.chunks[0])
}
