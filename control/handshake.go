package control

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// handshakeTimeout bounds each side's wait for the other's word.
const handshakeTimeout = 10 * time.Second

// Identity is what a peer joins with.
type Identity struct {
	Key  ed25519.PrivateKey // of the peer
	Site tuber.PublicKey    // pinned: it must vouch for the planner
	Join wire.Join          // Version, Key, Nonce and Signature are filled in here
	// Now is the origin's clock if the peer knows it already. Without it the
	// certificate is held against the planner's own word for the time.
	Now func() tuber.Millis
}

// Session is what a peer knows once both sides are proved.
type Session struct {
	Planner tuber.PublicKey
	Epoch   tuber.Epoch // of the planner
	Welcome wire.Welcome
	Offset  time.Duration // the origin's clock minus ours, at the challenge
}

// RefusedError is a planner's refusal, or its end of a membership.
type RefusedError struct {
	Code     wire.Code
	Sentence string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("refused by the planner (%s): %s", e.Code, e.Sentence)
}

// ErrPlanner is returned when the other side does not prove that it is the
// planner of the pinned site.
var ErrPlanner = errors.New("this is not the site's planner")

// Join is the peer's side of the handshake. The connection stays open on
// success and is the caller's to close in every case.
func Join(ctx context.Context, conn Conn, id Identity) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	c, err := receive[wire.Challenge](ctx, conn)
	if err != nil {
		return Session{}, err
	}
	offset := time.Until(time.UnixMilli(int64(c.Now)))
	if err := checkChallenge(c, id); err != nil {
		return Session{}, err
	}
	join, err := answer(c, id)
	if err != nil {
		return Session{}, err
	}
	if err := conn.Send(ctx, join); err != nil {
		return Session{}, fmt.Errorf("join: %w", err)
	}
	w, err := receive[wire.Welcome](ctx, conn)
	if err != nil {
		return Session{}, err
	}
	if err := c.Planner.Check(tuber.KindWelcome, wire.WelcomeStatement(join.Nonce, join.Key), w.Signature); err != nil {
		return Session{}, fmt.Errorf("%w: %w", ErrPlanner, err)
	}
	if w.ID != join.Key.PeerID() {
		return Session{}, fmt.Errorf("%w: it welcomes %s, not us", ErrPlanner, w.ID)
	}
	return Session{Planner: c.Planner, Epoch: c.Epoch, Welcome: w, Offset: offset}, nil
}

func checkChallenge(c wire.Challenge, id Identity) error {
	switch {
	case c.Oldest > wire.Version:
		return &RefusedError{wire.CodeVersion, fmt.Sprintf(
			"the host speaks version %d and newer, this program version %d: update this program", c.Oldest, wire.Version)}
	case c.Version < wire.Oldest:
		return &RefusedError{wire.CodeVersion, fmt.Sprintf(
			"the host speaks version %d, this program version %d and newer: the host must update", c.Version, wire.Oldest)}
	case len(c.Nonce) != wire.NonceSize:
		return fmt.Errorf("%w: its nonce has %d bytes, want %d", ErrPlanner, len(c.Nonce), wire.NonceSize)
	}
	now := c.Now
	if id.Now != nil {
		now = id.Now()
	}
	cert, err := tuber.OpenCertificate(id.Site, c.Certificate, now)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlanner, err)
	}
	if cert.Planner != c.Planner || cert.Epoch != c.Epoch {
		return fmt.Errorf("%w: its certificate is for another planner or epoch", ErrPlanner)
	}
	return nil
}

func answer(c wire.Challenge, id Identity) (wire.Join, error) {
	j := id.Join
	if len(j.Fingerprint) != len(tuber.Fingerprint{}) {
		return j, fmt.Errorf("join: fingerprint of %d bytes, want %d", len(j.Fingerprint), len(tuber.Fingerprint{}))
	}
	j.Version = min(wire.Version, c.Version)
	j.Key = tuber.PublicKeyOf(id.Key)
	j.Nonce = newNonce()
	j.Signature = tuber.Sign(id.Key, tuber.KindJoin, wire.JoinStatement(c.Nonce, c.Planner, j.Fingerprint))
	return j, nil
}

