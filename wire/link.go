package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/tubercdn/tuber"
)

// Hello opens a link: who this is, proved for this very DTLS session.
type Hello struct {
	Version   uint16
	Features  uint32 // none are defined yet
	Role      tuber.Role
	Site      tuber.PublicKey // of the swarm that the link belongs to
	Key       tuber.PublicKey // of the peer
	Signature tuber.Signature
}

// HelloStatement is what a hello's signature covers.
func HelloStatement(site tuber.PublicKey, own, other tuber.Fingerprint) []byte {
	b := append([]byte(nil), site[:]...)
	return append(append(b, own[:]...), other[:]...)
}

var roles = []tuber.Role{tuber.RoleOrigin, tuber.RoleBooster, tuber.RoleViewer}

// Append writes the frame, type byte first.
func (f Hello) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, byte(TypeHello)), f.Version)
	b = binary.BigEndian.AppendUint32(b, f.Features)
	role := uint8(len(roles))
	for i, r := range roles {
		if r == f.Role {
			role = uint8(i)
		}
	}
	b = append(append(b, role), f.Site[:]...)
	return append(append(b, f.Key[:]...), f.Signature[:]...)
}

func readHello(c *tuber.Cursor) Frame {
	f := Hello{Version: c.Uint16(), Features: c.Uint32()}
	if role := int(c.Uint8()); role < len(roles) {
		f.Role = roles[role]
	}
	c.Copy(f.Site[:])
	c.Copy(f.Key[:])
	c.Copy(f.Signature[:])
	return f
}

// Update carries a signed update, the manifests that are new with it, and how
// the playlist changes. Each is checked by its own signature or digest.
type Update struct {
	Update    []byte // tuber.SignedUpdate's Raw; empty where only manifests are sent
	Edit      *tuber.Edit
	Manifests [][]byte // tuber.SignedManifest's Raw, ascending
}

const flagEdit, flagLast, flagAnswer = 1, 1, 1

// Append writes the frame, type byte first.
func (f Update) Append(b []byte) []byte {
	be := binary.BigEndian
	b = be.AppendUint16(append(b, byte(TypeUpdate)), uint16(len(f.Update)))
	b = append(b, f.Update...)
	var e tuber.Edit
	var flags uint8
	if f.Edit != nil {
		e, flags = *f.Edit, flagEdit
	}
	b = append(b, flags)
	b = be.AppendUint32(be.AppendUint32(b, e.From), e.To)
	b = append(be.AppendUint32(b, uint32(len(e.Head))), e.Head...)
	b = append(be.AppendUint32(b, uint32(len(e.Tail))), e.Tail...)
	b = append(b, uint8(len(f.Manifests)))
	for _, m := range f.Manifests {
		b = append(be.AppendUint16(b, uint16(len(m))), m...)
	}
	return b
}

func readUpdate(c *tuber.Cursor) (Frame, error) {
	f := Update{Update: c.Bytes(int(c.Uint16()))}
	flags := c.Uint8()
	e := tuber.Edit{From: c.Uint32(), To: c.Uint32()}
	e.Head = c.Bytes(int(c.Uint32()))
	e.Tail = c.Bytes(int(c.Uint32()))
	if flags&flagEdit != 0 {
		f.Edit = &e
	}
	count := int(c.Uint8())
	for range count {
		m := c.Bytes(int(c.Uint16()))
		if c.Err() != nil {
			return nil, fmt.Errorf("%w: update: %w", ErrFrame, c.Err())
		}
		f.Manifests = append(f.Manifests, m)
	}
	return f, nil
}

// Range says what this side has of a content.
type Range struct{ tuber.Range }

// Append writes the frame, type byte first.
func (f Range) Append(b []byte) []byte {
	b = append(append(b, byte(TypeRange)), f.Content[:]...)
	b = binary.BigEndian.AppendUint64(append(b, byte(f.Partitions)), uint64(f.First))
	return binary.BigEndian.AppendUint64(b, uint64(f.Next))
}

func readRange(c *tuber.Cursor) Frame {
	var f Range
	c.Copy(f.Content[:])
	f.Partitions = tuber.Partitions(c.Uint8())
	f.First, f.Next = tuber.ChunkNumber(c.Uint64()), tuber.ChunkNumber(c.Uint64())
	return f
}

