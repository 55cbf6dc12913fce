package host

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/peer"
)

// lookFor has it looked once a second at the same picture.
func (l *homeLine) lookFor(now *time.Time, seconds int, sent tuber.BitsPerSecond, full bool) {
	for range seconds {
		*now = now.Add(lineEvery)
		l.look(*now, sent, full)
	}
}

func TestHomeLine(t *testing.T) {
	const unlimited = tuber.Unlimited
	type part struct {
		seconds int
		sent    tuber.BitsPerSecond
		full    bool
		want    tuber.BitsPerSecond
	}
	tests := []struct {
		name  string
		parts []part
	}{
		{"nobody waits", []part{{60, 50e6, false, unlimited}}},
		{"a moment says nothing", []part{{3, 2e6, true, unlimited}, {1, 2e6, false, unlimited}, {3, 2e6, true, unlimited}}},
		{"a full line", []part{{4, 2e6, true, 1.8e6}}},
		{"what left a moment ago does not count twice", []part{{9, 2e6, true, 1.8e6}}},
		{"still full", []part{{4, 2e6, true, 1.8e6}, {12, 1.7e6, true, 1.53e6}}},
		{"it carried more a moment ago", []part{{1, 9e6, false, unlimited}, {20, 2e6, true, unlimited}}},
		{"long ago says nothing", []part{{1, 9e6, false, unlimited}, {90, 2e6, false, unlimited}, {4, 2e6, true, 1.8e6}}},
		{"nothing leaves", []part{{20, 0, true, unlimited}}},
		{"hardly anything leaves", []part{{4, 10e6, true, 9e6}, {600, 1e5, false, 9e6}, {4, 1e5, true, 2.7e6}}},
		{"there is a least", []part{{4, 1e5, true, lineLeast}}},
		{"not in use", []part{{4, 2e6, true, 1.8e6}, {600, 1e6, false, 1.8e6}}},
		{"no more is tried soon", []part{{4, 2e6, true, 1.8e6}, {19, 1.8e6, false, 1.8e6}}},
		{"then it is", []part{{4, 2e6, true, 1.8e6}, {21, 1.8e6, false, 2.25e6}}},
		{"later each time that it was too much", []part{
			{4, 2e6, true, 1.8e6}, {21, 1.8e6, false, 2.25e6}, {10, 2e6, true, 1.8e6}, {36, 1.8e6, false, 1.8e6}, {5, 1.8e6, false, 2.25e6},
		}},
		{"and as long as it is well", []part{{4, 10e6, true, 9e6}, {240, 19e6, false, unlimited}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, now := homeLine{rate: unlimited}, time.Unix(1e9, 0)
			for n, p := range tt.parts {
				l.lookFor(&now, p.seconds, p.sent, p.full)
				if l.rate != p.want {
					t.Fatalf("part %d: %d bit/s, want %d", n, l.rate, p.want)
				}
			}
		})
	}
}

func TestALineIsFull(t *testing.T) {
	const limit = 3 * time.Second
	ms := time.Millisecond
	a, b, c := tuber.PeerID{1}, tuber.PeerID{2}, tuber.PeerID{3}
	before := func() *seen {
		return &seen{links: map[tuber.PeerID]seenLink{a: {100, 20 * ms}, b: {100, 50 * ms}, c: {100, 0}}, least: 20 * ms}
	}
	tests := []struct {
		name  string
		links []peer.LinkStats
		want  bool
	}{
		{"no links", nil, false},
		{"all is well", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 25 * ms}, {Peer: b, Sent: 200, RTT: 60 * ms}}, false},
		{"a segment's worth waits", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 25 * ms, Behind: 2 * time.Second}}, false},
		{"most wait", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 25 * ms, Behind: 4 * time.Second}, {Peer: b, Sent: 100, RTT: 60 * ms}}, true},
		{"one is slow itself", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 25 * ms, Behind: 4 * time.Second}, {Peer: b, Sent: 200, RTT: 60 * ms}}, false},
		{"all answer later", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 280 * ms}, {Peer: b, Sent: 200, RTT: 310 * ms}}, true},
		{"one answers later", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 290 * ms}, {Peer: b, Sent: 200, RTT: 60 * ms}}, false},
		{"the only one answers later", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 900 * ms}}, false},
		{"how long it took before is not known", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 290 * ms}, {Peer: c, Sent: 200, RTT: 300 * ms}}, false},
		{"nor has to be", []peer.LinkStats{{Peer: a, Sent: 200, RTT: 290 * ms}, {Peer: c, Sent: 200, RTT: 450 * ms}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := before().full(tt.links, limit); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	after := before()
	after.full([]peer.LinkStats{{Peer: a, RTT: 15 * ms}, {Peer: b, RTT: 60 * ms}}, limit)
	if after.links[a].rtt != 15*ms || after.links[b].rtt != 50*ms || len(after.links) != 2 || after.least != 15*ms {
		t.Errorf("remembered %v", after)
	}
}

func TestFirstCopiesAreOfWhatIsWatched(t *testing.T) {
	one, two := tuber.Content{ID: tuber.ContentID{1}, Rate: 1e6}, tuber.Content{ID: tuber.ContentID{2}, Rate: 3e6}
	streams := []tuber.Content{one, two}
	for want, wanted := range map[tuber.BitsPerSecond][]tuber.ContentID{0: nil, 1.05e6: {one.ID}, 4.2e6: {two.ID, one.ID}} {
		if got := firstCopies(streams, wanted); got != want {
			t.Errorf("%d watched: %d bit/s, want %d", len(wanted), got, want)
		}
	}
}
