// Package tuber is the vocabulary of the system: one type for each word of the
// design (content, run, chunk, manifest, plan, ...), the statements that are
// signed, and the one owner of an uplink. It imports only the standard library
// and everything else of ours points at it.
//
// Invariants kept by the types here:
//   - a SignedManifest or SignedUpdate exists only after its signature by the
//     site key was checked, or was just made by the holder of that key;
//   - a VerifiedChunk exists only after its bytes matched the digest in a
//     SignedManifest. Stores, links and players take nothing else.
package tuber

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"time"
)

// The constants of the protocol. Both ends of every link agree on them.
const (
	ChunkSize      = 16 << 10 // bytes of payload in a full chunk
	MaxRun         = 128      // chunks in a run
	MaxFrame       = 17 << 10 // bytes of one link message
	MaxControl     = 64 << 10 // bytes of one control message
	MaxSegment     = 64 << 20 // bytes; a longer segment is not shared
	MaxPlaylist    = 1 << 20  // bytes; a longer playlist is not shared
	MaxURL         = 2048     // bytes of a canonical URL
	MaxHeaders     = 8        // headers replayed with a segment
	MaxHeaderValue = 1024     // bytes of one replayed header value
	MaxName        = 64       // bytes of a host's or a booster's name
	MaxPartitions  = 8        // K is 1, 2, 4 or 8
	MaxLinks       = 24       // links of a browser, StandbyLinks of them standby
	StandbyLinks   = 2

	ReportEvery = 10 * time.Second // reports to the planner and ranges to neighbours
	Lease       = 30 * time.Second // a peer silent for longer has left
)

// DefaultPrefix is the one path under which everything of Tuber's own lives.
const DefaultPrefix = "/.tuber/"

// BitsPerSecond is a rate of payload.
type BitsPerSecond int64

// Unlimited is the rate of a line without a cap. Zero is a cap: nothing passes.
const Unlimited BitsPerSecond = 1<<63 - 1

// BytesPerSecond is the same rate in bytes.
func (r BitsPerSecond) BytesPerSecond() float64 { return float64(r) / 8 }

// String prints the rate as people quote it: "1.5 Mbit/s".
func (r BitsPerSecond) String() string {
	switch {
	case r == Unlimited:
		return "unlimited"
	case r >= 1e6:
		return fmt.Sprintf("%.1f Mbit/s", float64(r)/1e6)
	default:
		return fmt.Sprintf("%.0f kbit/s", float64(r)/1e3)
	}
}

// ChunkNumber counts the chunks of a content from 0 and never restarts.
type ChunkNumber uint64

// Partition names a share of a content: its chunks with n mod K = p.
type Partition uint8

// Partition is the partition that chunk n belongs to when the content has k.
func (n ChunkNumber) Partition(k int) Partition { return Partition(uint64(n) % uint64(k)) }

// Partitions is a set of partitions, bit p for partition p.
type Partitions uint8

// AllPartitions is the set of all k partitions of a content.
func AllPartitions(k int) Partitions { return Partitions(1<<k - 1) }

// Has tells whether p is in the set.
func (s Partitions) Has(p Partition) bool { return p < MaxPartitions && s&(1<<p) != 0 }

// Len is the number of partitions in the set.
func (s Partitions) Len() int {
	return bits.OnesCount8(uint8(s))
}

// Digest is the SHA-256 of a chunk, or of a playlist.
type Digest [sha256.Size]byte

// ContentID names one content of one host.
type ContentID [16]byte

// NewContentID is the first 16 bytes of SHA-256(site key, canonical URL, version).
// For a stream the version is the origin's epoch.
func NewContentID(site PublicKey, url string, version Epoch) ContentID {
	h := sha256.New()
	h.Write(site[:])
	h.Write([]byte(url))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(version)))
	return ContentID(h.Sum(nil)[:16])
}

// PeerID names a peer: the first 16 bytes of SHA-256 of its public key.
type PeerID [16]byte

func (c ContentID) String() string { return hex.EncodeToString(c[:]) }
func (p PeerID) String() string    { return hex.EncodeToString(p[:]) }

// MarshalText writes the id as 32 hexadecimal digits, as JSON and URLs carry it.
func (c ContentID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, c[:]), nil }

// MarshalText writes the id as 32 hexadecimal digits, as JSON and URLs carry it.
func (p PeerID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, p[:]), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (c *ContentID) UnmarshalText(text []byte) error { return unhex("content id", c[:], text) }

// UnmarshalText reads 32 hexadecimal digits.
func (p *PeerID) UnmarshalText(text []byte) error { return unhex("peer id", p[:], text) }

func unhex(what string, dst, text []byte) error {
	if len(text) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("%s: %d characters, want %d", what, len(text), hex.EncodedLen(len(dst)))
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Epoch counts the starts of an origin or of a planner. A higher one is newer.
type Epoch uint64

// Sequence counts the updates of one content within an epoch.
type Sequence uint64

// Millis is a moment on the origin's clock, in milliseconds of Unix time. Peers
// learn the origin's now when they join and add their own monotonic time.
type Millis uint64

// MillisOf is t on the origin's clock.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Content is what everyone is told about one shared thing.
type Content struct {
	ID     ContentID     `json:"id"`
	URL    string        `json:"url"`    // canonical path and query of the playlist
	K      int           `json:"k"`      // number of partitions: 1, 2, 4 or 8
	Rate   BitsPerSecond `json:"rate"`   // measured by the origin, of payload
	Epoch  Epoch         `json:"epoch"`  // the version of a stream
	Target Millis        `json:"target"` // target duration of a segment
}

// Role is what a peer is in its swarm.
type Role string

const (
	RoleOrigin  Role = "origin"  // the host's own peer: the root of every tree
	RoleBooster Role = "booster" // permanent, trusted, under its owner's caps
	RoleViewer  Role = "viewer"  // ephemeral, with a player and deadlines
)
