package origin

import (
	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// item is something of a playlist that is cut under one URL.
type item struct {
	url      string
	want     *hls.Range
	sequence uint64 // of the newest segment that needs it
	seconds  float64
	initial  bool // EXT-X-MAP: no duration of its own
	gap      bool
	hint     bool      // EXT-X-PRELOAD-HINT: its bytes may still be made (rfc8216bis section 4.4.5.3)
	parts    []itemKey // of a segment that is listed with its parts
}

// key tells two items of one playlist apart.
type itemKey struct {
	url           string
	start, length uint64
}

func (i *item) key() itemKey {
	if i.want == nil {
		return itemKey{url: i.url}
	}
	return itemKey{i.url, i.want.Start, i.want.Length}
}

// listed is what a playlist names, each once, in the order in which it is
// needed: what players ask for, and then what is made of it.
type listed struct {
	now     []item // segments and parts: the playlist is shown once they are cut
	parents []item // segments whose parts are listed
	hint    *item  // the part that comes next
}

// all in the order in which they are cut.
func (l *listed) all() []item {
	out := append(l.now[:len(l.now):len(l.now)], l.parents...)
	if l.hint != nil {
		out = append(out, *l.hint)
	}
	return out
}

// lister collects the items of one playlist.
type lister struct {
	base, host string
	keys       map[string]bool // URLs of keys: never shared
	seen       map[itemKey]int // place in out.now; parents are never found again
	out        listed
}

// items lists what a media playlist names. The reason is set, and nothing else,
// if it must not be shared.
func items(m *hls.Media, base, host string) (out listed, reason string) {
	l := &lister{base: base, host: host, keys: map[string]bool{}, seen: map[itemKey]int{}}
	for _, uri := range m.Keys {
		if target, ok := resolve(base, uri, host); ok {
			l.keys[target] = true
		}
	}
	for i := range m.Segments {
		if reason = l.segment(&m.Segments[i]); reason != "" {
			return listed{}, reason
		}
	}
	if _, reason = l.parts(m.Parts, nextNumber(m)); reason != "" {
		return listed{}, reason
	}
	if reason = l.hint(m); reason != "" {
		return listed{}, reason
	}
	return l.out, ""
}

func (l *lister) segment(s *hls.Segment) (reason string) {
	if s.Map != nil {
		if _, reason = l.add(s.Map.URI, s.Map.Range, item{sequence: s.Sequence, initial: true}); reason != "" {
			return reason
		}
	}
	it := item{sequence: s.Sequence, seconds: s.Duration.Seconds(), gap: s.Gap}
	if len(s.Parts) == 0 || s.Gap {
		_, reason = l.add(s.URI, s.Range, it)
		return reason
	}
	if it.parts, reason = l.parts(s.Parts, s.Sequence); reason != "" {
		return reason
	}
	it, reason = l.name(s.URI, s.Range, it)
	if _, onePart := l.seen[it.key()]; reason == "" && it.url != "" && !onePart {
		l.out.parents = append(l.out.parents, it)
	}
	return reason
}

// parts adds partial segments and returns their keys; none where one is missing,
// for then they are not all of their segment.
func (l *lister) parts(parts []hls.Part, sequence uint64) (keys []itemKey, reason string) {
	whole := true
	for i := range parts {
		p := &parts[i]
		it, reason := l.add(p.URI, p.Range, item{sequence: sequence, seconds: p.Duration.Seconds(), gap: p.Gap})
		if reason != "" {
			return nil, reason
		}
		whole = whole && !p.Gap && it.url != ""
		keys = append(keys, it.key())
	}
	if !whole {
		return nil, ""
	}
	return keys, ""
}

// hint is the part that the playlist promises, if it has an end of its own: an
// open range of a growing file would bring every later part too.
func (l *lister) hint(m *hls.Media) string {
	for i := range m.Hints {
		h := &m.Hints[i]
		if h.Type != "PART" || h.Range != nil && h.Range.Length == 0 {
			continue
		}
		it, reason := l.name(h.URI, h.Range, item{sequence: nextNumber(m), seconds: m.PartTarget.Seconds(), hint: true})
		if _, twice := l.seen[it.key()]; reason == "" && it.url != "" && !twice {
			l.out.hint = &it
		}
		return reason
	}
	return ""
}

// name resolves an item's URL; without one it is none that can be cut.
func (l *lister) name(uri string, want *hls.Range, it item) (item, string) {
	target, ok := resolve(l.base, uri, l.host)
	_, ours := tuber.AliasOf(target)
	switch {
	case !ok:
		return item{}, "it names a URL of another origin"
	case ours:
		return item{}, "it names a URL that is reserved for Tuber"
	case l.keys[target]:
		return item{}, "it names a key as a segment"
	case want != nil && (want.Length == 0 || want.Length > tuber.MaxSegment):
		return item{}, ""
	}
	it.url, it.want = target, want
	return it, ""
}

func (l *lister) add(uri string, want *hls.Range, it item) (item, string) {
	it, reason := l.name(uri, want, it)
	if reason != "" || it.url == "" {
		return it, reason
	}
	if at, twice := l.seen[it.key()]; twice {
		l.out.now[at].sequence = it.sequence
		return it, ""
	}
	l.seen[it.key()] = len(l.out.now)
	l.out.now = append(l.out.now, it)
	return it, ""
}
