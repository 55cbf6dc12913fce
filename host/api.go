package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tubercdn/tuber"
)

// console is what the dashboard and the admin socket can see and do.
type console interface {
	State() (tuber.HostState, error)
	Invite(tuber.Offer) (tuber.Invited, error)
	RevokeInvite(id string) error
	RemoveBooster(id tuber.PeerID) error
	SetEnabled(on bool) error
	SetPlanner(on bool) error
}

// Bounds of an offer.
const (
	maxUses = 1000
	maxLife = 365 * 24 * time.Hour
	maxNote = 80 // bytes
)

func checked(o tuber.Offer) (tuber.Offer, error) {
	if o.Uses == 0 {
		o.Uses = 1
	}
	if o.Life == 0 {
		o.Life = tuber.InviteLife
	}
	switch {
	case o.Uses < 0 || o.Uses > maxUses:
		return o, fmt.Errorf("make invite: %d uses, want 1 to %d", o.Uses, maxUses)
	case o.Life < time.Minute || o.Life > maxLife:
		return o, fmt.Errorf("make invite: a life of %v, want a minute to a year", o.Life)
	case len(o.Note) > maxNote:
		return o, fmt.Errorf("make invite: a note of %d bytes, at most %d", len(o.Note), maxNote)
	}
	return o, nil
}

const maxBody = 4 << 10 // bytes of a request to the API

// api is the same for the dashboard and the admin socket. GETs change nothing.
func api(c console) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/state", func(w http.ResponseWriter, _ *http.Request) {
		state, err := c.State()
		answer(w, state, err)
	})
	mux.HandleFunc("POST /api/invites", take(c.Invite))
	mux.HandleFunc("POST /api/invites/revoke", take(func(v struct{ ID string }) (done, error) {
		return done{}, c.RevokeInvite(v.ID)
	}))
	mux.HandleFunc("POST /api/boosters/remove", take(func(v struct{ ID tuber.PeerID }) (done, error) {
		return done{}, c.RemoveBooster(v.ID)
	}))
	mux.HandleFunc("POST /api/enabled", take(func(v flip) (done, error) {
		return done{}, c.SetEnabled(v.On)
	}))
	mux.HandleFunc("POST /api/planner", take(func(v flip) (done, error) {
		return done{}, c.SetPlanner(v.On)
	}))
	return mux
}

type (
	done struct{}
	flip struct{ On bool }
)

// take reads one JSON object and answers with another. Forms are refused by
// their type: a browser sends JSON to another origin only after asking first.
func take[Q, A any](do func(Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			refuse(w, http.StatusUnsupportedMediaType, "Content-Type must be application/json")
			return
		}
		var q Q
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		if err := dec.Decode(&q); err != nil {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("read request: %v", err))
			return
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			refuse(w, http.StatusBadRequest, "read request: more than one JSON value")
			return
		}
		a, err := do(q)
		answer(w, a, err)
	}
}

func answer(w http.ResponseWriter, a any, err error) {
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(a) // the client is gone if this fails
}

// missing says in one sentence what the swarm's means do not suffice for.
func missing(short tuber.BitsPerSecond) string {
	if short <= 0 {
		return ""
	}
	const typical = 10e6 // upload of a friend's line, bit/s
	n := int((short + typical - 1) / typical)
	if n == 1 {
		return fmt.Sprintf("%v of upload are missing: one more booster of 10 Mbit/s would do.", short)
	}
	return fmt.Sprintf("%v of upload are missing: %d more boosters of 10 Mbit/s would do.", short, n)
}
