package tuber

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// TicketLife is how long a ticket admits a viewer; pages renew before it ends.
const TicketLife = 10 * time.Minute

// CertificateLife is how long the site key vouches for a planner's key.
const CertificateLife = 24 * time.Hour

// ErrExpired is returned for a statement whose time is over.
var ErrExpired = errors.New("expired")

// Fingerprint is the SHA-256 of a DTLS certificate (RFC 8122).
type Fingerprint [32]byte

// Ticket admits one viewer: the origin gives it to a same-origin request, and
// the planner lets in only the DTLS fingerprint that it names. Bytes:
//
//	fingerprint 32 | expires 8
type Ticket struct {
	Fingerprint Fingerprint
	Expires     Millis
}

// SignTicket returns the ticket in unpadded base64url, for a browser to carry.
func SignTicket(planner ed25519.PrivateKey, t Ticket) string {
	b := binary.BigEndian.AppendUint64(append([]byte(nil), t.Fingerprint[:]...), uint64(t.Expires))
	return base64.RawURLEncoding.EncodeToString(seal(planner, KindTicket, b))
}

// OpenTicket checks a ticket for the peer with this fingerprint at this moment.
func OpenTicket(planner PublicKey, text string, f Fingerprint, now Millis) error {
	if len(text) > 256 {
		return fmt.Errorf("ticket: %d characters, at most 256", len(text))
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return fmt.Errorf("ticket: %w", err)
	}
	b, err := open(planner, KindTicket, raw)
	if err != nil {
		return err
	}
	c := NewCursor(b)
	var t Ticket
	c.Copy(t.Fingerprint[:])
	t.Expires = Millis(c.Uint64())
	switch {
	case c.Err() != nil:
		return fmt.Errorf("ticket: %w", c.Err())
	case t.Fingerprint != f:
		return errors.New("ticket: made out to another DTLS fingerprint")
	case now > t.Expires:
		return fmt.Errorf("ticket: %w", ErrExpired)
	}
	return nil
}

// Certificate is the site key's word for a planner's key. Bytes:
//
//	planner key 32 | epoch 8 | expires 8
type Certificate struct {
	Planner PublicKey
	Epoch   Epoch // of the planner
	Expires Millis
}

// SignCertificate is for the holder of the site key alone.
func SignCertificate(site ed25519.PrivateKey, c Certificate) []byte {
	b := append([]byte(nil), c.Planner[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Epoch))
	return seal(site, KindCertificate, binary.BigEndian.AppendUint64(b, uint64(c.Expires)))
}

// OpenCertificate checks raw against the site key at this moment.
func OpenCertificate(site PublicKey, raw []byte, now Millis) (Certificate, error) {
	b, err := open(site, KindCertificate, raw)
	if err != nil {
		return Certificate{}, err
	}
	cur := NewCursor(b)
	var c Certificate
	cur.Copy(c.Planner[:])
	c.Epoch, c.Expires = Epoch(cur.Uint64()), Millis(cur.Uint64())
	switch {
	case cur.Err() != nil:
		return Certificate{}, fmt.Errorf("certificate: %w", cur.Err())
	case now > c.Expires:
		return Certificate{}, fmt.Errorf("certificate: %w", ErrExpired)
	}
	return c, nil
}
