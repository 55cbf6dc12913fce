package tuber

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Update is the origin's statement of where a content stands: its playlist, by
// digest, and its newest number. Per content the newest (Epoch, Sequence) wins.
// Its bytes, all big-endian:
//
//	content 16 | epoch 8 | sequence 8 | issued 8 | expires 8 | next 8 |
//	last first 8 | last next 8 | target 4 | k 1 | flags 1 | length 4 | digest 32 | url 2+n | type 1+n
//
// The playlist itself travels beside it, whole or as an Edit of the one before.
type Update struct {
	Content   ContentID
	Epoch     Epoch
	Sequence  Sequence
	Issued    Millis
	Expires   Millis
	Next      ChunkNumber // first number that was not cut when this was issued
	LastFirst ChunkNumber // the chunks of the last listed segment or part: players are shown
	LastNext  ChunkNumber // this playlist once LastFirst <= n < LastNext are held
	Target    uint32      // target duration, milliseconds
	K         uint8       // partitions of the content, fixed for its life
	Ended     bool        // the stream is over
	Length    uint32      // bytes of the playlist
	Digest    Digest      // of the playlist
	URL       string      // canonical path and query of the playlist
	Type      string      // its Content-Type
}

const flagEnded = 1 << 0

// ErrUpdate is returned when an update contradicts its bounds or its playlist.
var ErrUpdate = errors.New("update is malformed")

// Newer tells whether u replaces old.
func (u *Update) Newer(old *Update) bool {
	if u.Epoch != old.Epoch {
		return u.Epoch > old.Epoch
	}
	return u.Sequence > old.Sequence
}

// SignedUpdate is an update whose signature was checked, or just made.
type SignedUpdate struct {
	u   Update
	raw []byte
}

// Update is the statement. It is shared: read only.
func (s *SignedUpdate) Update() *Update { return &s.u }

// Raw is the signature and the exact bytes it covers. Read only.
func (s *SignedUpdate) Raw() []byte { return s.raw }

// SignUpdate is for the origin alone. Length and Digest are those of playlist.
func SignUpdate(key ed25519.PrivateKey, u Update, playlist []byte) (*SignedUpdate, error) {
	u.Length, u.Digest = uint32(len(playlist)), sha256.Sum256(playlist)
	if err := u.valid(); err != nil {
		return nil, err
	}
	return &SignedUpdate{u: u, raw: seal(key, KindUpdate, u.append(nil))}, nil
}

// OpenUpdate checks raw against the site key and reads it. It keeps raw.
func OpenUpdate(site PublicKey, raw []byte) (*SignedUpdate, error) {
	statement, err := open(site, KindUpdate, raw)
	if err != nil {
		return nil, err
	}
	u, err := parseUpdate(statement)
	if err != nil {
		return nil, err
	}
	return &SignedUpdate{u: u, raw: raw}, nil
}

// Matches tells whether playlist is the one the update states.
func (u *Update) Matches(playlist []byte) bool {
	return uint32(len(playlist)) == u.Length && sha256.Sum256(playlist) == u.Digest
}

func (u *Update) append(b []byte) []byte {
	be := binary.BigEndian
	b = append(b, u.Content[:]...)
	for _, v := range []uint64{uint64(u.Epoch), uint64(u.Sequence), uint64(u.Issued), uint64(u.Expires),
		uint64(u.Next), uint64(u.LastFirst), uint64(u.LastNext)} {
		b = be.AppendUint64(b, v)
	}
	b = be.AppendUint32(b, u.Target)
	var flags uint8
	if u.Ended {
		flags |= flagEnded
	}
	b = append(b, u.K, flags)
	b = be.AppendUint32(b, u.Length)
	b = append(b, u.Digest[:]...)
	b = AppendString16(b, u.URL)
	return AppendString8(b, u.Type)
}

func parseUpdate(b []byte) (u Update, err error) {
	c := NewCursor(b)
	c.Copy(u.Content[:])
	u.Epoch, u.Sequence = Epoch(c.Uint64()), Sequence(c.Uint64())
	u.Issued, u.Expires = Millis(c.Uint64()), Millis(c.Uint64())
	u.Next, u.LastFirst, u.LastNext = ChunkNumber(c.Uint64()), ChunkNumber(c.Uint64()), ChunkNumber(c.Uint64())
	u.Target = c.Uint32()
	u.K = c.Uint8()
	u.Ended = c.Uint8()&flagEnded != 0
	u.Length = c.Uint32()
	c.Copy(u.Digest[:])
	u.URL, u.Type = c.String16(), c.String8()
	if c.Err() != nil {
		return Update{}, fmt.Errorf("%w: %w", ErrUpdate, c.Err())
	}
	return u, u.valid()
}

func (u *Update) valid() error {
	switch {
	case u.K != 1 && u.K != 2 && u.K != 4 && u.K != 8:
		return fmt.Errorf("%w: %d partitions, want 1, 2, 4 or 8", ErrUpdate, u.K)
	case u.Length > MaxPlaylist:
		return fmt.Errorf("%w: playlist of %d bytes, at most %d", ErrUpdate, u.Length, MaxPlaylist)
	case u.LastFirst > u.LastNext || u.LastNext > u.Next || u.Next > 1<<62:
		return fmt.Errorf("%w: last segment %d to %d of %d", ErrUpdate, u.LastFirst, u.LastNext, u.Next)
	case len(u.URL) == 0 || len(u.URL) > MaxURL || u.URL[0] != '/':
		return fmt.Errorf("%w: URL of %d bytes must be a path of at most %d", ErrUpdate, len(u.URL), MaxURL)
	case len(u.Type) > 255:
		return fmt.Errorf("%w: content type of %d bytes", ErrUpdate, len(u.Type))
	}
	return nil
}

// Edit turns the playlist that a peer holds into the next one: Head, then bytes
// From to To of the old one, then Tail. A whole playlist is an Edit with Head alone.
// Edits are not signed: the digest in the update decides about the result.
type Edit struct {
	From, To   uint32 // bytes of the old playlist
	Head, Tail []byte
}

// MakeEdit keeps the longest stretch of whole lines near the end of old that next
// still contains: in a sliding window that is everything but the head.
func MakeEdit(old, next []byte) Edit {
	if len(old) == 0 || len(next) == 0 {
		return Edit{Head: next}
	}
	from, to, at := sharedLines(old, next)
	if from == to {
		return Edit{Head: next}
	}
	return Edit{From: uint32(from), To: uint32(to), Head: next[:at], Tail: next[at+to-from:]}
}

// Apply returns the new playlist, or ErrUpdate if the edit does not fit old.
func (e Edit) Apply(old []byte) ([]byte, error) {
	if e.From > e.To || int64(e.To) > int64(len(old)) {
		return nil, fmt.Errorf("%w: edit keeps bytes %d to %d of %d", ErrUpdate, e.From, e.To, len(old))
	}
	size := len(e.Head) + int(e.To-e.From) + len(e.Tail)
	if size > MaxPlaylist {
		return nil, fmt.Errorf("%w: playlist of %d bytes, at most %d", ErrUpdate, size, MaxPlaylist)
	}
	out := make([]byte, 0, size)
	out = append(out, e.Head...)
	out = append(out, old[e.From:e.To]...)
	return append(out, e.Tail...), nil
}