// Past asks for everything of these partitions from a number on, as far as the
// other holds it: how a viewer fills its recent past when it joins a content.
type Past struct {
	Content    tuber.ContentID
	Partitions tuber.Partitions
	From       tuber.ChunkNumber
}

// Append writes the frame, type byte first.
func (f Past) Append(b []byte) []byte {
	b = append(append(b, byte(TypePast)), f.Content[:]...)
	return binary.BigEndian.AppendUint64(append(b, byte(f.Partitions)), uint64(f.From))
}

func readPast(c *tuber.Cursor) Frame {
	var f Past
	c.Copy(f.Content[:])
	f.Partitions = tuber.Partitions(c.Uint8())
	f.From = tuber.ChunkNumber(c.Uint64())
	return f
}

// Enough says that this partition comes from elsewhere, from a number on: who went
// on with it after a change of the plan stops there.
type Enough struct {
	Content   tuber.ContentID
	Partition tuber.Partition
	From      tuber.ChunkNumber
}

// Append writes the frame, type byte first.
func (f Enough) Append(b []byte) []byte {
	b = append(append(b, byte(TypeEnough)), f.Content[:]...)
	return binary.BigEndian.AppendUint64(append(b, byte(f.Partition)), uint64(f.From))
}

func readEnough(c *tuber.Cursor) Frame {
	var f Enough
	c.Copy(f.Content[:])
	f.Partition = tuber.Partition(c.Uint8())
	f.From = tuber.ChunkNumber(c.Uint64())
	return f
}

// Part is a piece of a ctl frame that is longer than tuber.MaxFrame. Parts of
// one frame follow each other with no other frame between them.
type Part struct {
	Last  bool
	Bytes []byte
}

// Append writes the frame, type byte first.
func (f Part) Append(b []byte) []byte {
	var flags uint8
	if f.Last {
		flags = flagLast
	}
	return append(append(b, byte(TypePart), flags), f.Bytes...)
}

func readPart(c *tuber.Cursor) Frame {
	return Part{Last: c.Uint8()&flagLast != 0, Bytes: c.Rest()}
}

// Ping measures the round trip; the other side answers with the same id.
type Ping struct {
	Answer bool
	ID     uint32
}

// Append writes the frame, type byte first.
func (f Ping) Append(b []byte) []byte {
	var flags uint8
	if f.Answer {
		flags = flagAnswer
	}
	return binary.BigEndian.AppendUint32(append(b, byte(TypePing), flags), f.ID)
}

// ByeCode says why a link is closed.
type ByeCode uint8

const (
	ByeDone     ByeCode = 0 // not needed any more; a pause is the planner's affair: 1 is free
	ByeVersion  ByeCode = 2 // one side must update
	ByeBadChunk ByeCode = 3 // a chunk failed verification
	ByeProof    ByeCode = 4 // the hello does not prove who this is
	ByeFrame    ByeCode = 5 // a malformed frame
)

// Bye closes a link in words; the reason has at most 255 bytes.
type Bye struct {
	Code   ByeCode
	Reason string
}

// Append writes the frame, type byte first.
func (f Bye) Append(b []byte) []byte {
	return tuber.AppendString8(append(b, byte(TypeBye), byte(f.Code)), f.Reason[:min(len(f.Reason), 255)])
}

// Split cuts an encoded ctl frame into messages of at most tuber.MaxFrame.
func Split(frame []byte) [][]byte {
	if len(frame) <= tuber.MaxFrame {
		return [][]byte{frame}
	}
	var out [][]byte
	const room = tuber.MaxFrame - 2
	for len(frame) > 0 {
		n := min(room, len(frame))
		out = append(out, Part{Last: n == len(frame), Bytes: frame[:n]}.Append(nil))
		frame = frame[n:]
	}
	return out
}

// Joiner puts parts together again, for one link. The zero value is ready.
type Joiner struct{ held []byte }

// Add returns the whole frame with its last part, nil before.
func (j *Joiner) Add(p Part) ([]byte, error) {
	if len(j.held)+len(p.Bytes) > MaxUpdate {
		j.held = nil
		return nil, fmt.Errorf("%w: parts of more than %d bytes", ErrFrame, MaxUpdate)
	}
	j.held = append(j.held, p.Bytes...)
	if !p.Last {
		return nil, nil
	}
	whole := j.held
	j.held = nil
	return whole, nil
}
