package planner

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// What members and would-be members are told.
var (
	refusedOff        = wire.Refused{Code: wire.CodeOff, Sentence: "the host has switched peers off; the site works without them"}
	refusedFull       = wire.Refused{Code: wire.CodeFull, Sentence: "this host serves as many viewers as it can; the site works without peers"}
	refusedQuarantine = wire.Refused{Code: wire.CodeQuarantine, Sentence: "this peer sent a chunk that was not what the origin signed"}
	refusedUnknown    = wire.Refused{Code: wire.CodeUnknown, Sentence: "this booster is not known to the host (any more): ask the host for a new invite"}
	refusedSuperseded = wire.Refused{Code: wire.CodeSuperseded, Sentence: "this peer has joined again from elsewhere"}
)

// check decides about a join whose key is proved already. A nil answer admits.
func (p *Planner) check(j wire.Join) *wire.Refused {
	id := j.Key.PeerID()
	if r := p.root.bar(id, j.Role); r != nil {
		return r
	}
	switch {
	case id == p.cfg.Origin:
		if j.Role != tuber.RoleOrigin {
			return &wire.Refused{Code: wire.CodeProof, Sentence: "the host's own key joins as origin only"}
		}
		return nil
	case j.Role == tuber.RoleViewer:
		return p.checkViewer(j)
	case j.Role == tuber.RoleBooster:
		return p.checkBooster(j)
	}
	return &wire.Refused{Code: wire.CodeProof, Sentence: fmt.Sprintf("no peer of role %.16q can join with this key", string(j.Role))}
}

func (p *Planner) checkViewer(j wire.Join) *wire.Refused {
	now := tuber.MillisOf(p.cfg.Now())
	err := tuber.OpenTicket(tuber.PublicKeyOf(p.cfg.Key), j.Ticket, tuber.Fingerprint(j.Fingerprint), now)
	if err != nil {
		return &wire.Refused{Code: wire.CodeTicket, Sentence: fmt.Sprintf("no valid ticket (%v): reload the page", err)}
	}
	return nil
}

// checkBooster admits a key of the book. A secret is burnt only for a key that
// is not there yet: a booster whose first welcome was lost may come again.
func (p *Planner) checkBooster(j wire.Join) *wire.Refused {
	if p.cfg.Book == nil {
		return &refusedUnknown
	}
	known, ok, err := p.cfg.Book.Booster(j.Key.PeerID())
	switch {
	case err != nil:
		p.cfg.Log.Error("book cannot be read", "err", err)
		return &wire.Refused{Code: wire.CodeFull, Sentence: "the host cannot read its book just now: try again later"}
	case ok && known.Bad:
		return &refusedQuarantine
	case ok:
		return nil
	case len(j.Secret) == 0:
		return &refusedUnknown
	}
	return p.enrol(j)
}

func (p *Planner) enrol(j wire.Join) *wire.Refused {
	if len(j.Secret) != len(tuber.Secret{}) {
		return &wire.Refused{Code: wire.CodeInvite, Sentence: tuber.ErrInviteUnknown.Error()}
	}
	now := p.cfg.Now()
	b := tuber.BoosterRecord{ID: j.Key.PeerID(), Key: j.Key, Name: j.Name, Enrolled: now, Seen: now}
	err := p.cfg.Book.Enrol(sha256.Sum256(j.Secret), b, now)
	if err == nil {
		return nil
	}
	for _, known := range []error{tuber.ErrInviteUnknown, tuber.ErrInviteUsed, tuber.ErrInviteExpired, tuber.ErrInviteRevoked} {
		if errors.Is(err, known) {
			return &wire.Refused{Code: wire.CodeInvite, Sentence: known.Error()}
		}
	}
	p.cfg.Log.Error("book cannot be written", "err", err)
	return &wire.Refused{Code: wire.CodeFull, Sentence: "the host cannot write its book just now: try again later"}
}
