// Package hls reads HTTP Live Streaming playlists: RFC 8216, and the low-latency
// tags of its successor (draft-pantos-hls-rfc8216bis, cited as "bis").
//
// It is line-based and keeps what it does not understand: a Playlist still has
// every byte it was read from, and an unknown tag is skipped, never an error.
// It never writes a playlist, fetches nothing and holds no state. Input is a
// stranger's: length, lines and numbers are bounded before they are used.
package hls

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// MaxLines is how many lines a playlist may have: a day of two-second segments
// with four lines each.
const MaxLines = 200_000

var (
	// ErrNotPlaylist is returned for bytes that do not begin with #EXTM3U.
	ErrNotPlaylist = errors.New("not an HLS playlist")
	// ErrPlaylist is returned for a playlist that breaks a rule it must keep.
	ErrPlaylist = errors.New("playlist is malformed")
)

// Kind tells the two sorts of playlist apart.
type Kind uint8

const (
	KindMaster Kind = iota + 1 // names renditions (RFC 8216 section 4.3.4)
	KindMedia                  // names segments (section 4.3.2)
)

// Playlist is what was read. Exactly one of Master and Media is set.
type Playlist struct {
	Raw    []byte // every byte as it came; read only
	Kind   Kind
	Master *Master
	Media  *Media
}

// Master names the renditions of a presentation.
type Master struct {
	Variants []Variant
}

// Variant is one line of a master playlist that names another playlist.
type Variant struct {
	URI       string
	Bandwidth tuber.BitsPerSecond // the peak that it declares; 0 for EXT-X-MEDIA
	Sort      VariantSort
}

// VariantSort is the tag that named a playlist.
type VariantSort uint8

const (
	VariantStream VariantSort = iota + 1 // EXT-X-STREAM-INF
	VariantFrames                        // EXT-X-I-FRAME-STREAM-INF
	VariantMedia                         // EXT-X-MEDIA
)

// Media names the segments of one rendition.
type Media struct {
	Target        time.Duration // EXT-X-TARGETDURATION
	Sequence      uint64        // number of the first listed segment
	Discontinuity uint64        // discontinuity number of the first listed segment
	Type          string        // EXT-X-PLAYLIST-TYPE: "", "EVENT" or "VOD"
	Ended         bool          // EXT-X-ENDLIST
	Skipped       uint64        // segments that a delta update leaves out (bis 4.4.5.2)
	PartTarget    time.Duration // EXT-X-PART-INF; 0 without parts
	Control       Control
	Segments      []Segment
	Parts         []Part // of the segment after the last one, which is not complete
	Hints         []Hint
	Reports       []string // URIs of EXT-X-RENDITION-REPORT
	Keys          []string // every distinct URI of EXT-X-KEY and EXT-X-SESSION-KEY: never shared
	Variables     bool     // URIs may hold variables (bis 4.4.2.3), which are not replaced here
}

// Control is EXT-X-SERVER-CONTROL (bis 4.4.3.8).
type Control struct {
	BlockReload  bool
	HoldBack     time.Duration
	PartHoldBack time.Duration
	SkipUntil    time.Duration
}

// Segment is one media segment as it is listed.
type Segment struct {
	Sequence      uint64 // media sequence number
	Discontinuity uint64 // discontinuity number: a change means timestamps begin anew
	URI           string // as written
	Duration      time.Duration
	Range         *Range // nil for the whole resource
	Map           *Map   // what a player reads first; nil without one
	Key           string // URIs of the keys in force, as written; never shared
	Encrypted     bool   // an EXT-X-KEY other than NONE is in force
	Gap           bool   // EXT-X-GAP: there are no bytes (bis 4.4.4.7)
	Time          time.Time
	Parts         []Part
}

// Part is a partial segment (bis 4.4.4.9).
type Part struct {
	URI         string
	Duration    time.Duration
	Range       *Range
	Independent bool
	Gap         bool
}

// Map is EXT-X-MAP (RFC 8216 section 4.3.2.5).
type Map struct {
	URI   string
	Range *Range
}

// Hint is EXT-X-PRELOAD-HINT (bis 4.4.5.3): bytes that will exist soon.
type Hint struct {
	Type  string // "PART" or "MAP"
	URI   string
	Range *Range // Length 0: to the end
}

// Range is a part of a resource: Length bytes from Start on.
type Range struct{ Start, Length uint64 }

// End is the offset after the last byte.
func (r Range) End() uint64 { return r.Start + r.Length }

// Duration is the sum of the listed segments, trailing parts included.
func (m *Media) Duration() time.Duration {
	var sum time.Duration
	for i := range m.Segments {
		sum += m.Segments[i].Duration
	}
	for i := range m.Parts {
		sum += m.Parts[i].Duration
	}
	return sum
}

// magic is the first line of every playlist (RFC 8216 section 4.3.1.1).
const magic = "#EXTM3U"

// Looks tells from its first bytes whether a body is a playlist. A byte order
// mark is not allowed (RFC 8216 section 4).
func Looks(body []byte) bool {
	rest, ok := bytes.CutPrefix(body, []byte(magic))
	return ok && (len(rest) == 0 || strings.IndexByte("\r\n \t", rest[0]) >= 0)
}

// TypeLooks tells whether a Content-Type is one of a playlist (section 4 and
// the older names that servers still use).
func TypeLooks(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch strings.ToLower(t) {
	case "application/vnd.apple.mpegurl", "application/x-mpegurl", "application/mpegurl",
		"audio/mpegurl", "audio/x-mpegurl":
		return true
	}
	return false
}

// PathLooks tells whether a path has a playlist's suffix (section 4).
func PathLooks(path string) bool {
	path = strings.ToLower(path)
	return strings.HasSuffix(path, ".m3u8") || strings.HasSuffix(path, ".m3u")
}

// Parse reads a playlist and keeps raw. The error wraps ErrNotPlaylist or ErrPlaylist.
func Parse(raw []byte) (*Playlist, error) {
	if len(raw) > tuber.MaxPlaylist {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrPlaylist, len(raw), tuber.MaxPlaylist)
	}
	if !Looks(raw) {
		return nil, ErrNotPlaylist
	}
	p := newParser()
	for rest, n := raw, 1; len(rest) > 0; n++ {
		if n > MaxLines {
			return nil, fmt.Errorf("%w: more than %d lines", ErrPlaylist, MaxLines)
		}
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if err := p.line(strings.TrimRight(string(line), "\r \t")); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrPlaylist, n, err)
		}
	}
	return p.finish(raw)
}
