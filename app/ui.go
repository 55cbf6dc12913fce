package app

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// ui is the window and the tray icon.
type ui struct {
	cfg Config
	app fyne.App
	win fyne.Window
	now func() time.Time
	off func(func()) // runs something that may block, off Fyne's goroutine
	on  func(func()) // runs something on Fyne's goroutine

	work        sync.WaitGroup // what off started
	over        atomic.Bool    // Fyne's loop has ended
	nudge       chan struct{}
	stir        chan struct{} // ends a nap of doze
	wantsEvents atomic.Bool   // the activity page is open
	changing    sync.Mutex    // held while settings are read, altered and set
	awake       bool          // only watch's goroutine touches it
	lookedAt    time.Time     // for an update; so is this

	mu       sync.Mutex // guards the fields below
	stage    stage
	beginErr error

	// What follows is touched on Fyne's goroutine only.
	seen    *view
	history history
	visible bool // the window is shown
	asking  bool // a question is open
	waits   bool // to tell the owner of the system's question before the engine begins
	tray    *tray
	nav     *nav
	pages   []page
	open    int
	notice  *widget.Label
	strip   *fyne.Container
	notes   notes
	update  tuber.Release // newer than this one, if there is any
}

// page is one of the window's pages.
type page interface {
	name() string
	icon() fyne.Resource
	content() fyne.CanvasObject
	// show brings the page up to date. It is called only while it is seen.
	show(v *view)
}

// newUI makes the window, hidden.
func newUI(a fyne.App, cfg Config) *ui {
	u := &ui{
		cfg: cfg, app: a, now: time.Now, nudge: make(chan struct{}, 1), stir: make(chan struct{}, 1),
	}
	u.off = u.work.Go
	u.on = func(f func()) {
		select {
		case u.stir <- struct{}{}:
		default: // it ends already
		}
		fyne.Do(func() {
			if !u.over.Load() { // then Fyne runs f where it is, and windows are gone
				f()
			}
		})
	}
	u.seen = &view{now: u.now()}
	a.SetIcon(appIcon())
	u.win = a.NewWindow("Tuber")
	u.win.Resize(fyne.NewSize(920, 680))
	u.win.SetCloseIntercept(u.closed)
	a.Lifecycle().SetOnEnteredForeground(u.opened)
	return u
}

// build makes every widget, in the language spoken.
func (u *ui) build() {
	u.notice = words("")
	dismiss := quiet(tr("Close"), func() { u.strip.Hide() })
	u.strip = container.NewPadded(newNote(container.NewBorder(nil, nil, nil, dismiss, u.notice)))
	u.strip.Hide()

	u.pages = []page{newBoostPage(u), newHostPage(u), newReachPage(u), newActivityPage(u), newSettingsPage(u)}
	u.nav = newNav(u.pages, u.goTo)
	contents := container.NewStack()
	for _, p := range u.pages {
		c := p.content()
		c.Hide()
		contents.Add(c)
	}
	body := container.NewBorder(u.strip, nil, nil, nil, contents)
	u.win.SetContent(newFrame(u.nav, body))
	u.shortcuts()
	u.goTo(u.open)
}

// goTo opens a page.
func (u *ui) goTo(i int) {
	if i < 0 || i >= len(u.pages) {
		return
	}
	u.win.Canvas().Unfocus() // a field that is being edited is taken over
	u.open = i
	for k, p := range u.pages {
		showIf(p.content(), k == i)
	}
	u.nav.mark(i)
	_, events := u.pages[i].(interface{ wantsEvents() })
	u.wantsEvents.Store(events)
	u.opened()
	u.poke()
}

// opened brings the open page up to date when it comes into sight.
func (u *ui) opened() {
	if !u.visible {
		return
	}
	p := u.pages[u.open]
	p.show(u.seen)
	if p, ok := p.(interface{ opened() }); ok {
		p.opened()
	}
}

// show takes a new view. While the window is hidden only the tray follows it.
func (u *ui) show(v *view) {
	u.seen = v
	u.history.add(v)
	u.notes.follow(u, v)
	if u.tray != nil {
		u.tray.follow(v)
	}
	if !u.visible {
		if v.tray != "yes" { // nobody could find it again
			u.raise()
		}
		return
	}
	u.pages[u.open].show(v)
}

// complain shows what went wrong on top of the window, nil for nothing.
func (u *ui) complain(err error) {
	setOrHide(u.notice, errorText(err))
	showIf(u.strip, err != nil)
}

// raise shows the window.
func (u *ui) raise() {
	u.visible = true
	u.win.Show()
	u.win.RequestFocus()
	u.opened()
}

// run shows everything until ctx ends or the owner quits.
func (u *ui) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	u.off(func() { u.watch(ctx) })
	u.off(func() { u.listen(ctx) })
	if u.tray != nil { // else it is never hidden
		u.off(func() { u.doze(ctx) })
	}
	u.app.Run()
	u.over.Store(true)
	cancel()
	u.work.Wait()
}

// listen raises the window for every later start of the program.
func (u *ui) listen(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			u.on(u.app.Quit)
			return
		case invite := <-u.cfg.Shown:
			u.on(func() {
				u.raise()
				u.offer(invite)
			})
		}
	}
}

// offer takes an invite from outside, if there is one.
func (u *ui) offer(invite string) {
	if invite == "" {
		return
	}
	u.goTo(0)
	u.pages[0].(*boostPage).take(invite)
}

func iconOf(name fyne.ThemeIconName) fyne.Resource { return theme.Icon(name) }
