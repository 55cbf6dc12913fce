package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"github.com/tubercdn/tuber"
)

// calls is what the fakes were asked to do, in order.
type calls struct{ list []string }

func (c *calls) note(format string, args ...any) {
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

// fakeEngine answers with what a test set and records what it was told.
type fakeEngine struct {
	*calls
	status   tuber.Status
	settings tuber.Settings
	events   []tuber.Event
	fail     error // of everything that changes something
	broken   error // of Status
	unread   error // of Settings
}

func (e *fakeEngine) Status() (tuber.Status, error)     { return e.status, e.broken }
func (e *fakeEngine) Settings() (tuber.Settings, error) { return e.settings, e.unread }
func (e *fakeEngine) Events() ([]tuber.Event, error)    { return e.events, nil }

func (e *fakeEngine) SetSettings(s tuber.Settings) error {
	e.note("set")
	if e.fail == nil {
		e.settings = s
	}
	return e.fail
}

func (e *fakeEngine) Pause(site tuber.PublicKey, until time.Time) error {
	if until.IsZero() {
		e.note("pause %x for good", site[:1])
	} else {
		e.note("pause %x until %s", site[:1], until.Format("2006-01-02 15:04"))
	}
	return e.fail
}

func (e *fakeEngine) Resume(site tuber.PublicKey) error { e.note("resume %x", site[:1]); return e.fail }
func (e *fakeEngine) Join(invite string) error          { e.note("join %s", invite); return e.fail }
func (e *fakeEngine) Leave(site tuber.PublicKey) error  { e.note("leave %x", site[:1]); return e.fail }

type fakeHosting struct {
	*calls
	running bool
	ended   error
	broken  error // of State
	state   tuber.HostState
	fail    error
}

func (h *fakeHosting) Start(s tuber.HostSetup) error {
	h.note("start %+v", s)
	h.running = h.fail == nil
	return h.fail
}
func (h *fakeHosting) Stop() error                     { h.note("stop"); h.running = false; return h.fail }
func (h *fakeHosting) Running() (bool, error)          { return h.running, h.ended }
func (h *fakeHosting) State() (tuber.HostState, error) { return h.state, h.broken }
func (h *fakeHosting) RevokeInvite(id string) error    { h.note("revoke %s", id); return h.fail }
func (h *fakeHosting) RemoveBooster(id tuber.PeerID) error {
	h.note("remove %x", id[:1])
	return h.fail
}
func (h *fakeHosting) Invite(o tuber.Offer) (tuber.Invited, error) {
	h.note("invite %+v", o)
	link := testInvite("tv.example", 7).URL()
	return tuber.Invited{ID: "abcd1234", URL: link, Expires: noon.Add(24 * time.Hour), Uses: 1}, h.fail
}

type fakeDesk struct {
	*calls
	settings tuber.AppSettings
	trouble  string
	login    bool
	tray     tuber.Fact
	free     uint64
	update   tuber.Release
	fail     error
	firewall bool
}

func (d *fakeDesk) Settings() tuber.AppSettings { return d.settings }
func (d *fakeDesk) SetSettings(s tuber.AppSettings) error {
	d.note("own")
	if d.fail == nil {
		d.settings = s
	}
	return d.fail
}
func (d *fakeDesk) Trouble() string              { return d.trouble }
func (d *fakeDesk) StartsAtLogin() (bool, error) { return d.login, nil }
func (d *fakeDesk) SetStartAtLogin(on bool) error {
	d.note("login %v", on)
	d.login = on
	return d.fail
}
func (d *fakeDesk) HasTray() tuber.Fact { return d.tray }
func (d *fakeDesk) FreeDisk(string) (uint64, error) {
	if d.free == 0 {
		return 0, errors.New("no such folder")
	}
	return d.free, nil
}
func (d *fakeDesk) KeepAwake(on bool, why string) error { d.note("awake %v", on); return nil }
func (d *fakeDesk) CheckUpdate(context.Context) (tuber.Release, error) {
	d.note("update")
	return d.update, d.fail
}
func (d *fakeDesk) Version() string    { return "1.2.3" }
func (d *fakeDesk) FirewallAsks() bool { return d.firewall }

// noon is the time in every test: a Wednesday.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.FixedZone("CET", 3600))

// stand is a window on a stand: fakes beneath it, everything in one goroutine,
// and a clock that stands still.
type stand struct {
	*testing.T
	*calls
	u       *ui
	app     fyne.App
	engine  *fakeEngine
	hosting *fakeHosting
	desk    *fakeDesk
}

// newStand makes a window in the language, shown, with an engine that has begun.
func newStand(t *testing.T, language string, prepare ...func(*stand)) *stand {
	t.Helper()
	c := &calls{}
	s := &stand{T: t, calls: c,
		engine:  &fakeEngine{calls: c, settings: tuber.DefaultSettings()},
		hosting: &fakeHosting{calls: c},
		desk:    &fakeDesk{calls: c, tray: tuber.FactYes, free: 500e9},
	}
	s.app = test.NewTempApp(t)
	s.app.Settings().SetTheme(newLook())
	for _, p := range prepare {
		p(s)
	}
	if err := speak(language); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { speak("en") })
	s.u = newUI(s.app, Config{Engine: s.engine, Hosting: s.hosting, Desk: s.desk, Begin: func() error { return nil }})
	s.u.now = func() time.Time { return noon }
	s.u.off = func(f func()) { f() }
	s.u.on = func(f func()) { f() }
	s.u.build()
	s.u.raise()
	s.u.begin()
	s.tick()
	t.Cleanup(s.u.win.Close)
	return s
}

// tick is one second of the window.
func (s *stand) tick() { s.u.show(s.u.collect()) }

// did says that the fakes were asked exactly this since the last time.
func (s *stand) did(want ...string) {
	s.Helper()
	if !slices.Equal(s.list, want) {
		s.Errorf("the engine was told %q, want %q", s.list, want)
	}
	s.list = nil
}

func testSite(n byte) (k tuber.PublicKey) { k[0] = n; return }

func testInvite(host string, n byte) tuber.Invite {
	return tuber.Invite{Host: host, Site: testSite(n), Secret: tuber.Secret{n}}
}

func ptr[T any](v T) *T { return &v }

// page is the number of a page by its English name.
func (s *stand) page(english string) int {
	for i, p := range s.u.pages {
		if p.name() == tr(english) {
			return i
		}
	}
	s.Fatalf("no page %q", english)
	return 0
}

// scroll moves the open page down.
func (s *stand) scroll(by float32) {
	c := s.u.pages[s.u.open].content().(*container.Scroll)
	c.ScrollToOffset(fyne.NewPos(0, fyne.Min(by, c.Content.Size().Height-c.Size().Height)))
}
