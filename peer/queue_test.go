package peer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// chunkOf makes n verified chunks of one byte each.
func chunksOf(t testing.TB, n int) []tuber.VerifiedChunk {
	t.Helper()
	site := newKey(t)
	st := newStream(t, site, 1)
	var out []tuber.VerifiedChunk
	for range n {
		_, c := st.run(1)
		out = append(out, c...)
	}
	return out
}

func TestQueueOrder(t *testing.T) {
	now := time.Now()
	c := chunksOf(t, 8)
	in := []*item{
		{chunk: c[0], class: tuber.ClassRest, priority: 1, deadline: now.Add(time.Second)},
		{chunk: c[1], class: tuber.ClassRest, priority: 9, deadline: now.Add(3 * time.Second)},
		{chunk: c[2], class: tuber.ClassRest, priority: 9, deadline: now.Add(2 * time.Second)},
		{chunk: c[3], class: tuber.ClassRest, priority: 9, deadline: now.Add(-time.Second)}, // expired
		{chunk: c[5], class: tuber.ClassRest, priority: pastPriority, deadline: now.Add(time.Second)},
		{chunk: c[4], priority: askPriority, class: tuber.ClassRepair, deadline: now.Add(9 * time.Second)},
		{chunk: c[7], class: tuber.ClassRest, priority: 1, deadline: now.Add(time.Second)},
		{chunk: c[6], class: tuber.ClassRest, priority: 1, deadline: now.Add(time.Second)},
	}
	want := []tuber.ChunkNumber{4, 2, 1, 0, 6, 7, 5}
	for range 20 {
		rand.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		var q queue
		for _, it := range in {
			cp := *it
			q.push(&cp, now)
		}
		var got []tuber.ChunkNumber
		for it := q.first(now); it != nil; it = q.first(now) {
			got = append(got, it.chunk.Number())
			q.remove(it)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got order %v, want %v", got, want)
		}
		if len(q.held) != 0 || q.asks != 0 {
			t.Fatalf("an empty queue holds %d chunks and %d asks", len(q.held), q.asks)
		}
	}
}

// What all wait for does not wait for what one asked for.
func TestFirstCopiesComeBeforeWhatIsAskedFor(t *testing.T) {
	now := time.Now()
	c := chunksOf(t, 3)
	var q queue
	q.push(&item{chunk: c[0], class: tuber.ClassRepair, priority: askPriority, deadline: now.Add(time.Second)}, now)
	q.push(&item{chunk: c[1], class: tuber.ClassRoot, priority: 1, deadline: now.Add(time.Second)}, now)
	q.push(&item{chunk: c[2], class: tuber.ClassRoot, priority: 1, deadline: now.Add(time.Second)}, now)
	q.push(&item{chunk: c[2], class: tuber.ClassRepair, priority: askPriority, deadline: now.Add(time.Second)}, now)
	for _, want := range []tuber.ChunkNumber{2, 1, 0} {
		it := q.first(now)
		if it.chunk.Number() != want {
			t.Errorf("got chunk %d, want %d", it.chunk.Number(), want)
		}
		q.remove(it)
	}
}

func TestQueueIsBounded(t *testing.T) {
	now := time.Now()
	c := chunksOf(t, maxQueue+2)
	var q queue
	for i := range maxQueue {
		if !q.push(&item{chunk: c[i], priority: 5, deadline: now.Add(time.Minute)}, now) {
			t.Fatalf("chunk %d was not taken", i)
		}
	}
	if q.push(&item{chunk: c[maxQueue], priority: 4, deadline: now.Add(time.Minute)}, now) {
		t.Error("a full queue took a chunk that comes after all it holds")
	}
	if !q.push(&item{chunk: c[maxQueue+1], priority: 6, deadline: now.Add(time.Minute)}, now) {
		t.Error("a full queue refused a chunk that comes first")
	}
	if got := len(q.heap); got != maxQueue {
		t.Errorf("got %d chunks, want %d", got, maxQueue)
	}
	if q.held[chunkKey{c[0].Content(), maxQueue - 1}] != nil {
		t.Error("the last in order was kept, want it dropped")
	}
}

