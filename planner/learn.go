package planner

import (
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

	steep       = 2   // growth until the uplink was first too small for something
	growth      = 1.5 // and afterwards, while somebody lacks something, chunks are on time and the uplink is in use
	shrink      = 0.7 // when they are not
	collapse    = 0.3 // at most, at once, unless it was measured
	drain       = 0.9 // of what leaves a full line, so that its queue empties
	busyEnough  = 0.5 // of the time must chunks wait for a line to show what it carries
	inUse       = 0.5 // of the uplink that must be assigned for growth to mean anything
	keepsUp     = 0.8 // of what is assigned: enough to be tried with more
	fallsShort  = 0.7 // of what is assigned, as far as it has it: less is its own fault
	leastHad    = 0.5 // is believed: nobody is excused by its own word alone
	lateAllowed = 0.01
	lateTooMany = 0.05
	overclaimed = 1.5  // claimed over confirmed bytes that nobody should reach
	another     = 0.25 // of the first trust, for one that was trusted with too little to show more

	steepEvery = 2 * time.Second   // growth is no faster, at first
	learnEvery = 5 * time.Second   // and later
	lateFor    = 8 * time.Second   // chunks must be late before the uplink is judged by it: links open, plans change
	carriesFor = 30 * time.Second  // what a line carried is news for so long
	idleFor    = tuber.ReportEvery // that long nothing has left it; if it says otherwise its receivers have time to confirm it
	leastRest  = 3 * time.Minute   // until it is tried again, longer each time
	mostRest   = 24 * time.Minute
)

// estimate is what a member is trusted to send.
type estimate struct {
	learnt   tuber.BitsPerSecond // the cap apart
	learntAt time.Time           // when that last changed
	first    tuber.BitsPerSecond // before anything was known
	met      bool                // it was too small for something once
	rest     time.Duration       // until it is tried again, if it is trusted with next to nothing
	late     time.Time           // since when chunks come late, zero while they do not
	idle     time.Time           // since when nobody confirms anything of what is assigned, zero while somebody does
	ceiling  tuber.BitsPerSecond // what its line was seen to carry,
	ceilTill time.Time           // and until when that is news
}

func trusting(rate tuber.BitsPerSecond) estimate {
	return estimate{learnt: rate, first: rate, rest: leastRest}
}

// begin is what a viewer is trusted with that takes in a stream of this rate, if
// nothing is known of it yet.
func (s *estimate) begin(rate tuber.BitsPerSecond) {
	if s.learntAt.IsZero() {
		s.learnt = max(s.learnt, min(rate, firstMost))
		s.first = s.learnt
	}
}

// atMost is what its line is thought to carry.
func (s *estimate) atMost(now time.Time) tuber.BitsPerSecond {
	if now.Before(s.ceilTill) {
		return s.ceiling
	}
	return tuber.Unlimited
}

func (s *estimate) set(rate tuber.BitsPerSecond, now time.Time) {
	s.met = s.met || rate < s.learnt
	s.learnt, s.learntAt = max(leastUpload, rate), now
}

// carries takes in what the member says its line carried while chunks waited for it,
// and for what share of the time they did. An owner's own word may lower what it is
// trusted with, never raise it. A cap that is reached is no full line. It tells
// whether the estimate changed.
func (s *estimate) carries(rate, busy float64, limit tuber.BitsPerSecond, now time.Time) bool {
	if busy < busyEnough || rate >= drain*float64(limit) {
		return false
	}
	s.ceiling, s.ceilTill = tuber.BitsPerSecond(drain*rate), now.Add(carriesFor)
	if max(leastUpload, s.ceiling) >= s.learnt {
		return false
	}
	s.set(s.ceiling, now)
	return true
}

// evidence is what an estimate is corrected by.
type evidence struct {
	limit     tuber.BitsPerSecond // the owner's cap, and what the line was seen to carry
	assigned  float64             // bits per second
	confirmed float64
	leaves    float64 // it says so itself
	claimed   float64 // over what receivers took, in the last while
	had       float64 // of what it is to be sent, what it got: it has no more to pass on
	late      float64 // share of the chunks confirmed since the last change that it made late
	behind    bool
	judged    bool // somebody has confirmed something since then
	enough    bool // nobody lacks anything: more need not be tried
}

// tooLate tells whether chunks come late, and fewer than the sender could pass on.
func (e *evidence) tooLate() bool {
	return e.judged && e.late > lateTooMany && e.confirmed < fallsShort*e.had*e.assigned
}

// learn corrects the estimate, slowly up and quickly down, and tells whether it
// changed. Nothing is judged twice.
func (s *estimate) learn(e evidence, now time.Time) bool {
	every := learnEvery
	if !s.met {
		every = steepEvery
	}
	if now.Sub(s.learntAt) < every {
		return false
	}
	late, idle := lasts(&s.late, e.tooLate(), now), lasts(&s.idle, e.assigned > 0 && e.confirmed == 0 && s.learnt > leastUpload, now)
	var next tuber.BitsPerSecond
	switch tried := tuber.BitsPerSecond(another * float64(s.first)); {
	case e.assigned == 0 && s.learnt < tried && now.Sub(s.learntAt) >= s.rest:
		s.rest = min(2*s.rest, mostRest)
		next = tried
	case idle >= flowLife, idle >= idleFor && e.leaves == 0: // its links do not open, and those who wait for it have no other
		next = leastUpload
	default:
		next = s.next(e, late >= lateFor)
	}
	if next == s.learnt {
		return false
	}
	if e.behind {
		s.ceiling, s.ceilTill = next, now.Add(carriesFor)
	}
	s.set(next, now)
	return true
}

// lasts is for how long something has held.
func lasts(since *time.Time, holds bool, now time.Time) time.Duration {
	switch {
	case !holds:
		*since = time.Time{}
		return 0
	case since.IsZero():
		*since = now
	}
	return now.Sub(*since)
}

// next is the next estimate: up while everything is on time and in use, down when
// it is not, though by lateness not below what did arrive on time. It never exceeds
// the cap by growing, and what is not in use is not judged.
func (s *estimate) next(e evidence, late bool) tuber.BitsPerSecond {
	now, steps := float64(s.learnt), growth
	if !s.met {
		steps = steep
	}
	lower := func(to float64) tuber.BitsPerSecond { return max(leastUpload, tuber.BitsPerSecond(min(now, to))) }
	switch {
	case e.behind:
		// The line is full: what leaves it is what it takes. Where that is more than
		// the estimate, what waits is what it was asked for beside its part.
		return lower(max(collapse*now, drain*e.leaves))
	case !e.judged:
		return s.learnt
	case late:
		return lower(max(shrink*now, (1-e.late)*e.confirmed))
	case e.confirmed > 250e3 && e.claimed > overclaimed:
		return lower(e.confirmed)
	case !e.enough && e.late <= lateAllowed && e.confirmed >= keepsUp*e.assigned && e.assigned >= inUse*float64(min(s.learnt, e.limit)):
		return max(s.learnt, min(e.limit, tuber.BitsPerSecond(steps*now)))
	}
	return s.learnt
}
