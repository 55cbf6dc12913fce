package tuber

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Manifest is the origin's statement of a run. Its bytes, all big-endian:
//
//	content 16 | first 8 | start 8 | offset 8 | length 4 | expires 8 | flags 1 |
//	url 2+n | header count 1, each name 1+n, value 2+n | chunk count 1, each digest 32
//
// Every chunk of a run is ChunkSize long but the last, which may be shorter.
type Manifest struct {
	Content ContentID
	First   ChunkNumber // number of the run's first chunk
	Start   uint64      // where the segment begins in its URL's body; 0 unless it is a byte range
	Offset  uint64      // where this run begins in its URL's body
	Length  uint32      // bytes of the run
	Expires Millis
	Ends    bool   // the run ends its segment
	Ranged  bool   // the segment is a byte range of its URL's body, not all of it
	URL     string // canonical path and query of the segment
	Headers []Header
	Digests []Digest
}

// Header is one response header to replay with a segment.
type Header struct{ Name, Value string }

const flagEnds, flagRanged = 1 << 0, 1 << 2 // bit 1 is reserved for parity chunks

// ErrManifest is returned when a manifest contradicts the bounds of a run.
var ErrManifest = errors.New("manifest is malformed")

// ErrChunk is returned when bytes are not the chunk that the manifest states.
var ErrChunk = errors.New("chunk does not match its digest")

// Next is the number after the run's last chunk.
func (m *Manifest) Next() ChunkNumber { return m.First + ChunkNumber(len(m.Digests)) }

// End is where the run ends in its URL's body.
func (m *Manifest) End() uint64 { return m.Offset + uint64(m.Length) }

// Size is the length in bytes of chunk n of the run; 0 if n is not in it.
func (m *Manifest) Size(n ChunkNumber) int {
	switch {
	case n < m.First || n >= m.Next():
		return 0
	case n == m.Next()-1:
		return int(m.Length) - (len(m.Digests)-1)*ChunkSize
	}
	return ChunkSize
}

// SignedManifest is a manifest whose signature was checked, or just made.
type SignedManifest struct {
	m   Manifest
	raw []byte
}

// Manifest is the statement. It is shared: read only.
func (s *SignedManifest) Manifest() *Manifest { return &s.m }

// Raw is the signature and the exact bytes it covers. Read only.
func (s *SignedManifest) Raw() []byte { return s.raw }

// SignManifest is for the origin alone.
func SignManifest(key ed25519.PrivateKey, m Manifest) (*SignedManifest, error) {
	if err := m.valid(); err != nil {
		return nil, err
	}
	return &SignedManifest{m: m, raw: seal(key, KindManifest, m.append(nil))}, nil
}

// OpenManifest checks raw against the site key and reads it. It keeps raw.
func OpenManifest(site PublicKey, raw []byte) (*SignedManifest, error) {
	statement, err := open(site, KindManifest, raw)
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(statement)
	if err != nil {
		return nil, err
	}
	return &SignedManifest{m: m, raw: raw}, nil
}

func (m *Manifest) append(b []byte) []byte {
	be := binary.BigEndian
	b = append(b, m.Content[:]...)
	b = be.AppendUint64(b, uint64(m.First))
	b = be.AppendUint64(b, m.Start)
	b = be.AppendUint64(b, m.Offset)
	b = be.AppendUint32(b, m.Length)
	b = be.AppendUint64(b, uint64(m.Expires))
	var flags uint8
	if m.Ends {
		flags |= flagEnds
	}
	if m.Ranged {
		flags |= flagRanged
	}
	b = append(b, flags)
	b = AppendString16(b, m.URL)
	b = append(b, uint8(len(m.Headers)))
	for _, h := range m.Headers {
		b = AppendString16(AppendString8(b, h.Name), h.Value)
	}
	b = append(b, uint8(len(m.Digests)))
	for _, d := range m.Digests {
		b = append(b, d[:]...)
	}
	return b
}

