package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/booster"
	"github.com/tubercdn/tuber/internal/machine"
	"github.com/tubercdn/tuber/store"
)

// engine is the booster that the window shows: one that runs in this program,
// or one that runs on the folder already, without a window. Either way it is
// spoken to through its socket, so that the window sees no difference.
type engine struct {
	dir  string
	upnp bool
	log  *slog.Logger

	mu     sync.Mutex // guards the fields below
	client *booster.Client
	own    bool
	cancel context.CancelFunc
	done   chan struct{} // closed when our own booster has ended
	err    error         // why it ended; read it once done is closed
}

var (
	errNotBegun = errors.New("the booster was not started yet")
	errEnded    = errors.New("the booster has ended; quit Tuber and start it again")
)

// begin starts the booster, or finds the one that runs.
func (e *engine) begin() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return nil
	}
	b, err := booster.New(booster.Config{
		Dir: e.dir, UPnP: e.upnp, WatchFacts: machine.WatchFacts, Log: e.log,
	})
	var locked *store.LockedError
	switch {
	case errors.As(err, &locked):
		if e.client, err = booster.Dial(e.dir); err != nil {
			return fmt.Errorf("%w (it does not answer)", locked)
		}
		e.log.Info("a booster runs here already; the window shows that one")
		return nil
	case err != nil:
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel, e.done, e.own = cancel, make(chan struct{}), true
	go func() {
		defer close(e.done)
		if e.err = b.Run(ctx); e.err != nil {
			e.log.Error("the booster ended", "err", e.err)
		}
	}()
	e.client, err = booster.Dial(e.dir)
	return err
}

// end stops the booster if it is this program's own, and waits for it.
func (e *engine) end() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.own {
		return nil
	}
	e.cancel()
	<-e.done
	return e.err
}

// ask speaks to the booster.
func (e *engine) ask(do func(*booster.Client) error) error {
	e.mu.Lock()
	c, own, done := e.client, e.own, e.done
	e.mu.Unlock()
	if c == nil {
		return errNotBegun
	}
	err := do(c)
	if err != nil && own {
		select {
		case <-done:
			return errors.Join(errEnded, e.err)
		default:
		}
	}
	return err
}

func (e *engine) Status() (st tuber.Status, err error) {
	err = e.ask(func(c *booster.Client) error { st, err = c.Status(); return err })
	return st, err
}

func (e *engine) Settings() (s tuber.Settings, err error) {
	err = e.ask(func(c *booster.Client) error { s, err = c.Settings(); return err })
	return s, err
}

func (e *engine) Events() (list []tuber.Event, err error) {
	err = e.ask(func(c *booster.Client) error { list, err = c.Events(); return err })
	return list, err
}

func (e *engine) SetSettings(s tuber.Settings) error {
	return e.ask(func(c *booster.Client) error { return c.SetSettings(s) })
}

func (e *engine) Pause(site tuber.PublicKey, until time.Time) error {
	return e.ask(func(c *booster.Client) error { return c.Pause(site, until) })
}

func (e *engine) Resume(site tuber.PublicKey) error {
	return e.ask(func(c *booster.Client) error { return c.Resume(site) })
}

func (e *engine) Join(invite string) error {
	return e.ask(func(c *booster.Client) error { return c.Join(invite) })
}

func (e *engine) Leave(site tuber.PublicKey) error {
	return e.ask(func(c *booster.Client) error { return c.Leave(site) })
}
