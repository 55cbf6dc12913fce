package tuber

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Alias says that a URL's body is made of runs that were cut under other URLs:
// a low-latency parent segment is its parts, and no byte travels twice. It
// travels as the one chunk of a run whose URL is AliasURL of the body's URL and
// whose headers are those to replay with it, so it is signed, kept, passed on
// and repaired as every chunk is. Its bytes, all big-endian:
//
//	start 8 | run count 2, each first 8 | chunk count 1 | length 4
//
// Bytes after the last field are ignored.
type Alias struct {
	Start uint64 // where the segment begins in its URL's body; 0 unless it is a byte range
	Runs  []AliasRun
}

// AliasRun is one run, named by the numbers of its chunks.
type AliasRun struct {
	First  ChunkNumber
	Count  int    // chunks: all full but the last
	Length uint32 // bytes
}

// MaxAliasRuns is the most runs of one alias, which fits into one chunk.
const MaxAliasRuns = 1024

// aliasPrefix lies under the default prefix, where no site has segments.
const aliasPrefix = DefaultPrefix + "alias"

// ErrAlias is returned when an alias contradicts its bounds.
var ErrAlias = errors.New("alias is malformed")

// AliasURL names the run that carries the alias of a canonical URL; it may be
// longer than MaxURL, and then there is no alias.
func AliasURL(url string) string { return aliasPrefix + url }

// AliasOf is the URL whose alias a run carries; false for every other run.
func AliasOf(runURL string) (url string, ok bool) {
	url, ok = strings.CutPrefix(runURL, aliasPrefix)
	return url, ok && strings.HasPrefix(url, "/")
}

// Length is how many bytes the runs have together.
func (a *Alias) Length() uint64 {
	var sum uint64
	for _, r := range a.Runs {
		sum += uint64(r.Length)
	}
	return sum
}

// Append writes the alias.
func (a *Alias) Append(b []byte) []byte {
	be := binary.BigEndian
	b = be.AppendUint16(be.AppendUint64(b, a.Start), uint16(len(a.Runs)))
	for _, r := range a.Runs {
		b = be.AppendUint32(append(be.AppendUint64(b, uint64(r.First)), uint8(r.Count)), r.Length)
	}
	return b
}

// ParseAlias reads an alias; the error wraps ErrAlias.
func ParseAlias(b []byte) (a Alias, err error) {
	c := NewCursor(b)
	a.Start = c.Uint64()
	count := int(c.Uint16())
	if count == 0 || count > MaxAliasRuns {
		return Alias{}, fmt.Errorf("%w: %d runs, want 1 to %d", ErrAlias, count, MaxAliasRuns)
	}
	for range count {
		a.Runs = append(a.Runs, AliasRun{First: ChunkNumber(c.Uint64()), Count: int(c.Uint8()), Length: c.Uint32()})
	}
	if c.Err() != nil {
		return Alias{}, fmt.Errorf("%w: %w", ErrAlias, c.Err())
	}
	return a, a.valid()
}

func (a *Alias) valid() error {
	for _, r := range a.Runs {
		switch {
		case r.Count == 0 || r.Count > MaxRun || (int64(r.Length)+ChunkSize-1)/ChunkSize != int64(r.Count):
			return fmt.Errorf("%w: %d bytes in %d chunks", ErrAlias, r.Length, r.Count)
		case r.First > 1<<62:
			return fmt.Errorf("%w: number out of bounds", ErrAlias)
		}
	}
	if a.Length() > MaxSegment || a.Start > 1<<62 {
		return fmt.Errorf("%w: %d bytes from %d on", ErrAlias, a.Length(), a.Start)
	}
	return nil
}
