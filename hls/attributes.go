package hls

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// maxNumber bounds every count and offset, so that sums of two never wrap.
const maxNumber = 1 << 62

// attributes reads an attribute list (RFC 8216 section 4.2). Quotes are taken
// off; what does not parse ends the list. The first of two equal names counts.
func attributes(list string) map[string]string {
	out := map[string]string{}
	for list != "" {
		name, rest, ok := strings.Cut(list, "=")
		if !ok {
			break
		}
		var value string
		if quoted, isQuoted := strings.CutPrefix(rest, `"`); isQuoted {
			if value, rest, ok = strings.Cut(quoted, `"`); !ok {
				break
			}
			_, list, _ = strings.Cut(rest, ",")
		} else {
			value, list, _ = strings.Cut(rest, ",")
		}
		name = strings.TrimSpace(name)
		if _, twice := out[name]; !twice {
			out[name] = strings.TrimSpace(value)
		}
	}
	return out
}

func parseInteger(s string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil || n > maxNumber {
		return 0, fmt.Errorf("%.32q is not a number", s)
	}
	return n, nil
}

// parseSeconds reads a decimal number of seconds, at most a day.
func parseSeconds(s string) (time.Duration, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(f >= 0 && f <= 86400) {
		return 0, fmt.Errorf("%.32q is not a duration", s)
	}
	return time.Duration(f * float64(time.Second)), nil
}

// parseRange reads "length@start"; explicit is false without a start.
func parseRange(s string) (r Range, explicit bool, err error) {
	length, start, explicit := strings.Cut(s, "@")
	if r.Length, err = parseInteger(length); err != nil {
		return Range{}, false, err
	}
	if explicit {
		r.Start, err = parseInteger(start)
	}
	return r, explicit, err
}

// unset marks a range whose start follows from the one before it.
const unset = ^uint64(0)

// ranges remembers where the last sub-range of a resource ended.
type ranges struct {
	uri string
	end uint64
}

// resolve fills in an implicit start: the byte after the sub-range before it,
// which must be of the same resource (section 4.3.2.2). A nil r is the whole.
func (s *ranges) resolve(uri string, r *Range) error {
	if r == nil {
		*s = ranges{}
		return nil
	}
	if r.Start == unset {
		if s.uri != uri {
			return errors.New("byte range without an offset follows none of the same URI")
		}
		r.Start = s.end
	}
	if r.Start > maxNumber || r.Length > maxNumber {
		return errors.New("byte range is out of bounds")
	}
	*s = ranges{uri: uri, end: r.End()}
	return nil
}

func rangeOf(s string) (*Range, error) {
	r, explicit, err := parseRange(s)
	if err != nil {
		return nil, err
	}
	if !explicit {
		r.Start = unset
	}
	return &r, nil
}

func readByteRange(p *parser, value string) (err error) {
	p.next.Range, err = rangeOf(value)
	return err
}

func readMap(p *parser, value string) error {
	a := attributes(value)
	m := &Map{URI: a["URI"]}
	if m.URI == "" {
		return errors.New("no URI") // section 4.3.2.5
	}
	if s, ok := a["BYTERANGE"]; ok {
		r, _, err := parseRange(s)
		if err != nil {
			return err
		}
		m.Range = &r
	}
	p.mapping = m
	return nil
}

func readKey(p *parser, value string) error {
	a := attributes(value)
	p.encrypted = a["METHOD"] != "NONE"
	switch uri := a["URI"]; {
	case !p.encrypted:
		p.key = ""
	case p.keyed: // the same key in another KEYFORMAT (section 4.3.2.4)
		p.key += " " + uri
	default:
		p.key = uri
	}
	p.keyed = p.encrypted
	p.noteKey(a["URI"])
	return nil
}

func readSessionKey(p *parser, value string) error {
	p.noteKey(attributes(value)["URI"])
	return nil
}

func (p *parser) noteKey(uri string) {
	if uri != "" && !p.keys[uri] {
		p.keys[uri] = true
		p.media.Keys = append(p.media.Keys, uri)
	}
}

func readPart(p *parser, value string) error {
	a := attributes(value)
	part := Part{URI: a["URI"], Independent: a["INDEPENDENT"] == "YES", Gap: a["GAP"] == "YES"}
	if part.URI == "" {
		return errors.New("no URI")
	}
	var err error
	if part.Duration, err = parseSeconds(a["DURATION"]); err != nil {
		return err
	}
	if s, ok := a["BYTERANGE"]; ok {
		if part.Range, err = rangeOf(s); err != nil {
			return err
		}
	}
	if err := p.parts.resolve(part.URI, part.Range); err != nil {
		return err
	}
	p.media.Parts = append(p.media.Parts, part)
	return nil
}

func readPartInf(p *parser, value string) (err error) {
	p.media.PartTarget, err = parseSeconds(attributes(value)["PART-TARGET"])
	return err
}

func readControl(p *parser, value string) error {
	a := attributes(value)
	c := Control{BlockReload: a["CAN-BLOCK-RELOAD"] == "YES"}
	for name, d := range map[string]*time.Duration{
		"HOLD-BACK": &c.HoldBack, "PART-HOLD-BACK": &c.PartHoldBack, "CAN-SKIP-UNTIL": &c.SkipUntil,
	} {
		s, ok := a[name]
		if !ok {
			continue
		}
		var err error
		if *d, err = parseSeconds(s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	p.media.Control = c
	return nil
}

func readSkip(p *parser, value string) (err error) {
	if p.listed {
		return errors.New("comes after the first segment")
	}
	p.media.Skipped, err = parseInteger(attributes(value)["SKIPPED-SEGMENTS"])
	return err
}

func readHint(p *parser, value string) error {
	a := attributes(value)
	h := Hint{Type: a["TYPE"], URI: a["URI"]}
	if h.URI == "" {
		return errors.New("no URI")
	}
	if s, ok := a["BYTERANGE-START"]; ok {
		start, err := parseInteger(s)
		if err != nil {
			return err
		}
		h.Range = &Range{Start: start}
	}
	if s, ok := a["BYTERANGE-LENGTH"]; ok {
		length, err := parseInteger(s)
		if err != nil {
			return err
		}
		if h.Range == nil {
			h.Range = &Range{}
		}
		h.Range.Length = length
	}
	p.media.Hints = append(p.media.Hints, h)
	return nil
}

func readReport(p *parser, value string) error {
	if uri := attributes(value)["URI"]; uri != "" {
		p.media.Reports = append(p.media.Reports, uri)
	}
	return nil
}

func readStream(p *parser, value string) error {
	p.stream = &Variant{Bandwidth: bandwidth(attributes(value)), Sort: VariantStream}
	return nil
}

func readVariant(p *parser, value string, sort VariantSort) error {
	a := attributes(value)
	if a["URI"] == "" {
		if sort == VariantMedia {
			p.master.Variants = append(p.master.Variants, Variant{Sort: sort}) // muxed in: no playlist of its own
			return nil
		}
		return errors.New("no URI") // section 4.3.4.3
	}
	p.master.Variants = append(p.master.Variants, Variant{URI: a["URI"], Bandwidth: bandwidth(a), Sort: sort})
	return nil
}

// bandwidth is the declared peak; a number that does not parse is none.
func bandwidth(a map[string]string) tuber.BitsPerSecond {
	n, err := parseInteger(a["BANDWIDTH"])
	if err != nil {
		return 0
	}
	return tuber.BitsPerSecond(n)
}
