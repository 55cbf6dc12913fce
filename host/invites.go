package host

import (
	"crypto/rand"
	"fmt"
	"net"
	"time"

	"github.com/tubercdn/tuber"
)

// NewInvite makes an invite and writes its hash into the book.
func (h *Host) NewInvite(uses int, life time.Duration) (tuber.Invite, error) {
	v, _, err := h.invite(tuber.Offer{Uses: uses, Life: life})
	return v, err
}

// Invite is NewInvite for the dashboard and for commands.
func (h *Host) Invite(o tuber.Offer) (tuber.Invited, error) {
	v, r, err := h.invite(o)
	if err != nil {
		return tuber.Invited{}, err
	}
	return tuber.Invited{ID: r.ID, URL: v.URL(), AppURL: v.AppURL(), Expires: r.Expires, Uses: r.Uses}, nil
}

func (h *Host) invite(o tuber.Offer) (tuber.Invite, tuber.InviteRecord, error) {
	r, secret, err := record(o, time.Now())
	if err != nil {
		return tuber.Invite{}, r, err
	}
	if err := h.book.AddInvite(r); err != nil {
		return tuber.Invite{}, r, fmt.Errorf("make invite: %w", err)
	}
	name, pin := h.entrance()
	return tuber.Invite{Host: name, Prefix: h.cfg.Prefix, Site: h.Site(), Secret: secret, Pin: pin, Name: h.cfg.Name}, r, nil
}

// record makes the secret and what the book keeps of it.
func record(o tuber.Offer, now time.Time) (tuber.InviteRecord, tuber.Secret, error) {
	o, err := checked(o)
	if err != nil {
		return tuber.InviteRecord{}, tuber.Secret{}, err
	}
	var secret tuber.Secret
	rand.Read(secret[:]) // never fails since Go 1.24
	hash := secret.Hash()
	return tuber.InviteRecord{
		ID: fmt.Sprintf("%x", hash[:4]), Hash: hash, Note: o.Note,
		Created: now, Expires: now.Add(o.Life), Uses: o.Uses,
	}, secret, nil
}

// entrance is where boosters join and the key they must find there. The public
// listener will do where a CA vouches for it; else the pinned one.
func (h *Host) entrance() (string, tuber.Digest) {
	if h.noPin && h.cfg.OuterHTTPS {
		return bracketed(h.cfg.PublicHost), tuber.Digest{}
	}
	if h.noPin {
		return withPort(h.cfg.PublicHost, h.sockets.site.Addr(), "443"), tuber.Digest{}
	}
	return withPort(h.cfg.PublicHost, h.sockets.control.Addr(), "443"), h.pin
}

// withPort leaves out the port that the scheme implies. A public host that
// names a port itself (a tunnel's, a router's) keeps it.
func withPort(name string, at net.Addr, implied string) string {
	if _, _, err := net.SplitHostPort(name); err == nil {
		return name
	}
	_, port, err := net.SplitHostPort(at.String())
	if err != nil || port == implied {
		return bracketed(name)
	}
	return net.JoinHostPort(name, port)
}

func bracketed(name string) string {
	if ip := net.ParseIP(name); ip != nil && ip.To4() == nil {
		return "[" + name + "]"
	}
	return name
}

// Invites lists the invites of the book.
func (h *Host) Invites() ([]tuber.InviteRecord, error) { return h.book.Invites() }

// RevokeInvite makes an invite useless from now on; who came by it stays.
func (h *Host) RevokeInvite(id string) error {
	if err := h.book.RevokeInvite(id); err != nil {
		return fmt.Errorf("revoke invite %.16s: %w", id, err)
	}
	return nil
}

// RemoveBooster takes a booster out of the swarm and of the book.
func (h *Host) RemoveBooster(id tuber.PeerID) error {
	if err := h.planning.remove(id); err != nil {
		return fmt.Errorf("remove booster: %w", err)
	}
	return nil
}
