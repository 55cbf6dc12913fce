package app

import (
	"context"
	"time"

	"github.com/tubercdn/tuber"
)

// stage is how far the engine's start has come.
type stage int

const (
	beginning stage = iota
	begun
	failed
)

// view is everything that is shown, as it was at one moment.
type view struct {
	now       time.Time
	begun     stage
	beginErr  error
	status    tuber.Status
	statusErr error
	settings  tuber.Settings
	setErr    error
	own       tuber.AppSettings
	events    []tuber.Event
	hosting   bool
	hostErr   error // why a host that was started ended, or cannot be seen
	host      tuber.HostState
	tray      tuber.Fact
}

// interval is how often the engine is asked.
const interval = time.Second

// watch asks the engine every interval, and at once after something was done,
// until ctx ends.
func (u *ui) watch(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		v := u.collect()
		u.lookForUpdate(ctx, v)
		u.on(func() { u.show(v) })
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-u.nudge:
		}
	}
}

// collect asks for everything once. It may block, so it never runs on Fyne's
// goroutine.
func (u *ui) collect() *view {
	v := &view{now: u.now(), own: u.cfg.Desk.Settings(), tray: u.cfg.Desk.HasTray()}
	u.mu.Lock()
	v.begun, v.beginErr = u.stage, u.beginErr
	u.mu.Unlock()
	if v.begun == begun {
		v.status, v.statusErr = u.cfg.Engine.Status()
		v.settings, v.setErr = u.cfg.Engine.Settings()
		v.hosting, v.hostErr = u.cfg.Hosting.Running()
		if v.hosting && v.hostErr == nil {
			v.host, v.hostErr = u.cfg.Hosting.State()
		}
		if u.wantsEvents.Load() {
			v.events, _ = u.cfg.Engine.Events()
		}
	}
	u.keepAwake(v)
	return v
}

// keepAwake keeps the machine awake only while somebody watches what it hosts.
// Only watch's goroutine calls it.
func (u *ui) keepAwake(v *view) {
	on := v.hosting && v.host.Viewers > 0
	if on == u.awake {
		return
	}
	if u.cfg.Desk.KeepAwake(on, "people watch a stream from this computer") == nil {
		u.awake = on
	}
}

// begin starts the engine.
func (u *ui) begin() {
	u.off(func() {
		err := u.cfg.Begin()
		u.mu.Lock()
		u.stage, u.beginErr = begun, err
		if err != nil {
			u.stage = failed
		}
		u.mu.Unlock()
		u.poke()
	})
}

// poke has the engine asked at once.
func (u *ui) poke() {
	select {
	case u.nudge <- struct{}{}:
	default: // it is about to be asked anyway
	}
}

// act does something that may block, off Fyne's goroutine, then tells done, on
// it, how it went. A nil done shows what went wrong on top of the window.
func (u *ui) act(do func() error, done func(error)) {
	if done == nil {
		done = func(err error) { u.complain(err) }
	}
	u.off(func() {
		err := do()
		u.on(func() { done(err) })
		u.poke()
	})
}

// change alters the engine's settings: the newest ones, whatever was shown.
func (u *ui) change(edit func(*tuber.Settings), done func(error)) {
	u.act(func() error {
		u.changing.Lock()
		defer u.changing.Unlock()
		s, err := u.cfg.Engine.Settings()
		if err != nil {
			return err
		}
		edit(&s)
		return u.cfg.Engine.SetSettings(s)
	}, done)
}

// changeOwn alters the window's settings.
func (u *ui) changeOwn(edit func(*tuber.AppSettings), done func(error)) {
	u.act(func() error {
		u.changing.Lock()
		defer u.changing.Unlock()
		s := u.cfg.Desk.Settings()
		edit(&s)
		return u.cfg.Desk.SetSettings(s)
	}, done)
}