func newNonce() wire.Bytes {
	n := make(wire.Bytes, wire.NonceSize)
	_, _ = rand.Read(n) // never fails (crypto/rand)
	return n
}

// Authority is what a planner proves itself with, for one connection.
type Authority struct {
	Key         ed25519.PrivateKey
	Certificate []byte // by the site key, for Key and Epoch
	Epoch       tuber.Epoch
	Now         tuber.Millis
	STUN        []string // as in wire.Welcome
	Name        string   // as in wire.Welcome
}

// Admit is the planner's side of the handshake. The peer's key is proved before
// check runs; check refuses the join or returns nil. A refusal is sent, and
// returned as a *RefusedError; the caller closes the connection.
func Admit(ctx context.Context, conn Conn, a Authority, check func(wire.Join) *wire.Refused) (wire.Join, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	c := wire.Challenge{
		Version: wire.Version, Oldest: wire.Oldest, Nonce: newNonce(), Planner: tuber.PublicKeyOf(a.Key),
		Certificate: a.Certificate, Epoch: a.Epoch, Now: a.Now,
	}
	if err := conn.Send(ctx, c); err != nil {
		return wire.Join{}, fmt.Errorf("challenge: %w", err)
	}
	j, err := receive[wire.Join](ctx, conn)
	if err != nil {
		return j, err
	}
	refused := checkJoin(j, c)
	if refused == nil {
		refused = check(j)
	}
	if refused != nil {
		return j, Refuse(ctx, conn, *refused)
	}
	w := wire.Welcome{ID: j.Key.PeerID(), STUN: a.STUN, Name: a.Name}
	w.Signature = tuber.Sign(a.Key, tuber.KindWelcome, wire.WelcomeStatement(j.Nonce, j.Key))
	if err := conn.Send(ctx, w); err != nil {
		return j, fmt.Errorf("welcome: %w", err)
	}
	return j, nil
}

// Refuse tells the peer why it may not stay, and returns that as an error.
func Refuse(ctx context.Context, conn Conn, r wire.Refused) error {
	refused := &RefusedError{r.Code, r.Sentence}
	if err := conn.Send(ctx, r); err != nil {
		return fmt.Errorf("%w (and it could not be told: %w)", refused, err)
	}
	return refused
}

func checkJoin(j wire.Join, c wire.Challenge) *wire.Refused {
	switch {
	case j.Version < c.Oldest:
		return &wire.Refused{Code: wire.CodeVersion, Sentence: fmt.Sprintf(
			"you speak version %d, this host version %d and newer: update your program or reload the page", j.Version, c.Oldest)}
	case len(j.Fingerprint) != len(tuber.Fingerprint{}), len(j.Nonce) != wire.NonceSize, len(j.Name) > tuber.MaxName:
		return &wire.Refused{Code: wire.CodeProof, Sentence: "the join is malformed: update your program or reload the page"}
	}
	statement := wire.JoinStatement(c.Nonce, c.Planner, j.Fingerprint)
	if err := j.Key.Check(tuber.KindJoin, statement, j.Signature); err != nil {
		return &wire.Refused{Code: wire.CodeProof, Sentence: "your key's signature does not match: join again"}
	}
	return nil
}

// receive waits for one kind of message; a refusal in its place is an error.
func receive[M wire.Message](ctx context.Context, conn Conn) (M, error) {
	var want M
	m, err := conn.Receive(ctx)
	if err != nil {
		return want, fmt.Errorf("handshake: %w", err)
	}
	switch m := m.(type) {
	case M:
		return m, nil
	case wire.Refused:
		return want, &RefusedError{m.Code, m.Sentence}
	}
	return want, fmt.Errorf("handshake: got %T, want %T", m, want)
}
