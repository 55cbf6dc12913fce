package origin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/tubercdn/tuber/hls"
)

const (
	maxHold  = 3 // target durations that a request is held (rfc8216bis section 6.2.5.2)
	maxAhead = 2 // segments past the last listed one that a request may ask for
)

// directive is the state of a playlist that a request asks for: at least this
// segment, or this part of it.
type directive struct {
	sequence uint64
	part     int // -1: the whole segment
}

// directiveOf reads the delivery directives of a query (rfc8216bis section
// 6.2.5). Without one the newest copy will do; broken means that upstream must
// say what is wrong. _HLS_skip is only a wish: the whole playlist answers it too.
func directiveOf(r *http.Request) (d directive, any, broken bool) {
	q := r.URL.Query()
	msn, part := q["_HLS_msn"], q["_HLS_part"]
	if len(msn) == 0 {
		return d, false, len(part) > 0
	}
	var err1, err2 error
	d.part = -1
	d.sequence, err1 = strconv.ParseUint(msn[0], 10, 62)
	if len(part) > 0 {
		d.part, err2 = strconv.Atoi(part[0])
	}
	return d, true, err1 != nil || err2 != nil || len(msn) > 1 || len(part) > 1 || len(part) == 1 && d.part < 0
}

// reached tells whether a playlist is as far as asked. A part after a segment's
// last one is the first of the next segment.
func (d directive) reached(m *hls.Media) bool {
	next := nextNumber(m)
	switch {
	case m.Ended || len(m.Segments) == 0 || d.sequence+1 < next:
		return true
	case d.sequence >= next:
		return d.sequence == next && d.part >= 0 && d.part < len(m.Parts)
	}
	parts := len(m.Segments[len(m.Segments)-1].Parts)
	return d.part < parts || parts == 0 || len(m.Parts) > 0
}

// await holds a request until the newest own copy is as far as it asks. All of
// them wait for the follower's one request. It is false if upstream must answer.
func (s *stream) await(r *http.Request) bool {
	d, any, broken := directiveOf(r)
	if broken || !any {
		return !broken
	}
	if r.Header.Get("Cookie") != "" {
		return false // another playlist may be this viewer's: see serveList
	}
	timeout := time.NewTimer(maxHold * s.target())
	defer timeout.Stop()
	for {
		s.mu.Lock()
		newest, moved := s.newest, s.moved
		s.mu.Unlock()
		if newest == nil || d.sequence > nextNumber(newest.list.Media)+maxAhead {
			return false
		}
		if d.reached(newest.list.Media) {
			return true
		}
		select {
		case <-moved:
		case <-timeout.C:
			return false
		case <-r.Context().Done():
			return false
		}
	}
}