func TestQueueKeepsOneOfAChunk(t *testing.T) {
	now := time.Now()
	c := chunksOf(t, 1)[0]
	var q queue
	q.push(&item{chunk: c, priority: 5, deadline: now.Add(time.Second)}, now)
	q.push(&item{chunk: c, priority: askPriority, class: tuber.ClassRepair, deadline: now.Add(time.Second)}, now)
	q.push(&item{chunk: c, priority: 5, deadline: now.Add(time.Second)}, now)
	if len(q.heap) != 1 || q.first(now).priority != askPriority || q.asks != 1 {
		t.Errorf("got %d entries, %d asks, want the ask alone", len(q.heap), q.asks)
	}
	q.forget(chunkKey{c.Content(), c.Number()})
	if len(q.heap) != 0 || q.asks != 0 {
		t.Errorf("got %d entries, %d asks after forgetting, want none", len(q.heap), q.asks)
	}
}

func TestJobs(t *testing.T) {
	var q queue
	a, b := tuber.ContentID{1}, tuber.ContentID{2}
	q.addJob(job{content: a, partitions: 0b0101, k: 4, next: 2, end: 9})
	q.addJob(job{content: b, partitions: 1, k: 1, next: 0, end: 100})
	q.addJob(job{content: b, partitions: 1, k: 1, next: 7, end: 8}) // replaces
	q.addJob(job{content: a, partitions: 0b0010, k: 4, next: 5, end: 9})
	var got []chunkKey
	for k, ok := q.step(); ok; k, ok = q.step() {
		got = append(got, k)
	}
	want := []chunkKey{{a, 2}, {a, 4}, {a, 6}, {a, 8}, {b, 7}, {a, 5}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i := range maxJobs + 5 {
		q.addJob(job{content: tuber.ContentID{9, byte(i)}, k: 1, partitions: 1, end: 1})
	}
	if len(q.jobs) != maxJobs {
		t.Errorf("got %d jobs, want at most %d", len(q.jobs), maxJobs)
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent[int](3)
	for _, v := range []int{1, 2, 3, 4} {
		if !r.add(v) {
			t.Errorf("%d was known, want it new", v)
		}
	}
	if r.add(4) || r.has(1) || !r.has(2) || len(r.when) != 3 {
		t.Errorf("got set %v, want 2, 3 and 4", r.when)
	}
}

func TestAllowance(t *testing.T) {
	var a allowance
	now := time.Now()
	got := 0
	for range 20 {
		if a.take(8, now) {
			got++
		}
	}
	if got != 8 {
		t.Errorf("got %d at once, want 8", got)
	}
	if !a.take(8, now.Add(1100*time.Millisecond)) || a.take(8, now.Add(1100*time.Millisecond)) {
		t.Error("want exactly one more after a second")
	}
}

// A first copy that is asked for goes out as one.
func TestAskedForFirstCopyStaysOne(t *testing.T) {
	now := time.Now()
	var q queue
	c := chunksOf(t, 1)[0]
	q.push(&item{chunk: c, class: tuber.ClassRoot, priority: 3, deadline: now.Add(time.Second)}, now)
	q.push(&item{chunk: c, class: tuber.ClassRepair, priority: askPriority, deadline: now.Add(time.Second)}, now)
	if it := q.first(now); it == nil || it.class != tuber.ClassRoot || it.priority != askPriority || q.asks != 1 {
		t.Errorf("got %+v and %d asks", it, q.asks)
	}
}

// What nobody has a use for any more does not say that a line is full.
func TestExpiredIsNotBehind(t *testing.T) {
	now := time.Now()
	var q queue
	for n, c := range chunksOf(t, 3) {
		age := time.Duration(10*n) * time.Second // 0, 10 and 20
		q.push(&item{chunk: c, priority: 9 - n, queued: now.Add(-age), deadline: now.Add(15*time.Second - age)}, now.Add(-age))
	}
	if got := q.behind(now); got != 10*time.Second {
		t.Errorf("behind by %v, want 10s", got)
	}
}

func TestHowLongSomethingWaited(t *testing.T) {
	var q queue
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	c := chunksOf(t, 2)
	push := func(n, s int) {
		q.push(&item{chunk: c[n], deadline: at(1000)}, at(s))
		q.tick(at(s))
	}
	push(0, 10)
	push(1, 12)
	q.remove(q.first(at(15)))
	q.tick(at(15))
	q.remove(q.first(at(16)))
	q.tick(at(16))
	q.tick(at(90))
	if q.busy != 6*time.Second {
		t.Errorf("busy for %v, want from 10 to 16", q.busy)
	}
}
