package booster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tubercdn/tuber"
)

const (
	maxQuestion = 64 << 10 // bytes: settings with a share for each of many swarms
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

// What commands and the window ask.
type (
	pauseQuestion struct {
		Site  tuber.PublicKey `json:"site"` // zero: all
		Until time.Time       `json:"until,omitzero"`
	}
	siteQuestion struct {
		Site tuber.PublicKey `json:"site"`
	}
	joinQuestion struct {
		Invite string `json:"invite"`
	}
	nothing struct{}
)

func (b *Booster) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { reply(w, b.Status(), nil) })
	mux.HandleFunc("GET /settings", func(w http.ResponseWriter, _ *http.Request) { reply(w, b.Settings(), nil) })
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) { reply(w, b.Events(), nil) })
	mux.HandleFunc("POST /settings", take(func(_ context.Context, s tuber.Settings) error { return b.SetSettings(s) }))
	mux.HandleFunc("POST /pause", take(func(_ context.Context, q pauseQuestion) error { return b.Pause(q.Site, q.Until) }))
	mux.HandleFunc("POST /resume", take(func(_ context.Context, q siteQuestion) error { return b.Resume(q.Site) }))
	mux.HandleFunc("POST /join", take(func(ctx context.Context, q joinQuestion) error { return b.Join(ctx, q.Invite) }))
	mux.HandleFunc("POST /leave", take(func(_ context.Context, q siteQuestion) error { return b.Leave(q.Site) }))
	return mux
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
