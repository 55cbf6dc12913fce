// Package admin is the Unix socket by which commands speak to the program that
// runs on a state directory: both of its ends.
//
// Invariants: only the owner may speak (mode 0600), and no answer is read
// beyond its bound.
package admin

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
)

const (
	file      = "admin.sock"
	maxPath   = 103      // bytes that every system takes (macOS: 104 with its end)
	maxAnswer = 16 << 20 // bytes
	dialIn    = time.Second
	answerIn  = 30 * time.Second
)

// Listen opens the socket. The caller holds the directory, so a socket that
// lies there already was left by a program that died.
func Listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, file)
	if len(path) > maxPath {
		return nil, fmt.Errorf("open admin socket: %s has %d characters, at most %d; choose a shorter one with --state", path, len(path), maxPath)
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

// Client speaks to the program that runs on a directory.
type Client struct {
	http *http.Client
	whom string
}

// Dial reaches the program that runs on dir; whom is what errors call it. It
// fails at once where none runs.
func Dial(dir, whom string) (*Client, error) {
	path := filepath.Join(dir, file)
	probe, err := net.DialTimeout("unix", path, dialIn)
	if err != nil {
		return nil, err
	}
	if err := probe.Close(); err != nil {
		return nil, err
	}
	var d net.Dialer
	return &Client{whom: whom, http: &http.Client{Timeout: answerIn, Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
		DisableKeepAlives: true,
	}}}, nil
}

// Call asks one question, if it is not nil, and reads the answer into into, if
// that is not nil. A refusal is an error with the program's own sentence.
func (c *Client) Call(method, path string, question, into any) error {
	body := io.Reader(http.NoBody)
	if question != nil {
		b, err := json.Marshal(question)
		if err != nil {
			return fmt.Errorf("ask %s: %w", c.whom, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "http://admin"+path, body)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.whom, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.whom, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.whom, err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(b)))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.whom, err)
	}
	return nil
}
