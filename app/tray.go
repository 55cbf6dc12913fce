package app

import (
	"runtime"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/systray"

	"github.com/tubercdn/tuber"
)

// tray is the icon beside the clock and its menu. It changes only when what it
// says changes, at most once for each view.
type tray struct {
	u      *ui
	desk   desktop.App
	menu   *fyne.Menu
	state  *fyne.MenuItem
	rate   *fyne.MenuItem
	pause  *fyne.MenuItem
	resume *fyne.MenuItem
	drawn  mood
	said   trayText
	tip    string

	changed time.Time // when the menu last did
}

// trayText is what the menu says.
type trayText struct {
	state, rate string
	paused      bool
}

// newTray makes the tray icon, or returns nil where the driver knows none.
func newTray(u *ui) *tray {
	desk, ok := u.app.(desktop.App)
	if !ok {
		return nil
	}
	t := &tray{u: u, desk: desk}
	t.build()
	if runtime.GOOS != "darwin" { // where a click opens the menu
		// Not SetSystemTrayWindow: it would show the window behind ui's back.
		systray.SetOnTapped(func() { u.on(u.raise) })
	}
	t.follow(u.seen)
	return t
}

// build makes the menu, in the language spoken.
func (t *tray) build() {
	t.state = fyne.NewMenuItem("", nil)
	t.rate = fyne.NewMenuItem("", nil)
	t.state.Disabled, t.rate.Disabled = true, true
	t.pause = fyne.NewMenuItem(tr("Pause"), nil)
	t.pause.ChildMenu = fyne.NewMenu("", t.u.pauseItems(tuber.PublicKey{})...)
	t.resume = fyne.NewMenuItem(tr("Resume"), func() { t.u.resume(tuber.PublicKey{}) })
	open := fyne.NewMenuItem(tr("Open Tuber"), t.u.raise)
	quit := fyne.NewMenuItem(tr("Quit Tuber"), t.u.quit)
	quit.IsQuit = true
	t.menu = fyne.NewMenu("Tuber", t.state, t.rate, fyne.NewMenuItemSeparator(),
		t.pause, t.resume, fyne.NewMenuItemSeparator(), open, quit)
	t.said, t.drawn, t.tip = trayText{}, "", ""
}

// follow brings the icon and the menu up to date.
func (t *tray) follow(v *view) {
	s := say(v)
	if s.mood != t.drawn {
		t.drawn = s.mood
		t.desk.SetSystemTrayIcon(trayIcon(s.mood))
	}
	text := sayInTray(s, v)
	tip := "Tuber: " + text.state
	if v.status.Reason == tuber.ReasonNone {
		tip += ". " + text.rate
	}
	if tip != t.tip {
		t.tip = tip
		systray.SetTooltip(tip)
	}
	calm := text
	calm.rate = t.said.rate
	if text == t.said || calm == t.said && v.now.Sub(t.changed) < rateEvery {
		return
	}
	t.said, t.changed = text, v.now
	t.state.Label, t.rate.Label = text.state, text.rate
	t.resume.Disabled = !text.paused
	t.desk.SetSystemTrayMenu(t.menu)
}

// rateEvery is how often a new rate alone changes the menu: one that is open
// loses its submenu then, and a click that is under way hits nothing. The
// tooltip has the rate of the moment.
const rateEvery = 30 * time.Second

// sayInTray is what the menu says of a view.
func sayInTray(s saying, v *view) trayText {
	return trayText{
		state:  s.title,
		rate:   tr("Sending {{.Up}}, receiving {{.Down}}", "Up", rateText(v.status.Upload), "Down", rateText(v.status.Download)),
		paused: v.status.Reason == tuber.ReasonPaused,
	}
}

// pauseItems are the pauses as a menu. A zero site pauses all swarms.
func (u *ui) pauseItems(site tuber.PublicKey) []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, c := range pauseChoices() {
		items = append(items, fyne.NewMenuItem(c.text, func() { u.pause(site, c) }))
	}
	return items
}

func (u *ui) pause(site tuber.PublicKey, c pauseChoice) {
	until := c.until(u.now())
	u.act(func() error { return u.cfg.Engine.Pause(site, until) }, nil)
}

func (u *ui) resume(site tuber.PublicKey) {
	u.act(func() error { return u.cfg.Engine.Resume(site) }, nil)
}
