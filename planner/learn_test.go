package planner

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestTheNextEstimate(t *testing.T) {
	const mega = 1e6
	tests := map[string]struct {
		learnt tuber.BitsPerSecond
		e      evidence
		want   tuber.BitsPerSecond
	}{
		"in use and on time: up":        {2e6, evidence{judged: true, limit: 10e6, assigned: 1.8 * mega, confirmed: 1.7 * mega}, 3e6},
		"nobody lacks anything":         {2e6, evidence{judged: true, enough: true, limit: 10e6, assigned: 1.8 * mega, confirmed: 1.7 * mega}, 2e6},
		"never above the cap":           {8e6, evidence{judged: true, limit: 10e6, assigned: 7.5 * mega, confirmed: 7 * mega}, 10e6},
		"the cap was lowered":           {8e6, evidence{judged: true, limit: 1e6, assigned: 0.9 * mega, confirmed: 0.9 * mega}, 8e6}, // min with the cap is taken on use
		"hardly used: not judged":       {8e6, evidence{judged: true, limit: 10e6, assigned: 1 * mega, confirmed: 1 * mega}, 8e6},
		"assigned, half confirmed":      {2e6, evidence{judged: true, limit: 10e6, assigned: 2 * mega, confirmed: 1 * mega}, 2e6},
		"a little late: no growth":      {2e6, evidence{judged: true, limit: 10e6, assigned: 2 * mega, confirmed: 2 * mega, late: 0.03}, 2e6},
		"judged before":                 {2e6, evidence{limit: 10e6, assigned: 2 * mega, confirmed: 1.5 * mega, late: 0.5}, 2e6},
		"behind: what leaves it":        {2e6, evidence{limit: 10e6, leaves: 1 * mega, behind: true}, 0.9e6},
		"behind: at most so quickly":    {2e6, evidence{limit: 10e6, leaves: 0.1 * mega, behind: true}, 0.6e6},
		"behind with more than trusted": {2e6, evidence{limit: 10e6, leaves: 3 * mega, behind: true}, 2e6},
		"never below the least":         {70e3, evidence{judged: true, limit: 10e6, behind: true}, leastUpload},
		"claims ten times too much":     {5e6, evidence{judged: true, limit: 10e6, assigned: 5 * mega, confirmed: 0.5 * mega, claimed: 10}, 0.5e6},
	}
	for name, tt := range tests {
		s := trusting(tt.learnt)
		s.met = true
		if got := s.next(tt.e, false); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
	s := trusting(1e6)
	if got := s.next(evidence{judged: true, limit: 10e6, assigned: 1e6, confirmed: 1e6}, false); got != steep*1e6 {
		t.Errorf("never too small yet: got %d, want it doubled", got)
	}
}

// Chunks must be late for some seconds, and fewer than the sender had to pass on.
func TestLatenessMustLast(t *testing.T) {
	for _, tt := range []struct {
		name           string
		confirmed, had float64
		late           float64
		want           tuber.BitsPerSecond
	}{
		{"down", 1e6, 1, 0.2, 1.4e6},
		{"most is on time", 1.35e6, 1, 0.125, 1.4e6},
		{"it delivers what is assigned", 2e6, 1, 0.2, 2e6},
		{"it has no more itself", 1e6, 0.6, 0.2, 2e6},
		{"hardly late", 1e6, 1, 0.04, 2e6},
	} {
		s, now := trusting(2e6), epochStart
		e := evidence{judged: true, enough: true, limit: 10e6, assigned: 2e6, confirmed: tt.confirmed, had: tt.had, late: tt.late}
		if s.learn(e, now) {
			t.Errorf("%s: judged at once", tt.name)
		}
		s.learn(e, now.Add(lateFor))
		if s.learnt != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, s.learnt, tt.want)
		}
	}
}

