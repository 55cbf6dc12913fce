package host

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

// adminFile is the socket by which commands speak to the running host.
const adminFile = "admin.sock"

// maxSocketPath is the longest path of a Unix socket that every system takes (macOS: 104 with its end).
const maxSocketPath = 103

// ErrNotRunning is returned by DialAdmin when no host runs on the directory.
var ErrNotRunning = errors.New("no host is running here")

// listenAdmin opens the admin socket. The caller holds the directory, so a
// socket that lies there already was left by a host that died.
func listenAdmin(dir string) (net.Listener, error) {
	path := filepath.Join(dir, adminFile)
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("open admin socket: %s has %d characters, at most %d; choose a shorter one with --state", path, len(path), maxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	return ln, nil
}

// Admin speaks to the host that runs on a directory. Close it after use.
type Admin struct{ client *http.Client }

// DialAdmin reaches the host that runs on dir, or returns ErrNotRunning.
func DialAdmin(dir string) (*Admin, error) {
	path := filepath.Join(dir, adminFile)
	var d net.Dialer
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) }
	probe, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotRunning, err)
	}
	probe.Close()
	return &Admin{&http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		Timeout:   10 * time.Second,
	}}, nil
}

// Close lets go of the socket.
func (a *Admin) Close() error { a.client.CloseIdleConnections(); return nil }

// State is what the dashboard shows.
func (a *Admin) State() (State, error) {
	var s State
	return s, a.call(http.MethodGet, "/api/state", nil, &s)
}

// Status is the part of State that a status line needs.
func (a *Admin) Status() (tuber.HostStatus, error) {
	s, err := a.State()
	return s.HostStatus, err
}

// Invite makes an invite; its link is shown this once.
func (a *Admin) Invite(o Offer) (Invited, error) {
	var v Invited
	return v, a.call(http.MethodPost, "/api/invites", o, &v)
}

// Invites lists the invites of the book.
func (a *Admin) Invites() ([]tuber.InviteRecord, error) {
	s, err := a.State()
	return s.Invites, err
}

// RevokeInvite makes an invite useless from now on.
func (a *Admin) RevokeInvite(id string) error {
	return a.call(http.MethodPost, "/api/invites/revoke", struct{ ID string }{id}, nil)
}

// RemoveBooster takes a booster out of the swarm and of the book.
func (a *Admin) RemoveBooster(id tuber.PeerID) error {
	return a.call(http.MethodPost, "/api/boosters/remove", struct{ ID tuber.PeerID }{id}, nil)
}

// SetEnabled is the kill switch.
func (a *Admin) SetEnabled(on bool) error {
	return a.call(http.MethodPost, "/api/enabled", flip{on}, nil)
}

// SetPlanner stops or starts the planner.
func (a *Admin) SetPlanner(on bool) error {
	return a.call(http.MethodPost, "/api/planner", flip{on}, nil)
}

const maxAnswer = 16 << 20 // bytes

func (a *Admin) call(method, path string, q, into any) error {
	var body io.Reader
	if q != nil {
		b, err := json.Marshal(q)
		if err != nil {
			return fmt.Errorf("ask the host: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "http://host"+path, body)
	if err != nil {
		return fmt.Errorf("ask the host: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the host: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask the host: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(b)))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read the host's answer: %w", err)
	}
	return nil
}
