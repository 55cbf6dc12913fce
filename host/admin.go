package host

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/admin"
)

// ErrNotRunning is returned by DialAdmin when no host runs on the directory.
var ErrNotRunning = errors.New("no host is running here")

// Admin speaks to the host that runs on a directory.
type Admin struct{ client *admin.Client }

// DialAdmin reaches the host that runs on dir, or returns ErrNotRunning.
func DialAdmin(dir string) (*Admin, error) {
	c, err := admin.Dial(dir, "the host")
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotRunning, err)
	}
	return &Admin{c}, nil
}

// State is what the dashboard shows.
func (a *Admin) State() (tuber.HostState, error) {
	var s tuber.HostState
	return s, a.client.Call(http.MethodGet, "/api/state", nil, &s)
}

// Invite makes an invite; its link is shown this once.
func (a *Admin) Invite(o tuber.Offer) (tuber.Invited, error) {
	var v tuber.Invited
	return v, a.client.Call(http.MethodPost, "/api/invites", o, &v)
}

// Invites lists the invites of the book.
func (a *Admin) Invites() ([]tuber.InviteRecord, error) {
	s, err := a.State()
	return s.Invites, err
}

// RevokeInvite makes an invite useless from now on.
func (a *Admin) RevokeInvite(id string) error {
	return a.client.Call(http.MethodPost, "/api/invites/revoke", struct{ ID string }{id}, nil)
}
