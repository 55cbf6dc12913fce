package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tubercdn/tuber"
)

// Type is the first byte of a frame.
type Type uint8

const (
	TypeHello   Type = 0x01
	TypeUpdate  Type = 0x02
	TypeRange   Type = 0x03
	TypeAsk     Type = 0x04
	TypeMissing Type = 0x05
	TypePart    Type = 0x06
	TypePing    Type = 0x07
	TypeBye     Type = 0x08
	TypePast    Type = 0x09
	TypeEnough  Type = 0x0A
	TypeHave    Type = 0x0B
	TypeChunk   Type = 0x10
)

var (
	// ErrUnknown is returned for a type this version does not know: ignore the message.
	ErrUnknown = errors.New("unknown message type")
	// ErrFrame is returned for a frame that contradicts its own bounds: close the link.
	ErrFrame = errors.New("frame is malformed")
)

// MaxAsk is the most numbers one ask or missing may name.
const MaxAsk = 128

// MaxUpdate is the most bytes that an update frame may have once its parts are joined.
const MaxUpdate = tuber.MaxPlaylist + 64<<10

// Frame is one message of a link.
type Frame interface {
	// Append writes the frame, type byte first.
	Append(b []byte) []byte
}

// ReadFrame reads a whole frame. Byte slices in it alias b. The error is
// ErrUnknown or wraps ErrFrame.
func ReadFrame(b []byte) (Frame, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrFrame)
	}
	c := tuber.NewCursor(b[1:])
	f, err := readBody(Type(b[0]), c)
	if err == nil && c.Err() != nil {
		err = fmt.Errorf("%w: type %#02x: %w", ErrFrame, b[0], c.Err())
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func readBody(t Type, c *tuber.Cursor) (Frame, error) {
	switch t {
	case TypeHello:
		return readHello(c), nil
	case TypeUpdate:
		return readUpdate(c)
	case TypeRange:
		return readRange(c), nil
	case TypeAsk:
		return readAsk(c)
	case TypeMissing:
		return readMissing(c)
	case TypePart:
		return readPart(c), nil
	case TypePing:
		return Ping{Answer: c.Uint8()&flagAnswer != 0, ID: c.Uint32()}, nil
	case TypeBye:
		return Bye{Code: ByeCode(c.Uint8()), Reason: c.String8()}, nil
	case TypePast:
		return readPast(c), nil
	case TypeEnough:
		return readEnough(c), nil
	case TypeHave:
		return readHave(c)
	case TypeChunk:
		return readChunk(c)
	}
	return nil, fmt.Errorf("%w: %#02x", ErrUnknown, uint8(t))
}

// Chunk carries one chunk. Bit 0 of its flags is reserved for parity.
type Chunk struct {
	Content tuber.ContentID
	Number  tuber.ChunkNumber
	Payload []byte // 1 to tuber.ChunkSize bytes
}

// ChunkOverhead is what a chunk frame adds to its payload, in bytes.
const ChunkOverhead = 1 + 16 + 8 + 1

// Append writes the frame, type byte first.
func (f Chunk) Append(b []byte) []byte {
	b = append(append(b, byte(TypeChunk)), f.Content[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(f.Number))
	return append(append(b, 0), f.Payload...)
}

func readChunk(c *tuber.Cursor) (Frame, error) {
	var f Chunk
	c.Copy(f.Content[:])
	f.Number = tuber.ChunkNumber(c.Uint64())
	flags := c.Uint8()
	f.Payload = c.Rest()
	switch {
	case c.Err() != nil:
		return nil, fmt.Errorf("%w: chunk: %w", ErrFrame, c.Err())
	case flags != 0:
		return nil, fmt.Errorf("%w: chunk with flags %#02x", ErrUnknown, flags)
	case len(f.Payload) == 0 || len(f.Payload) > tuber.ChunkSize:
		return nil, fmt.Errorf("%w: chunk of %d bytes", ErrFrame, len(f.Payload))
	}
	return f, nil
}

// Ask requests chunks, most urgent first, that are useful within a time.
type Ask struct {
	Content tuber.ContentID
	Within  uint32 // milliseconds; what cannot go by then need not be sent
	Numbers []tuber.ChunkNumber
}

// Append writes the frame, type byte first.
func (f Ask) Append(b []byte) []byte {
	b = append(append(b, byte(TypeAsk)), f.Content[:]...)
	return appendNumbers(binary.BigEndian.AppendUint32(b, f.Within), f.Numbers)
}

func readAsk(c *tuber.Cursor) (Frame, error) {
	var f Ask
	c.Copy(f.Content[:])
	f.Within = c.Uint32()
	var err error
	f.Numbers, err = readNumbers(c)
	return f, err
}

// Missing answers an ask: these are not here.
type Missing struct {
	Content tuber.ContentID
	Numbers []tuber.ChunkNumber
}

// Append writes the frame, type byte first.
func (f Missing) Append(b []byte) []byte {
	return appendNumbers(append(append(b, byte(TypeMissing)), f.Content[:]...), f.Numbers)
}

func readMissing(c *tuber.Cursor) (Frame, error) {
	var f Missing
	c.Copy(f.Content[:])
	var err error
	f.Numbers, err = readNumbers(c)
	return f, err
}

// Have tells who was asked for chunks, or has them to send, that they have come from
// elsewhere.
type Have struct {
	Content tuber.ContentID
	Numbers []tuber.ChunkNumber
}

// Append writes the frame, type byte first.
func (f Have) Append(b []byte) []byte {
	return appendNumbers(append(append(b, byte(TypeHave)), f.Content[:]...), f.Numbers)
}

func readHave(c *tuber.Cursor) (Frame, error) {
	var f Have
	c.Copy(f.Content[:])
	var err error
	f.Numbers, err = readNumbers(c)
	return f, err
}

func appendNumbers(b []byte, ns []tuber.ChunkNumber) []byte {
	b = append(b, uint8(len(ns)))
	for _, n := range ns {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func readNumbers(c *tuber.Cursor) ([]tuber.ChunkNumber, error) {
	count := int(c.Uint8())
	if count > MaxAsk {
		return nil, fmt.Errorf("%w: %d numbers, at most %d", ErrFrame, count, MaxAsk)
	}
	b := tuber.NewCursor(c.Bytes(8 * count))
	if c.Err() != nil {
		return nil, fmt.Errorf("%w: numbers: %w", ErrFrame, c.Err())
	}
	ns := make([]tuber.ChunkNumber, count)
	for i := range ns {
		ns[i] = tuber.ChunkNumber(b.Uint64())
	}
	return ns, nil
}
