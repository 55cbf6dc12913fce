package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
)

func inviteState(v tuber.InviteRecord, now time.Time) string {
	switch {
	case v.Revoked:
		return "revoked"
	case v.Uses <= 0:
		return "used"
	case now.After(v.Expires):
		return "expired"
	}
	return "open"
}

// withBook opens the book of a host that does not run. It makes no new one.
func withBook[T any](dir string, do func(book) (T, error)) (T, error) {
	var none T
	if _, err := os.Stat(filepath.Join(dir, "book.db")); errors.Is(err, fs.ErrNotExist) {
		return none, fmt.Errorf("no host ever ran on %s; start one with tuber host, or name its folder with --state", dir)
	}
	b, err := host.OpenBook(dir)
	if err != nil {
		return none, err
	}
	v, err := do(b)
	return v, errors.Join(err, b.Close())
}

// book is what invite commands need of it.
type book interface {
	Invites() ([]tuber.InviteRecord, error)
	RevokeInvite(id string) error
}

func invitesOfBook(dir string) ([]tuber.InviteRecord, error) {
	return withBook(dir, func(b book) ([]tuber.InviteRecord, error) { return b.Invites() })
}

func (p *program) inviteRevoke(context.Context) error {
	c := &p.Invite.Revoke
	a, err := host.DialAdmin(c.State)
	if err == nil {
		err = a.RevokeInvite(c.ID)
	} else if errors.Is(err, host.ErrNotRunning) {
		_, err = withBook(c.State, func(b book) (struct{}, error) { return struct{}{}, b.RevokeInvite(c.ID) })
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "The invite %s is revoked: nobody can join by it any more. Who did stays.\n", c.ID)
	return err
}
