package booster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/admin"
)

const (
	maxQuestion = 4 << 10 // bytes
	answerIn    = 30 * time.Second
)

// ErrNotRunning is returned by Dial when no booster runs on the directory.
var ErrNotRunning = errors.New("no booster is running here; start it with tuber boost")

// serveAdmin answers commands until ctx ends.
func (b *Booster) serveAdmin(ctx context.Context) error {
	server := &http.Server{
		Handler: b.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: answerIn, MaxHeaderBytes: 8 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // Serve says the rest
	defer stop()
	if err := server.Serve(b.admin); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answer commands: %w", err)
	}
	return nil
}

// What commands ask. Leaving needs only the host's name.
type (
	pauseQuestion struct {
		Until time.Time `json:"until,omitzero"`
	}
	leaveQuestion struct {
		Host string `json:"host"`
	}
	joinQuestion struct {
		Invite string `json:"invite"`
	}
	nothing struct{}
)

func (b *Booster) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, b.Status(), nil)
	})
	mux.HandleFunc("POST /pause", take(func(_ context.Context, q pauseQuestion) error { return b.Pause(q.Until) }))
	mux.HandleFunc("POST /resume", take(func(context.Context, nothing) error { return b.Resume() }))
	mux.HandleFunc("POST /limits", take(func(_ context.Context, l tuber.Limits) error { return b.SetLimits(l) }))
	mux.HandleFunc("POST /join", take(func(ctx context.Context, q joinQuestion) error { return b.Join(ctx, q.Invite) }))
	mux.HandleFunc("POST /leave", take(func(_ context.Context, q leaveQuestion) error { return b.leaveHost(q.Host) }))
	return mux
}

// leaveHost leaves the swarm whose host has this name.
func (b *Booster) leaveHost(host string) error {
	for _, s := range b.Status().Swarms {
		if s.Host == host {
			return b.Leave(s.Site)
		}
	}
	return fmt.Errorf("%q: %w; tuber status lists those that were", host, ErrUnknown)
}

func take[Q any](do func(context.Context, Q) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion)).Decode(&q); err != nil {
			http.Error(w, "the question is not JSON", http.StatusBadRequest)
			return
		}
		reply(w, nothing{}, do(r.Context(), q))
	}
}

func reply(w http.ResponseWriter, answer any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // whoever asked has gone
}

// Client speaks to the booster that runs on a directory.
type Client struct{ admin *admin.Client }

// Dial reaches the booster that runs on dir, or returns ErrNotRunning.
func Dial(dir string) (*Client, error) {
	c, err := admin.Dial(dir, "the booster")
	if err != nil {
		return nil, ErrNotRunning
	}
	return &Client{c}, nil
}

// Status is what the booster is doing.
func (c *Client) Status() (tuber.Status, error) {
	var st tuber.Status
	return st, c.admin.Call(http.MethodGet, "/status", nil, &st)
}

// Pause stops sending until the moment, or, if it is zero, until Resume.
func (c *Client) Pause(until time.Time) error {
	return c.admin.Call(http.MethodPost, "/pause", pauseQuestion{until}, nil)
}

// Resume ends a pause.
func (c *Client) Resume() error { return c.admin.Call(http.MethodPost, "/resume", nothing{}, nil) }

// SetLimits changes the owner's limits.
func (c *Client) SetLimits(l tuber.Limits) error {
	return c.admin.Call(http.MethodPost, "/limits", l, nil)
}

// Join joins by an invite.
func (c *Client) Join(invite string) error {
	return c.admin.Call(http.MethodPost, "/join", joinQuestion{invite}, nil)
}

// Leave leaves the swarm of a host, by the name that Status shows.
func (c *Client) Leave(host string) error {
	return c.admin.Call(http.MethodPost, "/leave", leaveQuestion{host}, nil)
}
