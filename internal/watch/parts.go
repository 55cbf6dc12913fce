package watch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const (
	partsStep = 1000                   // sequence numbers of one segment's parts
	maxStep   = 1 << 52                // greater sequence numbers are played by whole segments
	holdParts = 4                      // part durations that a reload waits for a signed copy...
	holdMore  = 250 * time.Millisecond // ...and on top of them
)

// unfold makes every listed part a segment of its own, numbered within its
// segment's number: that is how a low-latency player reads. Segments whose parts
// are listed no more, or not all there, stay whole.
func unfold(m *hls.Media) *hls.Media {
	if m.PartTarget <= 0 || m.Sequence > maxStep {
		return m
	}
	out := *m
	out.Segments, out.Parts = nil, nil
	var last hls.Segment
	for _, s := range m.Segments {
		last, s.Parts = s, nil
		parts := last.Parts
		s.Sequence *= partsStep
		if len(parts) == 0 || len(parts) > partsStep {
			out.Segments = append(out.Segments, s)
			continue
		}
		out.Segments = append(out.Segments, partsOf(s, parts)...)
	}
	if n := len(m.Segments); n > 0 && len(m.Parts) <= partsStep {
		next := hls.Segment{Sequence: (last.Sequence + 1) * partsStep, Map: last.Map, Discontinuity: last.Discontinuity}
		out.Segments = append(out.Segments, partsOf(next, m.Parts)...)
	}
	return &out
}

func partsOf(s hls.Segment, parts []hls.Part) []hls.Segment {
	out := make([]hls.Segment, len(parts))
	for i, p := range parts {
		out[i] = s
		out[i].Sequence += uint64(i)
		out[i].URI, out[i].Range, out[i].Duration, out[i].Gap = p.URI, p.Range, p.Duration, p.Gap
	}
	return out
}

// blocking is the playlist's URL with the directives for the part after the last
// one that m lists (rfc8216bis section 6.2.5.2); the plain URL where it has none.
func blocking(source string, m *hls.Media) string {
	if m == nil || m.PartTarget <= 0 || !m.Control.BlockReload {
		return source
	}
	mark := "?"
	if strings.Contains(source, "?") {
		mark = "&"
	}
	next := m.Sequence + m.Skipped + uint64(len(m.Segments))
	return fmt.Sprintf("%s%s_HLS_msn=%d&_HLS_part=%d", source, mark, next, len(m.Parts))
}

// nextCopy waits for a signed copy other than the last one, as a page holds a
// player's request for the next part. False: HTTP must answer.
func (v *viewer) nextCopy(ctx context.Context, last *tuber.Update, part time.Duration) (playlistCopy, bool) {
	timeout := time.NewTimer(holdParts*part + holdMore)
	defer timeout.Stop()
	for {
		change := v.member.chunks.change()
		c, ok := v.member.playlist()
		if !ok || part == 0 || c.update != last {
			return c, ok
		}
		select {
		case <-change:
		case <-time.After(part / 4): // patience ends by itself too
		case <-timeout.C:
			return c, false
		case <-ctx.Done():
			return c, false
		}
	}
}
