package peer

import (
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// What is visited below a number is what a plain look through the map finds,
// whatever was added and deleted before.
func TestWantsBelow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		w := &wantSet{m: map[tuber.ChunkNumber]*want{}}
		base := tuber.ChunkNumber(r.Uint64N(1 << 61))
		for range 200 {
			n := base + tuber.ChunkNumber(r.Uint64N(64))
			switch r.IntN(12) {
			case 0:
				base += tuber.ChunkNumber(r.Uint64N(1 << r.IntN(40)))
			case 1, 2, 3, 4:
				w.add(n, &want{})
			case 5, 6, 7:
				delete(w.m, n)
			default:
				got, expected := map[tuber.ChunkNumber]bool{}, map[tuber.ChunkNumber]bool{}
				w.below(n, func(m tuber.ChunkNumber, _ *want) { got[m] = true })
				for m := range w.m {
					if m < n {
						expected[m] = true
					}
				}
				if !maps.Equal(got, expected) {
					t.Fatalf("below %d: got %v, want %v", n, got, expected)
				}
			}
		}
	}
}

// A neighbour brings what follows what it has sent without a halt, and nothing else.
func TestStretch(t *testing.T) {
	c := tuber.ContentID{1}
	l := &link{flows: map[tuber.ContentID]*flow{c: {}}}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	brings := func(n tuber.ChunkNumber, after time.Duration) bool {
		from, ok := l.brings(c, 0, goesOnFor, at(after))
		return ok && from < n
	}
	if brings(5, 0) {
		t.Error("nothing came")
	}
	l.flows[c].brings[0].add(4, goesOnFor, at(0), false) // an answer
	if brings(5, 0) {
		t.Error("it was asked for what came")
	}
	l.flows[c].brings[0].add(8, goesOnFor, at(0), true)
	l.flows[c].brings[0].add(16, goesOnFor, at(time.Second), false)
	for _, tt := range []struct {
		n     tuber.ChunkNumber
		after time.Duration
		want  bool
	}{
		{24, time.Second, true},
		{12, time.Second, true}, // between two that came
		{4, time.Second, false}, // from before it began
		{24, time.Second + goesOnFor, false},
	} {
		if got := brings(tt.n, tt.after); got != tt.want {
			t.Errorf("%d after %v: %v, want %v", tt.n, tt.after, got, tt.want)
		}
	}
	l.flows[c].brings[0].add(40, goesOnFor, at(time.Second+goesOnFor), true)
	if brings(24, time.Second+goesOnFor) || !brings(48, time.Second+goesOnFor) {
		t.Error("after a halt a new stretch begins")
	}
}

// However long nothing comes from a source, it is asked no more than it answers.
func TestProbesAreAnswered(t *testing.T) {
	var asks link
	var answers allowance
	probes := 0
	for now, end := time.Unix(1e9, 0), time.Unix(1e9+60, 0); now.Before(end); now = now.Add(tickEvery) {
		if _, probe := asks.silent(now); !probe {
			continue
		}
		if probes++; !answers.take(pongBurst, now) {
			t.Fatalf("probe %d is not answered", probes)
		}
	}
	if probes < 60 {
		t.Errorf("%d probes in a minute", probes)
	}
}

// Who was asked has longer to answer if it gives a sign of life, but not once it has
// said that it lacks the chunk.
func TestWhoIsThereHasTimeToAnswer(t *testing.T) {
	id, now := tuber.PeerID{1}, time.Now()
	l := &link{in: tuber.Introduction{Peer: id}}
	c := tuber.ContentID{1}
	x := &want{asked: []tuber.PeerID{id}, at: now}
	s := &swarm{links: map[tuber.PeerID]*link{id: l}, wants: map[tuber.ContentID]*wantSet{c: {m: map[tuber.ChunkNumber]*want{7: x}}}}
	l.heard.Store(now.Add(-time.Second).UnixNano())
	if until := s.answersUntilLocked(x); !until.IsZero() {
		t.Errorf("nothing came since it was asked: waited for until %v", until)
	}
	l.heard.Store(now.Add(time.Millisecond).UnixNano())
	if until := s.answersUntilLocked(x); !until.Equal(now.Add(answersFor)) {
		t.Errorf("it is there: waited for until %v, want %v", until, answersFor)
	}
	l.ping.rtt = time.Second
	if until := s.answersUntilLocked(x); !until.Equal(now.Add(4 * time.Second)) {
		t.Errorf("it is far: waited for until %v, want four round trips", until)
	}
	s.onMissing(l, wire.Missing{Content: c, Numbers: []tuber.ChunkNumber{7}})
	if until := s.answersUntilLocked(x); !until.IsZero() || !x.due.IsZero() {
		t.Errorf("it lacks the chunk: waited for until %v", until)
	}
}

// Only what comes unasked, and for the first time, overtakes what is lower.
func TestAnswersOvertakeNothing(t *testing.T) {
	st := newStream(t, newKey(t), 1)
	chunks, c := st.segment(8).Chunks, st.content.ID
	l := &link{flows: map[tuber.ContentID]*flow{}}
	first := &want{due: time.Now().Add(time.Hour)}
	w := &wantSet{m: map[tuber.ChunkNumber]*want{}}
	w.add(0, first)
	for n := tuber.ChunkNumber(1); n < 8; n++ {
		w.add(n, &want{})
	}
	s := &swarm{wants: map[tuber.ContentID]*wantSet{c: w}, ks: map[tuber.ContentID]int{c: 1}}
	for n := 1; n <= 4; n++ { // answers
		l.flowLocked(c).asked.add(tuber.ChunkNumber(n))
		if _, unasked, _ := s.arrived(l, chunks[n]); unasked {
			t.Errorf("chunk %d was asked for", n)
		}
	}
	s.arrived(l, chunks[5])
	s.arrived(l, chunks[5]) // twice
	if first.higher != 1 || first.due.IsZero() {
		t.Fatalf("overtaken by %d, want the one that came by itself", first.higher)
	}
	s.arrived(l, chunks[6])
	s.arrived(l, chunks[7])
	if first.higher != lateBy || !first.due.IsZero() {
		t.Errorf("overtaken by %d, and not late", first.higher)
	}
}
