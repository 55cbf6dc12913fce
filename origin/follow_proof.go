package origin

import (
	"slices"

	"github.com/tubercdn/tuber/hls"
)

// verdict is what comparing two copies of a playlist says.
type verdict uint8

const (
	verdictNone   verdict = iota // nothing in common: neither proved nor refuted
	verdictSame                  // they name the same URIs where they overlap
	verdictDiffer                // they do not: it may be personal
)

// agree compares two copies of a media playlist by media sequence number: of a
// personal playlist something differs, in the URIs of segments, parts, maps or
// keys. The copies may be of different moments, and one may be a delta update:
// that leaves out, with its oldest segments, the map and the keys that were in
// force after them too (rfc8216bis section 6.2.5.1), so that it can refute but not
// prove.
func agree(a, b *hls.Media) verdict {
	result := verdictNone
	for i := range a.Segments {
		s := &a.Segments[i]
		at := s.Sequence - firstNumber(b)
		if s.Sequence < firstNumber(b) || at >= uint64(len(b.Segments)) {
			continue
		}
		if !sameSegment(s, &b.Segments[at], a.Skipped > 0, b.Skipped > 0) {
			return verdictDiffer
		}
		result = verdictSame
	}
	if nextNumber(a) == nextNumber(b) && !sameParts(a.Parts, b.Parts) {
		return verdictDiffer
	}
	if sameEnd(a, b) && !sameHints(a.Hints, b.Hints) {
		return verdictDiffer
	}
	return result
}

// sameEnd tells whether two copies list as much.
func sameEnd(a, b *hls.Media) bool {
	return nextNumber(a) == nextNumber(b) && len(a.Parts) == len(b.Parts)
}

func firstNumber(m *hls.Media) uint64 { return m.Sequence + m.Skipped }
func nextNumber(m *hls.Media) uint64  { return firstNumber(m) + uint64(len(m.Segments)) }

func sameSegment(a, b *hls.Segment, deltaA, deltaB bool) bool {
	key := a.Key == b.Key || deltaA && a.Key == "" || deltaB && b.Key == ""
	start := sameMap(a.Map, b.Map) || deltaA && a.Map == nil || deltaB && b.Map == nil
	return a.URI == b.URI && key && start && sameRange(a.Range, b.Range) && sameParts(a.Parts, b.Parts)
}

func sameRange(a, b *hls.Range) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func sameMap(a, b *hls.Map) bool {
	return a == b || a != nil && b != nil && a.URI == b.URI && sameRange(a.Range, b.Range)
}

// sameParts compares what both list: parts come one by one, and go again when
// their segment is older (rfc8216bis section 4.4.4.9).
func sameParts(a, b []hls.Part) bool {
	n := min(len(a), len(b))
	return slices.EqualFunc(a[:n], b[:n], func(a, b hls.Part) bool {
		return a.URI == b.URI && sameRange(a.Range, b.Range)
	})
}

// sameHints compares what both promise: a hint may come later than what is listed.
func sameHints(a, b []hls.Hint) bool {
	n := min(len(a), len(b))
	return slices.EqualFunc(a[:n], b[:n], func(a, b hls.Hint) bool {
		return a.Type != b.Type || a.URI == b.URI
	})
}

// sameVariants tells whether two copies of a master playlist name the same playlists.
func sameVariants(a, b *hls.Master) bool {
	return slices.EqualFunc(a.Variants, b.Variants, func(a, b hls.Variant) bool { return a.URI == b.URI })
}
