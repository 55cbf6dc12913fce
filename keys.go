package tuber

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// PublicKey is an Ed25519 public key: of a site, a planner or a peer.
type PublicKey [ed25519.PublicKeySize]byte

// Signature is an Ed25519 signature (RFC 8032).
type Signature [ed25519.SignatureSize]byte

// Kind separates what signatures are for, so that one statement never passes as another.
type Kind string

const (
	KindManifest    Kind = "manifest"    // site key: a run
	KindUpdate      Kind = "update"      // site key: a playlist and the newest number
	KindCertificate Kind = "certificate" // site key: a planner's key
	KindTicket      Kind = "ticket"      // planner key: a viewer may join
	KindJoin        Kind = "join"        // peer key: this control connection is mine
	KindWelcome     Kind = "welcome"     // planner key: the answer to a join
	KindHello       Kind = "hello"       // peer key: this link is mine
	KindEnrol       Kind = "enrol"       // peer key: the key that an invite is burnt for
)

// ErrSignature is returned when a statement was not signed by the key it should be.
var ErrSignature = errors.New("signature does not match")

// PublicKeyOf is the public half of key.
func PublicKeyOf(key ed25519.PrivateKey) PublicKey {
	return PublicKey(key.Public().(ed25519.PublicKey))
}

// PeerID is the name of the peer that owns the key.
func (k PublicKey) PeerID() PeerID {
	sum := sha256.Sum256(k[:])
	return PeerID(sum[:16])
}

// String is the key in unpadded base64url, as JSON carries it.
func (k PublicKey) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// MarshalText writes unpadded base64url.
func (k PublicKey) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, k[:]), nil
}

// UnmarshalText reads unpadded base64url.
func (k *PublicKey) UnmarshalText(text []byte) error { return unbase64("public key", k[:], text) }

// MarshalText writes unpadded base64url.
func (s Signature) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, s[:]), nil
}

// UnmarshalText reads unpadded base64url.
func (s *Signature) UnmarshalText(text []byte) error { return unbase64("signature", s[:], text) }

func unbase64(what string, dst, text []byte) error {
	if n := base64.RawURLEncoding.DecodedLen(len(text)); n != len(dst) {
		return fmt.Errorf("%s: %d bytes, want %d", what, n, len(dst))
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(dst, text); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// covered is what a signature covers: "tuber/KIND/1\0" and the exact bytes.
func covered(kind Kind, statement []byte) []byte {
	b := make([]byte, 0, len("tuber//1\x00")+len(kind)+len(statement))
	b = append(b, "tuber/"...)
	b = append(b, kind...)
	b = append(b, "/1\x00"...)
	return append(b, statement...)
}

// Sign signs the exact bytes of a statement.
func Sign(key ed25519.PrivateKey, kind Kind, statement []byte) Signature {
	return Signature(ed25519.Sign(key, covered(kind, statement)))
}

// Check returns ErrSignature unless key signed the exact bytes as this kind.
func (k PublicKey) Check(kind Kind, statement []byte, sig Signature) error {
	if !ed25519.Verify(k[:], covered(kind, statement), sig[:]) {
		return fmt.Errorf("%s: %w", kind, ErrSignature)
	}
	return nil
}

// seal puts the signature before the statement it covers.
func seal(key ed25519.PrivateKey, kind Kind, statement []byte) []byte {
	sig := Sign(key, kind, statement)
	return append(sig[:], statement...)
}

// open splits what seal made and checks it.
func open(key PublicKey, kind Kind, raw []byte) ([]byte, error) {
	if len(raw) < ed25519.SignatureSize {
		return nil, fmt.Errorf("%s: %d bytes, shorter than a signature", kind, len(raw))
	}
	statement := raw[ed25519.SignatureSize:]
	return statement, key.Check(kind, statement, Signature(raw[:ed25519.SignatureSize]))
}
