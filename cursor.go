package tuber

import (
	"encoding/binary"
	"errors"
)

// ErrShort is returned when bytes end before the value they should hold.
var ErrShort = errors.New("message is cut short")

// Cursor reads big-endian values from bytes that a stranger may have written.
// After the first value that does not fit it returns zeros, and Err says so.
// What it returns aliases the bytes it was made of.
type Cursor struct {
	b   []byte
	err error
}

// NewCursor reads b from its start.
func NewCursor(b []byte) *Cursor { return &Cursor{b: b} }

// Err is ErrShort once anything did not fit.
func (c *Cursor) Err() error { return c.err }

// Rest is what has not been read.
func (c *Cursor) Rest() []byte { return c.b }

// Bytes reads n bytes; nothing is allocated.
func (c *Cursor) Bytes(n int) []byte {
	if c.err != nil || n < 0 || n > len(c.b) {
		c.err, c.b = ErrShort, nil
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

// Uint8 reads one byte.
func (c *Cursor) Uint8() uint8 {
	if b := c.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads two bytes.
func (c *Cursor) Uint16() uint16 {
	if b := c.Bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint32 reads four bytes.
func (c *Cursor) Uint32() uint32 {
	if b := c.Bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads eight bytes.
func (c *Cursor) Uint64() uint64 {
	if b := c.Bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Copy fills dst, whose length says how much to read.
func (c *Cursor) Copy(dst []byte) { copy(dst, c.Bytes(len(dst))) }

// String8 reads a string behind a one-byte length.
func (c *Cursor) String8() string { return string(c.Bytes(int(c.Uint8()))) }

// String16 reads a string behind a two-byte length.
func (c *Cursor) String16() string { return string(c.Bytes(int(c.Uint16()))) }

// AppendString8 writes s behind a one-byte length; the caller has bounded it.
func AppendString8(b []byte, s string) []byte { return append(append(b, uint8(len(s))), s...) }

// AppendString16 writes s behind a two-byte length; the caller has bounded it.
func AppendString16(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
