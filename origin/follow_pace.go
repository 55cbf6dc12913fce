package origin

import (
	"strconv"
	"time"

	"github.com/tubercdn/tuber/hls"
)

const (
	minPoll   = 100 * time.Millisecond
	endedPoll = time.Second // how often an ended stream is looked at, without asking upstream
)

// pace says when a playlist is fetched next. A client waits for a target
// duration after a change and for half of one otherwise (RFC 8216 section
// 6.3.4). Polling at the segments' own rhythm would leave a constant lag of up
// to a whole segment, so the follower, which asks for all viewers, comes a
// quarter early and then asks in eighths. A playlist that is overdue by a
// target duration gets the client's half.
type pace struct {
	target   time.Duration
	segment  time.Duration // of the last segment
	changed  time.Time     // when it was last seen to change
	ended    bool
	failures int
	next     uint64        // media sequence number of the next segment
	parts    int           // parts of it that are listed
	part     time.Duration // the longest part; 0 where none are listed
	blocking bool          // upstream holds an answer back until the next one is there
}

func newPace(now time.Time, m *hls.Media) *pace {
	p := &pace{}
	p.succeeded(now, m, true)
	return p
}

func (p *pace) succeeded(now time.Time, m *hls.Media, changed bool) {
	p.failures = 0
	p.target, p.segment, p.ended = m.Target, m.Target, m.Ended
	if n := len(m.Segments); n > 0 && m.Segments[n-1].Duration > 0 {
		p.segment = min(m.Segments[n-1].Duration, m.Target)
	}
	p.next, p.parts, p.part, p.blocking = nextNumber(m), len(m.Parts), m.PartTarget, m.Control.BlockReload
	if changed {
		p.changed = now
	}
}

// directive asks upstream to answer as soon as the next part, or where there are
// none the next segment, is listed (rfc8216bis section 6.2.5.2). After a failure
// it is not trusted to know how. A delta update is never asked for.
func (p *pace) directive() string {
	if !p.blocking || p.failures > 0 {
		return ""
	}
	ask := "_HLS_msn=" + strconv.FormatUint(p.next, 10)
	if p.part > 0 {
		ask += "&_HLS_part=" + strconv.Itoa(p.parts)
	}
	return ask
}

func (p *pace) failed() { p.failures++ }

func (p *pace) wait(now time.Time) time.Duration {
	step := p.segment
	if p.part > 0 {
		step = min(p.part, p.segment)
	}
	early := step - step/4
	since := now.Sub(p.changed)
	switch {
	case p.ended:
		return endedPoll
	case p.directive() != "" && since < p.segment+p.target:
		if p.part > 0 {
			return min(minPoll, p.part/8)
		}
		return minPoll
	case p.failures > 0:
		return max(p.target/2, minPoll)
	case since < early:
		return max(early-since, minPoll)
	case since < p.segment+p.target:
		return max(step/8, minPoll)
	}
	return max(p.target/2, minPoll)
}
