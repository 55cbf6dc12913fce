package app

import (
	"context"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
)

// ID names the program to the desktop.
const ID = "io.github.tubercdn.tuber"

// Config is what the window is given. Engine, Hosting, Desk and Begin must be set.
type Config struct {
	Engine  Engine // its calls fail until Begin has returned nil
	Hosting Hosting
	Desk    Desk
	// Begin starts the engine and returns once it answers, or why it cannot
	// start: one sentence or a few, for the window to show. It is called once,
	// off Fyne's goroutine: at once, or, where Desk.FirewallAsks, after the
	// owner was told that a question of the system may come.
	Begin func() error
	// Invite is shown first, if it is not empty. It is text from elsewhere:
	// only tuber.ParseInvite says whether it is one.
	Invite string
	// Hidden starts without the window, if there is a tray to reach it by.
	Hidden bool
	// Shown gets the invite, or "", of each later start of the program, which
	// asks for the window to be raised. It is never closed.
	Shown <-chan string
}

// Run shows the window and the tray icon until the owner quits or ctx ends. It
// must be called on the main goroutine. What it returns is the exit code.
func Run(ctx context.Context, c Config) int {
	a := fyneapp.NewWithID(ID)
	a.Settings().SetTheme(newLook())
	if err := speak(c.Desk.Settings().Language); err != nil {
		fyne.LogError("read the texts", err)
	}
	u := newUI(a, c)
	u.build()
	u.tray = newTray(u)
	u.waits = c.Desk.FirewallAsks()
	if !c.Hidden || u.tray == nil || c.Invite != "" || u.waits {
		u.raise()
	}
	u.offer(c.Invite)
	if !u.waits {
		u.begin()
	}
	u.run(ctx)
	return 0
}