// What a line carries shows in the time that chunks waited for it. A peer's own
// word lowers what it is trusted with, and keeps that from growing.
func TestAFullLineShowsWhatItCarries(t *testing.T) {
	s, now := trusting(2e6), epochStart
	for _, tt := range []struct {
		rate, busy float64
		want       tuber.BitsPerSecond
	}{
		{1e6, 0.4, 2e6}, // it was idle for most of the time: nothing is known
		{5e6, 0.9, 2e6}, // more than it is trusted with
		{1e6, 0.9, 0.9e6},
		{4e6, 0.9, 0.9e6}, // by its own word alone it is not trusted with more
		{1e4, 1, leastUpload},
	} {
		s.carries(tt.rate, tt.busy, 20e6, now)
		if s.learnt != tt.want {
			t.Errorf("%v bit/s, busy for %v: trusted with %d, want %d", tt.rate, tt.busy, s.learnt, tt.want)
		}
	}
	capped := trusting(2e6)
	if capped.carries(1.9e6, 1, 2e6, now); capped.learnt != 2e6 {
		t.Errorf("a cap of 2e6 that is in use costs trust: %d", capped.learnt)
	}
	if got := s.atMost(now.Add(carriesFor - 1)); got != 9e3 {
		t.Errorf("at most %d, want what was seen", got)
	}
	if got := s.atMost(now.Add(carriesFor)); got != tuber.Unlimited {
		t.Errorf("at most %d though that is no news", got)
	}
}

// One whose receivers never have anything loses what it is trusted with, and is
// tried again after a while, each time later.
func TestWhoDeliversNothingIsTriedAgain(t *testing.T) {
	s, now := trusting(2e6), epochStart
	given := evidence{enough: true, limit: 10e6, assigned: 1e6}
	s.learn(given, now)
	if s.learn(given, now.Add(idleFor-1)) {
		t.Fatal("judged before its receivers could have said so")
	}
	if says := (evidence{enough: true, limit: 10e6, assigned: 1e6, leaves: 0.5e6}); s.learn(says, now.Add(flowLife-1)) {
		t.Fatal("it says that something leaves it, and its receivers had no time to confirm it")
	}
	for _, rest := range []time.Duration{leastRest, 2 * leastRest, 4 * leastRest} {
		now = now.Add(idleFor)
		s.learn(given, now)
		if now = now.Add(idleFor); s.learnt != leastUpload {
			s.learn(given, now)
		}
		if s.learnt != leastUpload {
			t.Fatalf("trusted with %d, want the least", s.learnt)
		}
		now = s.learntAt
		if s.learn(evidence{limit: 10e6}, now.Add(rest-1)) {
			t.Fatalf("tried again before %v", rest)
		}
		now = now.Add(rest)
		if s.learn(evidence{limit: 10e6}, now); s.learnt != 0.5e6 {
			t.Fatalf("after %v trusted with %d, want another chance", rest, s.learnt)
		}
		now = now.Add(learnEvery)
	}
}

// One whose line was full grows no further than what left it, for a while.
func TestAFullLineIsKnownForAWhile(t *testing.T) {
	s, now := trusting(4e6), epochStart
	s.learn(evidence{limit: 10e6, leaves: 2e6, behind: true}, now)
	if s.learnt != 1.8e6 || s.atMost(now.Add(carriesFor-1)) != 1.8e6 {
		t.Errorf("trusted with %d, at most %d; want 0.9 of what left it", s.learnt, s.atMost(now))
	}
	if got := s.atMost(now.Add(carriesFor)); got != tuber.Unlimited {
		t.Errorf("at most %d though that is no news", got)
	}
}

func TestAViewerBeginsWithWhatItTakesIn(t *testing.T) {
	for rate, want := range map[tuber.BitsPerSecond]tuber.BitsPerSecond{0: firstViewer, 500e3: firstViewer, 3e6: 3e6, 20e6: firstMost} {
		s := trusting(firstViewer)
		if s.begin(rate); s.learnt != want {
			t.Errorf("%d: begins with %d, want %d", rate, s.learnt, want)
		}
	}
	s := trusting(firstViewer)
	s.set(200e3, epochStart)
	if s.begin(3e6); s.learnt != 200e3 {
		t.Errorf("what was learnt is forgotten: %d", s.learnt)
	}
}
