package booster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// adminFile is the socket by which commands speak to the running booster. Only
// its owner may: the file has mode 0600, in a directory of mode 0700.
const adminFile = "admin.sock"

const (
	maxSocketPath = 103     // bytes that every system takes (macOS: 104 with its end)
	maxAnswer     = 1 << 20 // bytes
	maxQuestion   = 4 << 10 // bytes
	answerIn      = 30 * time.Second
)

// ErrNotRunning is returned by Dial when no booster runs on the directory.
var ErrNotRunning = errors.New("no booster is running here; start it with tuber boost")

// listenAdmin opens the socket. The book is held, so a socket that lies there
// already was left by a booster that died.
func listenAdmin(dir string) (net.Listener, error) {
	path := filepath.Join(dir, adminFile)
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("open admin socket: %s has %d characters, at most %d; choose a shorter --state", path, len(path), maxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open admin socket: %w", err), ln.Close())
	}
	return ln, nil
}

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
type Client struct{ http *http.Client }

// Dial reaches the booster that runs on dir, or returns ErrNotRunning.
func Dial(dir string) (*Client, error) {
	path := filepath.Join(dir, adminFile)
	var d net.Dialer
	probe, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil, ErrNotRunning
	}
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("ask the booster: %w", err)
	}
	return &Client{&http.Client{Timeout: answerIn, Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
		DisableKeepAlives: true,
	}}}, nil
}

// Status is what the booster is doing.
func (c *Client) Status() (tuber.Status, error) {
	var st tuber.Status
	return st, c.call(http.MethodGet, "/status", nil, &st)
}

// Pause stops sending until the moment, or, if it is zero, until Resume.
func (c *Client) Pause(until time.Time) error {
	return c.call(http.MethodPost, "/pause", pauseQuestion{until}, nil)
}

// Resume ends a pause.
func (c *Client) Resume() error { return c.call(http.MethodPost, "/resume", nothing{}, nil) }

// SetLimits changes the owner's limits.
func (c *Client) SetLimits(l tuber.Limits) error { return c.call(http.MethodPost, "/limits", l, nil) }

// Join joins by an invite.
func (c *Client) Join(invite string) error {
	return c.call(http.MethodPost, "/join", joinQuestion{invite}, nil)
}

// Leave leaves the swarm of a host, by the name that Status shows.
func (c *Client) Leave(host string) error {
	return c.call(http.MethodPost, "/leave", leaveQuestion{host}, nil)
}

func (c *Client) call(method, path string, question, into any) error {
	var body io.Reader
	if question != nil {
		b, err := json.Marshal(question)
		if err != nil {
			return fmt.Errorf("ask the booster: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "http://booster"+path, body)
	if err != nil {
		return fmt.Errorf("ask the booster: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the booster: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask the booster: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(b)))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read the booster's answer: %w", err)
	}
	return nil
}
