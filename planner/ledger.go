package planner

import (
	"cmp"
	"math"
	"time"

	"github.com/tubercdn/tuber"
)

// flowLife is how long a confirmation counts.
const flowLife = 2*tuber.ReportEvery + 5*time.Second

// ledger is what receivers confirmed of one member, and what it confirmed itself.
type ledger struct {
	estimate
	flows    map[tuber.PeerID]flow   // by receiver
	claims   map[tuber.PeerID]uint64 // bytes that it says it sent, by receiver, until that one has its say
	claimed  lately                  // those of which the receiver has had its say
	taken    lately                  // bytes that receivers say came, those that came twice too
	behind   bool                    // it says itself that most receivers wait, see drainLocked
	leaves   float64                 // what it says has left it, in its last report
	had      float64                 // of what the plan has others send it, what came; the same
	sent     uint64                  // bytes confirmed by receivers
	received uint64                  // bytes that it confirmed
	http     uint64
	came     lately // chunks that it took in
	cameLate lately // of them, late
	ranges   []tuber.Range
}

// lately is a sum in which what came halfLife ago counts half: the plan changes
// what flows between two sides.
type lately struct {
	sum  float64
	last time.Time
}

const halfLife = 2 * tuber.ReportEvery

func (s *lately) at(now time.Time) float64 {
	if s.sum == 0 {
		return 0
	}
	return s.sum * math.Exp2(-float64(now.Sub(s.last))/float64(halfLife))
}

func (s *lately) add(bytes uint64, now time.Time) {
	s.sum, s.last = s.at(now)+float64(bytes), now
}

// claim notes what the member says it sent to one receiver. It counts with that
// one's next report: all that the claim is of has come by then, while reports of
// two sides alone are of different moments.
func (l *ledger) claim(receiver tuber.PeerID, bytes uint64) {
	if bytes == 0 {
		return
	}
	if l.claims == nil || len(l.claims) >= maxReported && l.claims[receiver] == 0 {
		l.claims = map[tuber.PeerID]uint64{} // of those who left: nothing is held against it
	}
	l.claims[receiver] += bytes
}

// take notes what one receiver says has come.
func (l *ledger) take(receiver tuber.PeerID, bytes uint64, now time.Time) {
	l.taken.add(bytes, now)
	l.claimed.add(l.claims[receiver], now)
	delete(l.claims, receiver)
}

// flow is what one receiver confirmed of one sender in its last report.
type flow struct {
	rate   float64 // bits per second
	late   uint32
	chunks float64
	at     time.Time
}

func newLedger(role tuber.Role, r tuber.BoosterRecord) ledger {
	l := ledger{flows: map[tuber.PeerID]flow{}, had: 1}
	switch role {
	case tuber.RoleViewer:
		l.estimate = trusting(firstViewer)
	case tuber.RoleBooster:
		l.estimate = trusting(cmp.Or(r.Upload, firstBooster))
	default:
		l.estimate = trusting(tuber.Unlimited) // the host knows its own line
	}
	return l
}

// upload is what the plan may count on.
func (l *ledger) upload(limit tuber.BitsPerSecond) tuber.BitsPerSecond { return min(l.learnt, limit) }

// proven tells whether receivers have confirmed anything.
func (l *ledger) proven() bool { return l.taken.sum > 0 }

// confirmed is what receivers confirm of this member now.
func (l *ledger) confirmed(now time.Time) tuber.BitsPerSecond {
	return tuber.BitsPerSecond(l.evidence(nil, 0, now).confirmed)
}

// lateness is the share of what came late to this member itself: what comes late
// goes on late, and says nothing of the line that it leaves by.
func (l *ledger) lateness(now time.Time) float64 {
	late := l.cameLate.at(now)
	if late == 0 {
		return 0
	}
	return late / (late + l.came.at(now))
}

// evidence sums up what is fresh.
func (l *ledger) evidence(pp *tuber.PeerPlan, limit tuber.BitsPerSecond, now time.Time) evidence {
	e := evidence{limit: min(limit, l.atMost(now)), had: l.had, leaves: l.leaves, behind: l.behind}
	if taken := l.taken.at(now); taken > 0 {
		e.claimed = l.claimed.at(now) / taken
	}
	var late, chunks float64
	for id, f := range l.flows {
		if now.Sub(f.at) > flowLife {
			delete(l.flows, id)
			continue
		}
		e.confirmed += f.rate
		if f.at.Before(l.learntAt) {
			continue // it was judged then
		}
		e.judged = true
		late, chunks = late+float64(f.late), chunks+f.chunks
	}
	if chunks > 0 {
		e.late = max(0, late/(late+chunks)-l.lateness(now))
	}
	if pp != nil {
		for _, a := range pp.Assignments {
			e.assigned += float64(a.Rate)
		}
	}
	return e
}
