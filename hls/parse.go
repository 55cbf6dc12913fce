package hls

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// parser reads line after line. What a tag says of "the next segment" waits in
// next; what stays in force until it is replaced waits in mapping and key.
type parser struct {
	media   Media
	master  Master
	isMedia bool // a tag of section 4.3.2 or 4.3.3 was seen

	next      Segment
	stream    *Variant // EXT-X-STREAM-INF waits for its URI line
	mapping   *Map
	encrypted bool
	key       string // URIs of the keys in force
	keyed     bool   // key was set since the last segment: several formats add up
	keys      map[string]bool
	ranges    ranges // byte ranges of segments without an offset
	parts     ranges // and of parts
	firstDisc uint64 // discontinuities before the current segment
	listed    bool   // a segment was listed: sequence tags come too late
}

func newParser() *parser { return &parser{keys: map[string]bool{}} }

// line reads one line without its ending.
func (p *parser) line(line string) error {
	switch {
	case line == "":
		return nil
	case line[0] != '#':
		return p.uri(line)
	case !strings.HasPrefix(line, "#EXT"):
		return nil // a comment (RFC 8216 section 4.1)
	}
	name, value, _ := strings.Cut(line[1:], ":")
	if read, ok := mediaTags[name]; ok {
		p.isMedia = true
		return named(name, read(p, value))
	}
	if read, ok := otherTags[name]; ok {
		return named(name, read(p, value))
	}
	return nil // section 6.3.1: unknown tags are ignored
}

func named(tag string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", tag, err)
	}
	return nil
}

// uri reads a line that is neither a tag nor a comment.
func (p *parser) uri(line string) error {
	if p.stream != nil {
		p.stream.URI = line
		p.master.Variants = append(p.master.Variants, *p.stream)
		p.stream = nil
		return nil
	}
	if !p.isMedia {
		return errors.New("a URI without EXTINF or EXT-X-STREAM-INF before it")
	}
	s := p.next
	s.URI, s.Map, s.Encrypted, s.Key = line, p.mapping, p.encrypted, p.key
	p.keyed = false
	s.Sequence = p.media.Sequence + p.media.Skipped + uint64(len(p.media.Segments))
	s.Discontinuity = p.firstDisc
	if err := p.ranges.resolve(line, s.Range); err != nil {
		return err
	}
	s.Parts, p.media.Parts = p.media.Parts, nil
	p.media.Segments = append(p.media.Segments, s)
	p.next, p.listed = Segment{}, true
	return nil
}

func (p *parser) finish(raw []byte) (*Playlist, error) {
	isMaster := len(p.master.Variants) > 0
	switch {
	case isMaster && p.isMedia:
		return nil, fmt.Errorf("%w: both a master and a media playlist", ErrPlaylist) // section 4.1
	case isMaster:
		return &Playlist{Raw: raw, Kind: KindMaster, Master: &p.master}, nil
	case !p.isMedia:
		return nil, fmt.Errorf("%w: it lists neither segments nor playlists", ErrPlaylist)
	case p.media.Target <= 0:
		return nil, fmt.Errorf("%w: no EXT-X-TARGETDURATION", ErrPlaylist) // section 4.3.3.1
	}
	return &Playlist{Raw: raw, Kind: KindMedia, Media: &p.media}, nil
}

type tagReader func(p *parser, value string) error

// mediaTags belong to media playlists (sections 4.3.2 and 4.3.3). It never changes.
var mediaTags = map[string]tagReader{
	"EXTINF":                       readInf,
	"EXT-X-BYTERANGE":              readByteRange,
	"EXT-X-DISCONTINUITY":          func(p *parser, _ string) error { p.firstDisc++; return nil },
	"EXT-X-KEY":                    readKey,
	"EXT-X-MAP":                    readMap,
	"EXT-X-PROGRAM-DATE-TIME":      readTime,
	"EXT-X-GAP":                    func(p *parser, _ string) error { p.next.Gap = true; return nil },
	"EXT-X-PART":                   readPart,
	"EXT-X-TARGETDURATION":         readTarget,
	"EXT-X-MEDIA-SEQUENCE":         readSequence,
	"EXT-X-DISCONTINUITY-SEQUENCE": readDiscontinuitySequence,
	"EXT-X-ENDLIST":                func(p *parser, _ string) error { p.media.Ended = true; return nil },
	"EXT-X-PLAYLIST-TYPE":          func(p *parser, v string) error { p.media.Type = v; return nil },
	"EXT-X-PART-INF":               readPartInf,
	"EXT-X-SERVER-CONTROL":         readControl,
	"EXT-X-SKIP":                   readSkip,
	"EXT-X-PRELOAD-HINT":           readHint,
	"EXT-X-RENDITION-REPORT":       readReport,
}

// otherTags belong to master playlists, or to both. It never changes.
var otherTags = map[string]tagReader{
	"EXT-X-STREAM-INF":         readStream,
	"EXT-X-I-FRAME-STREAM-INF": func(p *parser, v string) error { return readVariant(p, v, VariantFrames) },
	"EXT-X-MEDIA":              func(p *parser, v string) error { return readVariant(p, v, VariantMedia) },
	"EXT-X-SESSION-KEY":        readSessionKey,
	"EXT-X-DEFINE":             func(p *parser, _ string) error { p.media.Variables = true; return nil },
}

func readInf(p *parser, value string) error {
	seconds, _, _ := strings.Cut(value, ",")
	d, err := parseSeconds(seconds)
	p.next.Duration = d
	return err
}

func readTarget(p *parser, value string) error {
	d, err := parseSeconds(value)
	if err == nil && d <= 0 {
		err = errors.New("must be positive")
	}
	p.media.Target = d
	return err
}

func readSequence(p *parser, value string) (err error) {
	if p.listed {
		return errors.New("comes after the first segment") // section 4.3.3.2
	}
	p.media.Sequence, err = parseInteger(value)
	return err
}

func readDiscontinuitySequence(p *parser, value string) (err error) {
	if p.listed {
		return errors.New("comes after the first segment") // section 4.3.3.3
	}
	p.media.Discontinuity, err = parseInteger(value)
	p.firstDisc = p.media.Discontinuity
	return err
}

func readTime(p *parser, value string) error {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, value); err == nil {
			p.next.Time = t
			return nil
		}
	}
	return nil // a date nobody here depends on: leave it to the player
}
