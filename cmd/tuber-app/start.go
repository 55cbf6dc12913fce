package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/app"
	"github.com/tubercdn/tuber/internal/desk"
	"github.com/tubercdn/tuber/internal/machine"
	"github.com/tubercdn/tuber/internal/release"
)

// awaitTray is how long a hidden start waits for the desktop's panel.
const awaitTray = 10 * time.Second

// start shows the window, or hands the invite to the program that shows it
// already. It returns once everything that it began has ended.
func start(ctx context.Context, o options, log *slog.Logger) (code int, err error) {
	if o.quit {
		err := desk.Quit(ctx, filepath.Join(o.state, "app"))
		return failed(err), err
	}
	if o.invite != "" {
		if _, err := tuber.ParseInvite(o.invite); err != nil {
			log.Warn("what was given is no invite; the window says so too", "err", err)
		}
	}
	if err := machine.Display(); err != nil {
		return exitFailed, without(err)
	}
	mine, err := desk.Start(ctx, filepath.Join(o.state, "app"), desk.Bounded(o.invite))
	if err != nil || mine == nil {
		return failed(err), err
	}
	ctx, cancel := context.WithCancel(ctx)
	var parts, answers sync.WaitGroup
	defer func() {
		cancel()
		parts.Wait()
		err = errors.Join(err, mine.Close()) // last: whoever waits for the folder finds all ended
		answers.Wait()
	}()
	answers.Go(func() {
		if err := mine.Serve(ctx, cancel); err != nil {
			log.Error("later starts are not answered", "err", err)
		}
	})
	if err := app.CanShow(); err != nil {
		return exitFailed, without(err)
	}
	d, err := desk.Open(desk.Options{
		Dir: filepath.Join(o.state, "app"), Engine: filepath.Join(o.state, "booster"),
		ID: app.ID, Version: release.Version(), Key: release.Key(),
	})
	if err != nil {
		return exitFailed, err
	}
	parts.Go(func() { d.Run(ctx) })
	hidden := startsHidden(o, d.Settings())
	if hidden {
		d.AwaitTray(ctx, awaitTray)
	}
	e := &engine{dir: filepath.Join(o.state, "booster"), upnp: !o.noUPnP, log: log}
	h := &hosting{dir: filepath.Join(o.state, "host"), upnp: !o.noUPnP, log: log}
	code = app.Run(ctx, app.Config{
		Engine: e, Hosting: h, Desk: d, Begin: e.begin,
		Invite: desk.Bounded(o.invite), Hidden: hidden, Shown: mine.Shown,
	})
	return code, errors.Join(h.Stop(), e.end())
}

// startsHidden tells whether the window stays away at first: an invite is to be
// seen, whatever else was asked for.
func startsHidden(o options, own tuber.AppSettings) bool {
	return (o.hidden || own.StartHidden) && o.invite == ""
}

func failed(err error) int {
	if err != nil {
		return exitFailed
	}
	return 0
}

// without adds to why no window can be shown what to do instead.
func without(err error) error {
	return fmt.Errorf("%w\nNothing was started. Without a window the same booster runs in a terminal: tuber boost [INVITE]", err)
}
