package watch

import (
	"time"

	"github.com/tubercdn/tuber/hls"
)

// roundedBy is how far a segment's duration may be from that of its parts.
const roundedBy = 20 * time.Millisecond

// timeline lays the segments of a playlist that changes on one line of media time.
type timeline struct {
	media  *hls.Media // the newest copy; nil before the first
	starts map[uint64]time.Duration
	edge   time.Duration // end of the last listed segment
	edgeAt time.Time     // when it was first seen
}

// update takes a copy of the playlist that came at a moment; false if it says
// nothing new or is older than the one before.
func (t *timeline) update(m *hls.Media, at time.Time) bool {
	if len(m.Segments) == 0 {
		return false
	}
	last := m.Segments[len(m.Segments)-1].Sequence
	if t.media != nil {
		before := t.media.Segments[len(t.media.Segments)-1].Sequence
		step := uint64(1)
		if m.PartTarget > 0 {
			step = partsStep
		}
		if last < before && last+uint64(2*len(t.media.Segments))*step > before {
			return false // an older copy; a much lower number is a stream that began anew
		}
		if last == before && m.Ended == t.media.Ended {
			return false
		}
	}
	pos, known := t.starts[m.Segments[0].Sequence]
	if !known {
		pos = t.edge // nothing in common: it goes on where the old one ended
	}
	starts := make(map[uint64]time.Duration, len(m.Segments))
	for i := range m.Segments {
		s := &m.Segments[i]
		starts[s.Sequence] = pos
		pos += s.Duration
	}
	t.media, t.starts = m, starts
	if pos != t.edge {
		t.edge, t.edgeAt = pos, at
	}
	return true
}

// syncPosition is where hls.js starts a live stream: with parts as near to the
// edge as the site allows (rfc8216bis section 4.4.3.8).
func (t *timeline) syncPosition() time.Duration {
	first := t.starts[t.media.Segments[0].Sequence]
	if t.media.Ended {
		return first
	}
	if part := t.media.PartTarget; part > 0 {
		return max(first, t.edge-max(t.media.Control.PartHoldBack, syncCount*part))
	}
	return max(first, t.edge-syncCount*t.media.Target)
}

// at is the segment that holds a position, the first one if it is before the
// window, nil if it is not listed yet.
func (t *timeline) at(pos time.Duration) *hls.Segment {
	for i := range t.media.Segments {
		s := &t.media.Segments[i]
		if pos+roundedBy < t.starts[s.Sequence]+s.Duration {
			return s
		}
	}
	return nil
}

// hasLeft tells whether a position is listed no more.
func (t *timeline) hasLeft(pos time.Duration) bool {
	return pos < t.starts[t.media.Segments[0].Sequence]-seekSlack
}

// span is where a listed segment begins and ends.
func (t *timeline) span(s *hls.Segment) (from, to time.Duration) {
	from = t.starts[s.Sequence]
	return from, from + s.Duration
}

// latency is how far a position is behind the live edge, which moves on in real
// time between two copies of the playlist.
func (t *timeline) latency(head time.Duration, now time.Time) time.Duration {
	if t.media == nil || t.media.Ended {
		return unknownTime
	}
	return max(0, t.edge+now.Sub(t.edgeAt)-head)
}
