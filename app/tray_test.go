package app

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/tubercdn/tuber"
)

// fakeTray counts what the tray is given.
type fakeTray struct {
	fyne.App
	menus, icons []string
	menu         *fyne.Menu
}

func (f *fakeTray) SetSystemTrayMenu(m *fyne.Menu) {
	f.menu = m
	f.menus = append(f.menus, m.Items[0].Label+" | "+m.Items[1].Label)
}
func (f *fakeTray) SetSystemTrayIcon(r fyne.Resource) { f.icons = append(f.icons, r.Name()) }
func (f *fakeTray) SetSystemTrayWindow(w fyne.Window) { panic("shows the window behind ui's back") }

// withTray gives a stand a tray.
func withTray(s *stand) *fakeTray {
	f := &fakeTray{App: s.app}
	s.u.app = f
	s.u.tray = newTray(s.u)
	return f
}

func TestTheTraySaysEachStateInWords(t *testing.T) {
	fail := errors.New("broken")
	for _, c := range []struct {
		want, title string
		prepare     func(*stand)
	}{
		{"active", "Helping", helping},
		{"idle", "Ready", func(s *stand) { helping(s); s.engine.status.Upload = 0 }},
		{"idle", "Ready", nil},
		{"limited", "Limited", func(s *stand) { helping(s); s.engine.status.Second = true }},
		{"paused", "Paused", silent(tuber.ReasonPaused, false)},
		{"paused-rule", "Paused by a rule", silent(tuber.ReasonAllowance, false)},
		{"paused-rule", "Paused by a rule", silent(tuber.ReasonSchedule, false)},
		{"paused-rule", "Paused by a rule", silent(tuber.ReasonMetered, false)},
		{"paused-rule", "Paused by a rule", silent(tuber.ReasonBattery, true)},
		{"paused-rule", "Paused by a rule", silent(tuber.ReasonVPN, false)},
		{"offline", "Offline", func(s *stand) {
			helping(s)
			s.engine.status.Swarms[0].Connected, s.engine.status.Swarms[1].Connected = false, false
		}},
		{"error", "Something is wrong", silent(tuber.ReasonError, false)},
		{"error", "Not running", func(s *stand) { s.engine.broken = fail }},
	} {
		s := newStand(t, "en")
		f := withTray(s)
		if c.prepare != nil {
			c.prepare(s)
		}
		s.tick()
		if got := f.icons[len(f.icons)-1]; got != "tray-"+c.want+".png" {
			t.Errorf("the icon is %s, want %s", got, c.want)
		}
		if got := f.menu.Items[0].Label; got != c.title {
			t.Errorf("the menu begins with %q, want %q", got, c.title)
		}
	}
}

func TestTheTrayChangesOnlyWhenItSaysSomethingElse(t *testing.T) {
	s := newStand(t, "en", helping)
	f := withTray(s)
	before := len(f.menus)
	for range 10 {
		s.tick()
	}
	if len(f.menus) != before || len(f.icons) != 1 {
		t.Errorf("%d menus and %d icons for one state", len(f.menus)-before, len(f.icons))
	}
	s.engine.status.Upload = 1e6
	s.tick()
	if len(f.menus) != before {
		t.Errorf("a new rate changed the menu at once: %q", f.menus)
	}
	later := s.u.now().Add(rateEvery)
	s.u.now = func() time.Time { return later }
	s.tick()
	if len(f.menus) != before+1 || f.menus[before] != "Helping | Sending 1.0 Mbit/s, receiving 1.1 Mbit/s" {
		t.Errorf("the menus are %q", f.menus)
	}
}

func TestTheTraysMenuDoesWhatItSays(t *testing.T) {
	s := newStand(t, "en", helping)
	f := withTray(s)
	var names []string
	for _, i := range f.menu.Items[2:] {
		names = append(names, i.Label)
	}
	if got := strings.Join(names, ","); got != ",Pause,Resume,,Open Tuber,Quit Tuber" {
		t.Fatalf("the menu is %s", got)
	}
	f.menu.Items[3].ChildMenu.Items[0].Action()
	f.menu.Items[4].Action()
	s.did("pause 00 until 2026-11-25 12:30", "resume 00")
	s.u.closed()
	if s.u.visible {
		t.Error("the window did not hide")
	}
	f.menu.Items[6].Action()
	if !s.u.visible {
		t.Error("the window did not open")
	}
}

func TestWithoutATrayTheWindowIsNeverHidden(t *testing.T) {
	for _, fact := range []tuber.Fact{tuber.FactNo, tuber.FactUnknown} {
		s := newStand(t, "en", func(s *stand) { helping(s); s.desk.tray = fact })
		withTray(s)
		s.u.closed()
		if !s.u.visible {
			t.Fatal("hidden where nobody shows tray icons")
		}
		s.sees("Quit Tuber?", "could not see it or stop it")
		s.u.closed() // asks no second time
		if n := len(s.u.win.Canvas().Overlays().List()); n != 1 {
			t.Errorf("%d questions are open", n)
		}
		s.tap("Keep it open")
		s.misses("Quit Tuber?")
	}
}

func TestAWindowIsShownAgainWhenTheTrayGoes(t *testing.T) {
	s := newStand(t, "en", helping)
	withTray(s)
	s.u.closed()
	s.tick()
	if s.u.visible {
		t.Fatal("shown although there is a tray")
	}
	s.desk.tray = tuber.FactNo
	s.tick()
	if !s.u.visible {
		t.Error("the tray is gone and the window stays hidden")
	}
}

// TestNotificationsAreHarmless: Fyne hands them to PowerShell on Windows, so
// none has a character that means something to it, in any language.
func TestNotificationsAreHarmless(t *testing.T) {
	safe := regexp.MustCompile(`^[\p{L}\p{N} .,:]+$`)
	for _, l := range languages() {
		if err := speak(l); err != nil {
			t.Fatal(err)
		}
		for n := noteAllowance; n <= noteInTray; n++ {
			if !safe.MatchString(n.text()) {
				t.Errorf("%s: %q", l, n.text())
			}
		}
	}
	speak("en")
}

func TestNotificationsAreFew(t *testing.T) {
	s := newStand(t, "en", helping)
	test.AssertNotificationSent(t, &fyne.Notification{Title: "Tuber", Content: noteAllowance.text()}, func() {
		s.engine.status.Reason = tuber.ReasonAllowance
		s.tick()
	})
	test.AssertNotificationSent(t, nil, func() { s.tick() })
	test.AssertNotificationSent(t, nil, func() {
		s.desk.settings.Quiet = true
		s.engine.status.Reason = tuber.ReasonError
		s.engine.status.Error = "$(calc)"
		s.tick()
	})
}
