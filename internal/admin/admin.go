// Package admin is the socket by which commands speak to the program that runs
// on a state directory: both of its ends. It is a Unix socket, on Windows a
// named pipe.
//
// Invariants: only the owner may speak (mode 0600; the pipe's access list), and
// no answer is read beyond its bound.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	maxAnswer = 16 << 20 // bytes
	dialIn    = time.Second
	answerIn  = 30 * time.Second
)

// Client speaks to the program that runs on a directory.
type Client struct {
	http *http.Client
	whom string
}

// Dial reaches the program that runs on dir; whom is what errors call it. It
// fails at once where none runs.
func Dial(dir, whom string) (*Client, error) {
	probe, cancel := context.WithTimeout(context.Background(), dialIn)
	defer cancel()
	conn, err := dial(probe, dir)
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return &Client{whom: whom, http: &http.Client{Timeout: answerIn, Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) },
		DisableKeepAlives: true,
	}}}, nil
}

// Call asks one question, if it is not nil, and reads the answer into into, if
// that is not nil. A refusal is an error with the program's own sentence.
func (c *Client) Call(method, path string, question, into any) error {
	return c.CallContext(context.Background(), method, path, question, into)
}

// CallContext is Call that waits no longer than ctx lasts.
func (c *Client) CallContext(ctx context.Context, method, path string, question, into any) error {
	body := io.Reader(http.NoBody)
	if question != nil {
		b, err := json.Marshal(question)
		if err != nil {
			return fmt.Errorf("ask %s: %w", c.whom, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://admin"+path, body)
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
