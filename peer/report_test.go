package peer

import (
	"reflect"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// What a neighbour is told of an ended link: a goodbye that says done is no
// failure, another one is.
func TestOnlyAFailureIsReportedAsOne(t *testing.T) {
	for name, tt := range map[string]struct {
		code wire.ByeCode
		want bool
	}{
		"not needed any more": {wire.ByeDone, false},
		"malformed frame":     {wire.ByeFrame, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := newNodes(t)
			o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
			ns.chain(newStream(t, ns.site, 2), o, a)
			l := linked(t, ns, a, o)
			seen := linked(t, ns, o, a)
			ns.setAway(true) // so that no report goes by itself
			eventually(t, "the origin has noticed", func() bool { return !o.Stats()[ns.Site()].Connected })
			ln := l.current()
			ln.bye(tt.code, name)
			eventually(t, "the origin's link is gone", func() bool { return seen.s.link(a.ID()) != seen })
			for _, x := range seen.s.report(time.Now()).Links {
				if x.Peer == a.ID() && x.Failed != tt.want {
					t.Errorf("failed %t, want %t", x.Failed, tt.want)
				}
			}
		})
	}
}

// Two links to one neighbour that ended between two reports are one in the next:
// every count of it is the sum.
func TestEndedLinksAreSummedUp(t *testing.T) {
	s := &swarm{gone: map[tuber.PeerID]*tuber.LinkReport{}}
	one := tuber.LinkReport{Peer: tuber.PeerID{1}, Sent: 1, Received: 1, Late: 1, Repairs: 1, Twice: 1, Busy: 1}
	s.keepReportLocked(one)
	s.keepReportLocked(one)
	got := reflect.ValueOf(*s.gone[one.Peer])
	counts := 0
	for i := range got.NumField() {
		if f := got.Field(i); f.CanUint() {
			counts++
			if f.Uint() != 2 {
				t.Errorf("%s is %d, want 2", got.Type().Field(i).Name, f.Uint())
			}
		}
	}
	if busy := s.gone[one.Peer].Busy; busy != 2 {
		t.Errorf("busy for %v, want 2", busy)
	}
	if counts != 5 {
		t.Errorf("%d counts, want the five of this test", counts)
	}
}

// Reports come soon while a peer is new, and while half of what the plan has it send waits.
func TestWhenAReportIsDue(t *testing.T) {
	begun := time.Now()
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	c := chunksOf(t, 1)[0]
	waiting := func(since time.Duration, rate tuber.BitsPerSecond) *link {
		l := &link{rate: rate}
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
		{"old, most wait", []*link{waiting(60*time.Second, 1e6), idle}, 60 * time.Second, 66 * time.Second, true},
		{"old, one of three waits", []*link{waiting(60*time.Second, 1e6), waiting(64*time.Second, 1e6), waiting(64*time.Second, 1e6)}, 60 * time.Second, 66 * time.Second, false},
		{"old, one of three waits that is to have half", []*link{waiting(60*time.Second, 2e6), waiting(64*time.Second, 1e6), waiting(64*time.Second, 1e6)}, 60 * time.Second, 66 * time.Second, true},
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
