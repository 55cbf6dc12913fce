package peer

import (
	"container/heap"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

const (
	maxQueue = 1024 // chunks waiting on one link: 16 MiB that the store may share
	maxAsks  = 256  // of these, asked for
	maxJobs  = 32   // contents whose past one neighbour is being sent

	// askPriority is above any priority that a plan gives: what is asked for
	// is late already.
	askPriority = 256
	// pastPriority is below any: the recent past gives way to the live edge.
	pastPriority = -1
)

type chunkKey struct {
	content tuber.ContentID
	n       tuber.ChunkNumber
}

// item is one chunk that a neighbour is to get.
type item struct {
	chunk    tuber.VerifiedChunk
	class    tuber.Class
	priority int
	deadline time.Time
	queued   time.Time
	after    uint64 // ctl frames that must be written before: its manifest is one of them
	at       int    // index in the heap
}

func (it *item) key() chunkKey { return chunkKey{it.chunk.Content(), it.chunk.Number()} }

func (it *item) asked() bool { return it.priority == askPriority }

// before orders what is due: class, then priority, then deadline, then number. The
// origin's first copies come before what it is asked for: all wait for those, and a
// link that waits for its turn with a lesser class would hold them up.
func (it *item) before(o *item) bool {
	switch {
	case it.class != o.class:
		return it.class < o.class
	case it.priority != o.priority:
		return it.priority > o.priority
	case !it.deadline.Equal(o.deadline):
		return it.deadline.Before(o.deadline)
	}
	return it.chunk.Number() < o.chunk.Number()
}

type items []*item

func (h items) Len() int           { return len(h) }
func (h items) Less(i, j int) bool { return h[i].before(h[j]) }
func (h items) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}
func (h *items) Push(x any) {
	it := x.(*item)
	it.at = len(*h)
	*h = append(*h, it)
}
func (h *items) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return it
}

// job is the recent past of a content that a neighbour has asked for: read from
// the store only when its turn comes.
type job struct {
	content    tuber.ContentID
	partitions tuber.Partitions
	k          int
	next, end  tuber.ChunkNumber
}

// queue is what one neighbour is owed. It is guarded by its link.
type queue struct {
	heap items
	held map[chunkKey]*item
	asks int
	jobs []job

	busy time.Duration // that something waited, in all
	from time.Time     // since when something does; zero while nothing does
}

// tick counts how long something waited. It is called whenever the queue changes.
func (q *queue) tick(now time.Time) {
	if !q.from.IsZero() {
		q.busy += now.Sub(q.from)
	}
	if q.from = now; len(q.heap) == 0 {
		q.from = time.Time{}
	}
}

// push adds a chunk, or makes the one that waits more urgent. It tells whether
// the chunk waits now: a full queue keeps what comes first.
func (q *queue) push(it *item, now time.Time) bool {
	if old := q.held[it.key()]; old != nil {
		it.class, it.priority = min(it.class, old.class), max(it.priority, old.priority) // a first copy that is asked for is one still
		if !it.before(old) {
			return true
		}
		q.remove(old)
	}
	if len(q.heap) >= maxQueue && !q.makeRoom(it, now) {
		return false
	}
	if q.held == nil {
		q.held = make(map[chunkKey]*item)
	}
	q.held[it.key()] = it
	heap.Push(&q.heap, it)
	if it.asked() {
		q.asks++
	}
	return true
}

// makeRoom drops what has expired, or else the last in order if it comes after it.
func (q *queue) makeRoom(it *item, now time.Time) bool {
	var last *item
	for i := len(q.heap) - 1; i >= 0; i-- {
		x := q.heap[i]
		if x.deadline.Before(now) {
			q.remove(x)
			return true
		}
		if last == nil || last.before(x) {
			last = x
		}
	}
	if !it.before(last) {
		return false
	}
	q.remove(last)
	return true
}

func (q *queue) remove(it *item) {
	heap.Remove(&q.heap, it.at)
	delete(q.held, it.key())
	if it.asked() {
		q.asks--
	}
}

// forget drops a chunk that the neighbour has by now.
func (q *queue) forget(k chunkKey) {
	if it := q.held[k]; it != nil {
		q.remove(it)
	}
}

// drop removes what is not to be sent any more.
func (q *queue) drop(which func(*item) bool) {
	for _, it := range slices.DeleteFunc(slices.Clone(q.heap), func(it *item) bool { return !which(it) }) {
		q.remove(it)
	}
}

// first is the most urgent chunk that is still of use; expired ones go.
func (q *queue) first(now time.Time) *item {
	for len(q.heap) > 0 {
		it := q.heap[0]
		if !it.deadline.Before(now) {
			return it
		}
		q.remove(it)
	}
	return nil
}

// addJob begins the past of a content. It takes the place of an older wish for
// the same partitions or some of them.
func (q *queue) addJob(j job) {
	for i := range q.jobs {
		if old := &q.jobs[i]; old.content == j.content && old.partitions&^j.partitions == 0 {
			*old = j
			return
		}
	}
	if len(q.jobs) < maxJobs {
		q.jobs = append(q.jobs, j)
	}
}

// step is the next chunk of the first job; it tells whether there was one.
func (q *queue) step() (chunkKey, bool) {
	for len(q.jobs) > 0 {
		j := &q.jobs[0]
		for j.next < j.end {
			n := j.next
			j.next++
			if j.partitions.Has(n.Partition(j.k)) {
				return chunkKey{j.content, n}, true
			}
		}
		q.jobs = q.jobs[1:]
	}
	return chunkKey{}, false
}

// behind is how long the oldest assigned chunk has waited that is still of use:
// others lie in the heap until they would be next.
func (q *queue) behind(now time.Time) time.Duration {
	oldest := now
	for _, it := range q.heap {
		if it.priority >= 0 && it.queued.Before(oldest) && !it.deadline.Before(now) {
			oldest = it.queued
		}
	}
	return now.Sub(oldest)
}
