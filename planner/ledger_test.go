package planner

import (
	"math"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

func TestOldConfirmationsDoNotCount(t *testing.T) {
	l := newLedger(tuber.RoleViewer, tuber.BoosterRecord{})
	now := epochStart
	l.flows[tuber.PeerID{1}] = flow{rate: 1e6, chunks: 100, late: 50, at: now.Add(-flowLife - time.Second)}
	l.flows[tuber.PeerID{2}] = flow{rate: 2e6, chunks: 99, late: 1, at: now}
	e := l.evidence(nil, 1e6, now)
	if e.confirmed != 2e6 || e.late != 0.01 || !e.judged {
		t.Errorf("got %+v, want the fresh flow alone", e)
	}
	l.learntAt = now.Add(time.Second)
	if e := l.evidence(nil, 1e6, now.Add(2*time.Second)); e.confirmed != 2e6 || e.late != 0 || e.judged {
		t.Errorf("got %+v, want nothing judged a second time", e)
	}
	if len(l.flows) != 1 {
		t.Errorf("%d flows are kept, want 1", len(l.flows))
	}
	if got := l.confirmed(now); got != 2e6 {
		t.Errorf("got %v to tell the peer, want the fresh flow alone", got)
	}
}

func TestWhereLearningBegins(t *testing.T) {
	for _, tt := range []struct {
		role   tuber.Role
		record tuber.BoosterRecord
		limit  tuber.BitsPerSecond
		want   tuber.BitsPerSecond
	}{
		{tuber.RoleViewer, tuber.BoosterRecord{}, 50e6, firstViewer},
		{tuber.RoleViewer, tuber.BoosterRecord{}, 0, 0},
		{tuber.RoleBooster, tuber.BoosterRecord{}, 50e6, firstBooster},
		{tuber.RoleBooster, tuber.BoosterRecord{}, 2e6, 2e6},
		{tuber.RoleBooster, tuber.BoosterRecord{Upload: 30e6}, 50e6, 30e6},
		{tuber.RoleOrigin, tuber.BoosterRecord{}, 20e6, 20e6},
	} {
		l := newLedger(tt.role, tt.record)
		if got := l.upload(tt.limit); got != tt.want {
			t.Errorf("%s, %+v, cap %d: got %d, want %d", tt.role, tt.record, tt.limit, got, tt.want)
		}
	}
}

func TestWhatWasLatelyCountsLess(t *testing.T) {
	var s lately
	s.add(800, epochStart)
	s.add(100, epochStart.Add(halfLife))
	if got := s.at(epochStart.Add(2 * halfLife)); got != 250 {
		t.Errorf("got %v, want a quarter of 800 and a half of 100", got)
	}
}

// TestOneSlowReceiverIsItsOwnFault: a sender is behind if most of its receivers
// wait for more than a segment and a second. For how long chunks waited tells what
// its line carries.
func TestOneSlowReceiverIsItsOwnFault(t *testing.T) {
	const target = 2 * time.Second // the story's
	for _, tt := range []struct {
		slow int
		wait time.Duration
		busy time.Duration // of each
		last uint64        // bytes sent to a fourth, for which chunks wait all the time; unless it has a million
		want tuber.BitsPerSecond
	}{
		{0, 0, 0, 0, firstBooster},
		{1, target + 1100*time.Millisecond, 0, 0, firstBooster},
		{2, target + 1100*time.Millisecond, 0, 0, firstBooster * 3 / 10}, // hardly anything left
		{3, target + 900*time.Millisecond, 0, 0, firstBooster},           // a segment takes as long on a full line
		{0, 0, 4 * time.Second, 0, firstBooster},                         // its line was idle for longer
		{0, 0, 6 * time.Second, 0, 360e3},                                // 0.9 of 240 kbit/s in 0.6 of the time
		{0, 0, 8 * time.Second, 0, 270e3},                                // in 0.8
		{0, 0, 0, 100_000, firstBooster},                                 // one of four waits
		{0, 0, 0, 900_000, 1152e3},                                       // which has three quarters of the line
		{0, 0, 10 * time.Second, 1_000_000, 1248e3},                      // three of four wait, and the fourth has most of the line
	} {
		story(t, func(h *house) {
			o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
			all := append(h.crowd(4), o, b)
			passes(10*time.Second, all...)
			var sent []tuber.LinkReport
			for n, v := range all[:3] {
				l := tuber.LinkReport{Peer: v.id, Sent: 100_000, Busy: tt.busy}
				if n < tt.slow {
					l.Queue = tt.wait
				}
				sent = append(sent, l)
				v.say(wire.Report{Report: tuber.Report{Interval: tuber.ReportEvery, Links: []tuber.LinkReport{{Peer: b.id, Received: 100_000}}}})
			}
			if tt.last > 0 {
				l := tuber.LinkReport{Peer: all[3].id, Sent: tt.last, Busy: tuber.ReportEvery}
				if tt.last == 1_000_000 {
					l.Busy = 0
				}
				sent = append(sent, l)
			}
			passes(time.Second, all...)
			b.say(wire.Report{Report: tuber.Report{Interval: tuber.ReportEvery, Links: sent}})
			passes(2*saveEvery, all...)
			if r, _, _ := h.book.Booster(b.id); r.Upload != tt.want {
				t.Errorf("%d of three wait for %v, busy for %v, a fourth with %d bytes: the uplink counts %v, want %v", tt.slow, tt.wait, tt.busy, tt.last, r.Upload, tt.want)
			}
			for _, g := range all {
				_ = g.hangUp()
			}
		})
	}
}

// Two sides report at moments of their own: an honest sender's claims are never
// above what its receivers confirm, whoever speaks first, from the first chunk on
// and after the last; those of one who claims twice as much are.
func TestClaimsOutOfStep(t *testing.T) {
	for offset := range time.Duration(10) { // of the receiver's reports, in seconds
		for factor, liar := range map[uint64]bool{1: false, 2: true} {
			var l ledger
			worst := 0.0
			for second := range 120 * time.Second / time.Second {
				now := epochStart.Add(second * time.Second)
				flowing := func(until time.Duration) (n uint64) { // bytes of the ten seconds before
					for s := max(0, until-10); s < until; s++ {
						if s < 80 { // then the plan has it end
							n += 100_000
						}
					}
					return n
				}
				if second%10 == 0 {
					l.claim(tuber.PeerID{1}, factor*flowing(second))
				}
				if second%10 == offset {
					l.take(tuber.PeerID{1}, flowing(second), now)
				}
				if taken := l.taken.at(now); taken > 0 {
					worst = max(worst, l.claimed.at(now)/taken)
				}
			}
			if got := worst > overclaimed; got != liar {
				t.Errorf("offset %d s, claims %d times: at most %.2f claimed over taken", offset, factor, worst)
			}
		}
	}
}

// What comes late to a sender goes on late: its receivers' word is held against
// its line only as far as it made more late than it got late.
func TestLateInLateOut(t *testing.T) {
	now := epochStart
	for _, tt := range []struct {
		got, gotLate uint64
		want         float64
	}{
		{0, 0, 0.2}, {100, 0, 0.2}, {90, 10, 0.1}, {80, 20, 0}, {50, 50, 0},
	} {
		l := newLedger(tuber.RoleViewer, tuber.BoosterRecord{})
		l.flows[tuber.PeerID{1}] = flow{rate: 1e6, late: 20, chunks: 80, at: now}
		l.came.add(tt.got, now)
		l.cameLate.add(tt.gotLate, now)
		if got := l.evidence(nil, 5e6, now).late; math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%d came, %d late: %.2f is held against it, want %.2f", tt.got+tt.gotLate, tt.gotLate, got, tt.want)
		}
	}
}

func TestAViewerThatWantsAStreamBeginsWithItsRate(t *testing.T) {
	c := testContent("/c", 8, 2e6)
	w := newTown(t, 20, 20e6, c)
	if p := w.watches(5e6, c.ID); p.member.ledger.learnt != 2e6 {
		t.Errorf("it is trusted with %d, want the stream's rate", p.member.ledger.learnt)
	}
}
