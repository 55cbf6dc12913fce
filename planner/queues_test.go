package planner

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// A line is full where most of what is assigned waits; where less does, if that
// receiver keeps up with others and round trips are long.
func TestWhenALineIsFull(t *testing.T) {
	a, b, c, d := tuber.PeerID{1}, tuber.PeerID{2}, tuber.PeerID{3}, tuber.PeerID{4}
	link := func(id tuber.PeerID, wait, trip time.Duration) tuber.LinkReport {
		return tuber.LinkReport{Peer: id, Sent: 1000, Queue: wait, RTT: trip}
	}
	const long, short = 300 * time.Millisecond, 30 * time.Millisecond
	const late, early = 4 * time.Second, 2 * time.Second
	for _, tt := range []struct {
		name      string
		elsewhere tuber.PeerID // keeps up with others
		links     []tuber.LinkReport
		want      bool
	}{
		{"nobody waits", a, []tuber.LinkReport{link(a, early, long), link(b, 0, long), link(c, 0, long)}, false},
		{"half of it waits", d, []tuber.LinkReport{link(a, late, short), link(b, 0, short), link(c, 0, short)}, true},
		{"a fifth waits, for one that is slow itself", d, []tuber.LinkReport{link(a, 0, long), link(b, late, long), link(c, 0, long)}, false},
		{"a fifth waits, for one that keeps up with others", b, []tuber.LinkReport{link(a, 0, long), link(b, late, long), link(c, 0, short)}, true},
		{"the same, and most round trips are short", b, []tuber.LinkReport{link(a, 0, short), link(b, late, long), link(c, 0, short)}, false},
		{"what waits was not assigned", d, []tuber.LinkReport{link(d, late, long), link(b, 0, long)}, false},
		{"most of what is in use waits", d, []tuber.LinkReport{link(b, late, short), link(c, 0, short), {Peer: a}}, true},
	} {
		q := queues{
			wait:      3 * time.Second,
			gives:     map[tuber.PeerID]float64{a: 3e6, b: 1e6, c: 1e6},
			elsewhere: func(r tuber.PeerID) bool { return r == tt.elsewhere },
		}
		for i := range tt.links {
			q.add(&tt.links[i])
		}
		if got := q.behind(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
