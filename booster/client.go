package booster

import (
	"net/http"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/admin"
)

// Client speaks to the booster that runs on a directory, in this process or in
// another one.
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

// Settings are those that the owner chose.
func (c *Client) Settings() (tuber.Settings, error) {
	var s tuber.Settings
	return s, c.admin.Call(http.MethodGet, "/settings", nil, &s)
}

// SetSettings changes the owner's settings at once and for good.
func (c *Client) SetSettings(s tuber.Settings) error {
	return c.admin.Call(http.MethodPost, "/settings", s, nil)
}

// Pause stops sending in one swarm, or, if site is zero, in all of them, until
// the moment, or, if that is zero, until Resume.
func (c *Client) Pause(site tuber.PublicKey, until time.Time) error {
	return c.admin.Call(http.MethodPost, "/pause", pauseQuestion{site, until}, nil)
}

// Resume ends the pause of one swarm, or, if site is zero, the one of all.
func (c *Client) Resume(site tuber.PublicKey) error {
	return c.admin.Call(http.MethodPost, "/resume", siteQuestion{site}, nil)
}

// Join joins by an invite.
func (c *Client) Join(invite string) error {
	return c.admin.Call(http.MethodPost, "/join", joinQuestion{invite}, nil)
}

// Leave leaves a swarm for good.
func (c *Client) Leave(site tuber.PublicKey) error {
	return c.admin.Call(http.MethodPost, "/leave", siteQuestion{site}, nil)
}

// Events are the last that happened, oldest first.
func (c *Client) Events() ([]tuber.Event, error) {
	var all []tuber.Event
	return all, c.admin.Call(http.MethodGet, "/events", nil, &all)
}