func parseManifest(b []byte) (m Manifest, err error) {
	c := NewCursor(b)
	c.Copy(m.Content[:])
	m.First = ChunkNumber(c.Uint64())
	m.Start, m.Offset = c.Uint64(), c.Uint64()
	m.Length = c.Uint32()
	m.Expires = Millis(c.Uint64())
	flags := c.Uint8()
	m.Ends, m.Ranged = flags&flagEnds != 0, flags&flagRanged != 0
	m.URL = c.String16()
	headers := int(c.Uint8())
	if headers > MaxHeaders {
		return Manifest{}, fmt.Errorf("%w: %d headers, at most %d", ErrManifest, headers, MaxHeaders)
	}
	for range headers {
		m.Headers = append(m.Headers, Header{Name: c.String8(), Value: c.String16()})
	}
	count := int(c.Uint8())
	if count > MaxRun {
		return Manifest{}, fmt.Errorf("%w: %d chunks, at most %d", ErrManifest, count, MaxRun)
	}
	digests := c.Bytes(count * sha256.Size)
	if c.Err() != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, c.Err())
	}
	m.Digests = make([]Digest, count)
	for i := range m.Digests {
		m.Digests[i] = Digest(digests[i*sha256.Size:])
	}
	return m, m.valid()
}

func (m *Manifest) valid() error {
	switch {
	case len(m.Digests) == 0 || len(m.Digests) > MaxRun:
		return fmt.Errorf("%w: %d chunks, want 1 to %d", ErrManifest, len(m.Digests), MaxRun)
	case (int64(m.Length)+ChunkSize-1)/ChunkSize != int64(len(m.Digests)):
		return fmt.Errorf("%w: %d bytes in %d chunks", ErrManifest, m.Length, len(m.Digests))
	case m.Offset < m.Start || m.Offset-m.Start > MaxSegment:
		return fmt.Errorf("%w: run at %d of a segment at %d", ErrManifest, m.Offset, m.Start)
	case m.First > 1<<62 || m.Offset > 1<<62:
		return fmt.Errorf("%w: number out of bounds", ErrManifest)
	case len(m.URL) == 0 || len(m.URL) > MaxURL || m.URL[0] != '/':
		return fmt.Errorf("%w: URL of %d bytes must be a path of at most %d", ErrManifest, len(m.URL), MaxURL)
	case len(m.Headers) > MaxHeaders:
		return fmt.Errorf("%w: %d headers, at most %d", ErrManifest, len(m.Headers), MaxHeaders)
	}
	for _, h := range m.Headers {
		if len(h.Name) == 0 || len(h.Name) > 255 || len(h.Value) > MaxHeaderValue {
			return fmt.Errorf("%w: header %q", ErrManifest, h.Name)
		}
	}
	return nil
}

// VerifiedChunk is one chunk whose bytes matched its digest. Only Verify makes it.
type VerifiedChunk struct {
	content ContentID
	n       ChunkNumber
	data    []byte
}

// Content is the content that the chunk belongs to.
func (c VerifiedChunk) Content() ContentID { return c.content }

// Number is the chunk's number in its content.
func (c VerifiedChunk) Number() ChunkNumber { return c.n }

// Data is the chunk's bytes, shared by all who hold it: read only.
func (c VerifiedChunk) Data() []byte { return c.data }

// Verify is the one gate: it returns ErrChunk unless data is exactly chunk n of
// the run. The result keeps data, which must not change any more.
func (s *SignedManifest) Verify(n ChunkNumber, data []byte) (VerifiedChunk, error) {
	size := s.m.Size(n)
	if size == 0 || len(data) != size {
		return VerifiedChunk{}, fmt.Errorf("%w: chunk %d has %d bytes, want %d", ErrChunk, n, len(data), size)
	}
	if sha256.Sum256(data) != s.m.Digests[n-s.m.First] {
		return VerifiedChunk{}, fmt.Errorf("%w: chunk %d of %s", ErrChunk, n, s.m.Content)
	}
	return VerifiedChunk{content: s.m.Content, n: n, data: data}, nil
}
