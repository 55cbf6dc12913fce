package watch

import "time"

const (
	syncCount   = 3                      // hls.js liveSyncDurationCount: start this many target durations behind
	maxAhead    = 30 * time.Second       // hls.js maxBufferLength
	seekSlack   = 100 * time.Millisecond // gaps up to here are jumped without a word
	unknownTime = time.Duration(-1)
)

// player keeps the time of an imagined media element. Positions are media time
// from the first listed segment on. It is a pure function of the moments given.
type player struct {
	started bool // a first segment was appended
	ended   bool // no segment will follow
	done    bool // it played to the end
	stalled bool

	head   time.Duration // what is shown now
	end    time.Duration // buffered up to here
	at     time.Time     // the moment of head; while stalled, the moment it ran dry
	played time.Duration // media that was shown
	dry    time.Duration // time stalled, closed stalls only
	stalls int
}

// seek puts the head of a player that has nothing yet, or that fell out of the
// window, at a position.
func (p *player) seek(to time.Duration) {
	p.head, p.end = to, to
}

// append buffers media up to a position.
func (p *player) append(end time.Duration, now time.Time) {
	p.advance(now)
	switch {
	case !p.started:
		p.started, p.at = true, now
	case p.stalled:
		p.dry += now.Sub(p.at)
		p.stalled, p.at = false, now
	}
	p.end = max(p.end, end)
}

// advance plays up to now.
func (p *player) advance(now time.Time) {
	if !p.started || p.stalled || p.done {
		return
	}
	passed := now.Sub(p.at)
	if passed <= 0 {
		return
	}
	if left := p.end - p.head; passed > left {
		p.played += left
		p.head, p.at = p.end, p.at.Add(left)
		if p.ended {
			p.done = true
			return
		}
		p.stalled = true
		p.stalls++
		return
	}
	p.played += passed
	p.head, p.at = p.head+passed, now
}

// ahead is how much media is buffered; unknownTime before playing begins.
func (p *player) ahead(now time.Time) time.Duration {
	p.advance(now)
	if !p.started {
		return unknownTime
	}
	return p.end - p.head
}

// stallTime is the time spent stalled up to now, an open stall included.
func (p *player) stallTime(now time.Time) time.Duration {
	p.advance(now)
	if p.stalled {
		return p.dry + now.Sub(p.at)
	}
	return p.dry
}

// finish says that nothing follows what is buffered.
func (p *player) finish(now time.Time) {
	p.advance(now)
	p.ended = true
	if p.stalled { // it waited for a segment that does not exist
		p.stalls--
		p.stalled, p.done = false, true
	}
}
