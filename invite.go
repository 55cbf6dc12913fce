package tuber

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Secret is the one-time secret of an invite.
type Secret [32]byte

// Hash is what the planner's book keeps instead of the secret.
func (s Secret) Hash() Digest { return sha256.Sum256(s[:]) }

// Invite lets one booster join a swarm. As a link it is
//
//	https://HOST/.tuber/join#PAYLOAD     or     tuber://HOST/.tuber/join#PAYLOAD
//
// where PAYLOAD is unpadded base64url of
//
//	version 1 | site key 32 | secret 32 | TLS pin 32 (zero: a CA vouches) | name | check 4
//
// The version is 1 without a name, 2 with one, which older programs do not read.
// check is the start of the SHA-256 of what stands before it and of HOST, so a
// link that was cut short or mistyped is told from one that was used or revoked.
// A browser never sends the fragment, so the secret stays out of logs.
type Invite struct {
	Host   string // host or host:port of the planner
	Prefix string // DefaultPrefix unless the host chose another
	Site   PublicKey
	Secret Secret
	Pin    Digest // SHA-256 of the host's TLS public key (SubjectPublicKeyInfo); zero if a CA vouches
	Name   string // what the host calls itself, at most MaxName bytes, without control characters; none if empty
}

// ErrInvite is returned for text that is not a whole invite.
var ErrInvite = errors.New("not a complete invite link")

const (
	inviteVersion = 2 // the newest that is read
	inviteBytes   = 1 + 32 + 32 + 32 + 4
	maxInvite     = 1024 // characters
)

// URL is the link to paste or to click.
func (v Invite) URL() string { return "https://" + v.rest() }

// AppURL is the link that opens the desktop app.
func (v Invite) AppURL() string { return "tuber://" + v.rest() }

func (v Invite) rest() string {
	name := Plain(v.Name, MaxName)
	b := append([]byte{1}, v.Site[:]...)
	if name != "" {
		b[0] = 2
	}
	b = append(append(append(b, v.Secret[:]...), v.Pin[:]...), name...)
	b = append(b, v.check(b)...)
	prefix := v.Prefix
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return v.Host + prefix + "join#" + base64.RawURLEncoding.EncodeToString(b)
}

func (v Invite) check(b []byte) []byte {
	sum := sha256.Sum256(append(append([]byte(nil), b...), v.Host...))
	return sum[:4]
}

// ParseInvite reads a link as a friend pastes it: surrounding space and either
// scheme are fine, anything else gets an error that says what is wrong with it.
func ParseInvite(text string) (Invite, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxInvite {
		return Invite{}, fmt.Errorf("%w: %d characters, an invite has fewer than %d", ErrInvite, len(text), maxInvite)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "tuber") {
		return Invite{}, fmt.Errorf("%w: it begins with https:// or tuber:// and a host name", ErrInvite)
	}
	prefix, ok := strings.CutSuffix(u.Path, "join")
	if !ok || !strings.HasPrefix(prefix, "/") || !strings.HasSuffix(prefix, "/") {
		return Invite{}, fmt.Errorf("%w: its path ends in /join", ErrInvite)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(u.Fragment)
	if err != nil || len(b) == 0 {
		return Invite{}, fmt.Errorf("%w: the part after # is missing or damaged; copy the whole link", ErrInvite)
	}
	if b[0] > inviteVersion {
		return Invite{}, fmt.Errorf("%w: made by version %d, this program reads up to version %d; update it", ErrInvite, b[0], inviteVersion)
	}
	v := Invite{Host: u.Host, Prefix: prefix}
	room := 0 // for a name
	if b[0] == 2 {
		room = MaxName
	}
	end := len(b) - 4
	if b[0] == 0 || len(b) < inviteBytes || len(b) > inviteBytes+room || string(b[end:]) != string(v.check(b[:end])) {
		return Invite{}, fmt.Errorf("%w: it was cut short or changed; copy the whole link again", ErrInvite)
	}
	c := NewCursor(b[1:])
	c.Copy(v.Site[:])
	c.Copy(v.Secret[:])
	c.Copy(v.Pin[:])
	v.Name = Plain(string(b[inviteBytes-4:end]), MaxName)
	return v, nil
}
