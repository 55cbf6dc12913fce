package peer

import (
	"time"

	"github.com/tubercdn/tuber"
)

const (
	goesOnFor  = 1500 * time.Millisecond // after a chunk its partition has not come to a halt; the plan's steps are 0.7 s at most,
	goesOnMore = 500 * time.Millisecond  // or a segment's duration and this: segments come at once, with a pause behind
	goesOnMost = 8 * time.Second
)

// stretch is a run of chunks of one partition that came without a halt and, at
// first, without being asked for.
type stretch struct {
	from tuber.ChunkNumber // the first that came
	last time.Time         // when the latest did
}

// add notes a chunk. After a halt, a longer pause, a new stretch begins, though not
// with an answer: who helps out with one does not bring those that follow.
func (s *stretch) add(n tuber.ChunkNumber, pause time.Duration, now time.Time, unasked bool) {
	if now.Sub(s.last) >= pause {
		if !unasked {
			return
		}
		s.from = n
	}
	s.last = now
}

// goesOnLocked tells whether a source still brings the partition of n, and has done
// so since before n (one who began later does not come back to it): then n is behind
// on a full line, and asked of others it would come twice, on lines that are full as
// well.
func (s *swarm) goesOnLocked(c tuber.ContentID, n tuber.ChunkNumber, now time.Time) bool {
	k := s.ks[c]
	if k == 0 || s.plan == nil {
		return false
	}
	p := n.Partition(k)
	for _, src := range s.plan.Sources {
		l := s.links[src.From]
		if l == nil || src.Content != c || src.Standby || !src.Partitions.Has(p) {
			continue
		}
		if from, ok := l.brings(c, p, s.pauseLocked(c), now); ok && from < n {
			return true
		}
	}
	for x := range s.gets {
		if l := s.links[x.peer]; l != nil && x.content == c && x.p == p {
			if from, ok := l.brings(c, p, s.pauseLocked(c), now); ok && from < n {
				return true
			}
		}
	}
	return false
}

// pauseLocked is how long a partition may pause that goes on.
func (s *swarm) pauseLocked(c tuber.ContentID) time.Duration {
	return min(max(goesOnFor, time.Duration(s.contents[c].Target)*time.Millisecond+goesOnMore), goesOnMost)
}

// brings tells whether the neighbour sends this partition without a halt, and since
// which number.
func (l *link) brings(c tuber.ContentID, p tuber.Partition, pause time.Duration, now time.Time) (from tuber.ChunkNumber, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.flows[c]
	if f == nil || now.Sub(f.brings[p].last) >= pause {
		return 0, false
	}
	return f.brings[p].from, true
}
