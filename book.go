package tuber

import (
	"errors"
	"time"
)

// What the durable book says of an invite that cannot be used.
var (
	ErrInviteUnknown = errors.New("this invite is unknown here; ask the host for a new one")
	ErrInviteUsed    = errors.New("this invite was used already; ask the host for a new one")
	ErrInviteExpired = errors.New("this invite has expired; ask the host for a new one")
	ErrInviteRevoked = errors.New("this invite was revoked by the host")
)

// InviteLife is how long an invite lasts unless the host says otherwise.
const InviteLife = 24 * time.Hour

// InviteRecord is an invite in the host's book. The secret itself is not kept.
type InviteRecord struct {
	ID      string    `json:"id"` // short, for people: the start of the hash
	Hash    Digest    `json:"hash"`
	Note    string    `json:"note,omitempty"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Uses    int       `json:"uses"` // left
	Revoked bool      `json:"revoked,omitempty"`
	UsedBy  []PeerID  `json:"usedBy,omitempty"`
}

// BoosterRecord is a trusted booster in the host's book.
type BoosterRecord struct {
	ID        PeerID        `json:"id"`
	Key       PublicKey     `json:"key"`
	Name      string        `json:"name"`
	Invite    string        `json:"invite,omitempty"` // id of the invite it came by
	Enrolled  time.Time     `json:"enrolled"`
	Seen      time.Time     `json:"seen"`
	Online    time.Duration `json:"online"`    // in all
	Delivered uint64        `json:"delivered"` // payload bytes that receivers confirmed, in all
	Upload    BitsPerSecond `json:"upload"`    // learnt from what receivers confirmed
	Bad       bool          `json:"bad,omitempty"`
}

// MembershipRecord is a swarm that a booster joined, in the booster's book.
type MembershipRecord struct {
	Site   PublicKey `json:"site"`
	Host   string    `json:"host"`
	Name   string    `json:"name,omitempty"` // what the host calls itself
	Prefix string    `json:"prefix"`
	Pin    Digest    `json:"pin"` // of the host's TLS key; zero if a CA vouches
	Joined time.Time `json:"joined"`
	Invite Invite    `json:"invite,omitzero"` // until it was burnt
}
