package peer

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// Reports come soon while a peer is new, and while most of those it sends to wait.
func TestWhenAReportIsDue(t *testing.T) {
	begun := time.Now()
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	c := chunksOf(t, 1)[0]
	waiting := func(since time.Duration) *link {
		l := &link{}
		l.q.push(&item{chunk: c, priority: 1, deadline: at(time.Hour), queued: at(since)}, at(since))
		return l
	}
	idle := &link{}
	for _, tt := range []struct {
		name       string
		links      []*link
		since, now time.Duration
		want       bool
	}{
		{"new, with a link", []*link{idle}, 4 * time.Second, 6 * time.Second, true},
		{"new, a second after the last", []*link{idle}, 5 * time.Second, 6 * time.Second, false},
		{"new, alone", nil, 0, 6 * time.Second, false},
		{"alone after a while", nil, 0, tuber.ReportEvery, true},
		{"old, nobody waits", []*link{idle, idle}, 60 * time.Second, 66 * time.Second, false},
		{"old, most wait", []*link{waiting(60 * time.Second), idle}, 60 * time.Second, 66 * time.Second, true},
		{"old, one of two waits", []*link{waiting(60 * time.Second), waiting(64 * time.Second)}, 60 * time.Second, 66 * time.Second, false},
		{"old, after the usual time", []*link{idle}, 60 * time.Second, 70 * time.Second, true},
	} {
		s := &swarm{born: begun, links: map[tuber.PeerID]*link{}}
		for i, l := range tt.links {
			s.links[tuber.PeerID{byte(i)}] = l
		}
		if got := s.reportDue(at(tt.since), at(tt.now)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
