package planner

import (
	"math"
	"time"

	"github.com/tubercdn/tuber"
)

// What is learnt of an uplink.
const (
	// Before anything was confirmed: one that takes in a stream is thought to give
	// as much, within these bounds. What is too much shows within seconds, by what
	// waits; too little leaves a swarm short that has nobody else.
	firstViewer  tuber.BitsPerSecond = 1e6
	firstMost    tuber.BitsPerSecond = 4e6
	firstBooster tuber.BitsPerSecond = 5e6 // its owner chose a cap knowingly
	leastUpload  tuber.BitsPerSecond = 64e3

	growth      = 1.5 // while chunks are on time and the uplink is in use
	shrink      = 0.7 // when they are not
	collapse    = 0.3 // at most, at once
	inUse       = 0.5 // of the uplink that must be assigned for growth to mean anything
	lateAllowed = 0.01
	lateTooMany = 0.05
	overclaimed = 1.5 // claimed over confirmed bytes that nobody should reach

	learnEvery = 5 * time.Second                     // growth is no faster
	flowLife   = 2*tuber.ReportEvery + 5*time.Second // a confirmation counts for this long
)

// ledger is what receivers confirmed of one member, and what it confirmed itself.
type ledger struct {
	learnt   tuber.BitsPerSecond     // what it is trusted to send; the cap apart
	learntAt time.Time               // when that last changed
	flows    map[tuber.PeerID]flow   // by receiver
	claims   map[tuber.PeerID]uint64 // bytes that it says it sent, by receiver, until that one has its say
	claimed  lately                  // those of which the receiver has had its say
	taken    lately                  // bytes that receivers say came, those that came twice too
	behind   bool                    // it says itself that most receivers wait, see drainLocked
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
	l := ledger{flows: map[tuber.PeerID]flow{}}
	switch role {
	case tuber.RoleViewer:
		l.learnt = firstViewer
	case tuber.RoleBooster:
		l.learnt = firstBooster
		if r.Upload > 0 {
			l.learnt = r.Upload
		}
	default:
		l.learnt = tuber.Unlimited // the host knows its own line
	}
	return l
}

// begin is what a viewer is trusted with that takes in a stream of this rate, if
// nothing is known of it yet.
func (l *ledger) begin(rate tuber.BitsPerSecond) {
	if l.learntAt.IsZero() && l.taken.sum == 0 {
		l.learnt = max(l.learnt, min(rate, firstMost))
	}
}

// upload is what the plan may count on.
func (l *ledger) upload(limit tuber.BitsPerSecond) tuber.BitsPerSecond { return min(l.learnt, limit) }

// evidence is what an estimate is corrected by.
type evidence struct {
	limit     tuber.BitsPerSecond // the owner's cap
	assigned  float64             // bits per second
	confirmed float64
	claimed   float64 // over what receivers took, in the last while
	late      float64 // share of the chunks confirmed since the last change that it made late
	behind    bool
	judged    bool // somebody has confirmed something since then
}

// learn is the next estimate of an uplink: slowly up while everything is on
// time and in use, quickly down when it is not, though by lateness not below what
// did arrive on time. It never exceeds the cap by growing, and what is not in use is not
// judged, nor is anything twice.
func learn(estimate tuber.BitsPerSecond, e evidence) tuber.BitsPerSecond {
	switch {
	case !e.judged:
		return estimate
	case e.behind:
		// The line is full: what is confirmed is what it takes.
		full := max(collapse*float64(estimate), min(shrink*float64(estimate), e.confirmed))
		return max(leastUpload, min(estimate, tuber.BitsPerSecond(full)))
	case e.late > lateTooMany:
		onTime := (1 - e.late) * e.confirmed
		return max(leastUpload, min(estimate, tuber.BitsPerSecond(max(shrink*float64(estimate), onTime))))
	case e.confirmed > 250e3 && e.claimed > overclaimed:
		return max(leastUpload, min(estimate, tuber.BitsPerSecond(e.confirmed)))
	case e.late <= lateAllowed && e.confirmed > inUse*e.assigned && e.assigned >= inUse*float64(min(estimate, e.limit)):
		return max(estimate, min(e.limit, tuber.BitsPerSecond(growth*float64(estimate))))
	}
	return estimate
}

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
	e := evidence{limit: limit, behind: l.behind}
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
