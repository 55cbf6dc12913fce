package watch

import (
	"time"

	"github.com/tubercdn/tuber"
)

const (
	patience    = 5 * time.Second        // players give up on a silent request after some 10 s
	margin      = 150 * time.Millisecond // for what measuring HTTP does not see
	knownWithin = 300 * time.Millisecond // nothing known of a segment for longer: plain HTTP
)

// wait is a segment that the player waits for.
type wait struct {
	asked   time.Time     // when the player asked
	ahead   time.Duration // media that it has; unknownTime if it does not play yet
	target  time.Duration // target duration
	missing int           // bytes still to come
	speed   speed
}

// deadline is the moment at which the last byte must be there.
func (w wait) deadline(now time.Time) time.Time {
	need := w.asked.Add(w.target / 2)
	if w.ahead != unknownTime {
		need = now.Add(w.ahead)
	}
	if last := w.asked.Add(patience); last.Before(need) {
		return last
	}
	return need
}

// mustFetch is true from the last moment at which HTTP at its measured speed
// still makes the deadline. It is not thought to take longer than half a target
// duration: where HTTP is slow because the host's line is full, asking it for all
// that is about to come from peers makes it no faster.
func (w wait) mustFetch(now time.Time) bool {
	if w.missing == 0 {
		return false
	}
	body := time.Duration(float64(w.missing) / max(w.speed.rate, 1) * float64(time.Second))
	takes := w.speed.delay + min(body, w.target/2) + margin
	return !now.Add(takes).Before(w.deadline(now))
}

// speed is HTTP as measured here: a moving average that trusts news by four tenths.
type speed struct {
	rate  float64       // bytes per second
	delay time.Duration // until the first byte
	known bool          // of a transfer; else the rate is a guess
}

const trust, minMeasured, longMeasured = 0.4, 32 << 10, time.Second

// measured takes a transfer of this many bytes: the time until its first byte,
// and from there to its last.
func (s *speed) measured(bytes int, delay, rest time.Duration) {
	s.delay += time.Duration(trust * float64(delay-s.delay))
	if bytes >= minMeasured && rest > 0 || rest >= longMeasured {
		s.rate += trust * (float64(bytes)/rest.Seconds() - s.rate)
		s.known = true
	}
}

// fewChunks are asked for at once of a line of which nothing is known.
const fewChunks = 4

// chunksWithin is how many chunks come in that time, one at least.
func (s *speed) chunksWithin(d time.Duration) int {
	n := max(1, int(s.rate*d.Seconds()/tuber.ChunkSize))
	if !s.known {
		n = min(n, fewChunks)
	}
	return n
}
