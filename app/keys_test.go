package app

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// onTop is what takes keys now: the page, or what lies over it.
func (s *stand) onTop() fyne.CanvasObject {
	c := s.u.win.Canvas()
	if over := c.Overlays().Top(); over != nil {
		return over
	}
	return c.Content()
}

// reaches says that Tab comes to everything that takes keys and is shown now,
// at least so many things, with each of these kinds among them.
func (s *stand) reaches(least int, kinds ...string) {
	s.Helper()
	want, have := map[fyne.Focusable]bool{}, map[string]bool{}
	walk(s.onTop(), func(o fyne.CanvasObject) {
		f, ok := o.(fyne.Focusable)
		if d, can := o.(fyne.Disableable); ok && (!can || !d.Disabled()) {
			want[f] = true
			have[fmt.Sprintf("%T", o)] = true
		}
	})
	if len(want) < least {
		s.Errorf("only %d things to do: %v", len(want), have)
	}
	for _, kind := range kinds {
		if !have[kind] {
			s.Errorf("no %s among %v", kind, have)
		}
	}
	c := s.u.win.Canvas()
	for range 200 {
		c.FocusNext()
		delete(want, c.Focused())
	}
	for f := range want {
		s.Errorf("Tab never comes to %T", f)
	}
}

// TestEverythingIsReachedByTab: every button, field, choice and list, on each
// page, in the form of a host, before consent and in every question.
func TestEverythingIsReachedByTab(t *testing.T) {
	busy := func(s *stand) {
		helping(s)
		serving(s)
		s.engine.settings.Schedule.On = true
		s.engine.events = happened()
	}
	asks := func(page, button string) func(*stand) {
		return func(s *stand) { onPage(page)(s); s.tap(button) }
	}
	for name, tc := range map[string]struct {
		prepare, act func(*stand)
		least        int
		kinds        []string
	}{
		"boost":         {busy, onPage("Boost"), 12, []string{"*widget.Button", "*app.keenEntry", "*app.navItem"}},
		"host":          {busy, onPage("Host"), 12, []string{"*widget.Button", "*app.navItem"}},
		"a host's form": {helping, onPage("Host"), 12, []string{"*widget.radioItem", "*app.keenEntry", "*widget.Button"}},
		"reachability":  {busy, onPage("Reachability"), 5, nil},
		"activity":      {busy, onPage("Activity"), 6, []string{"*widget.List"}},
		"settings":      {busy, onPage("Settings"), 20, []string{"*widget.Slider", "*widget.Check", "*widget.Select", "*app.hours", "*app.keenEntry"}},
		"consent":       {nil, offer("tv.example"), 7, []string{"*widget.Button"}},
		"leave?":        {busy, asks("Boost", "Leave …"), 2, []string{"*widget.Button"}},
		"remove?":       {busy, asks("Host", "Remove …"), 2, []string{"*widget.Button"}},
		"quit?":         {busy, func(s *stand) { s.u.quit() }, 2, []string{"*widget.Button"}},
	} {
		t.Run(name, func(t *testing.T) {
			var prepare []func(*stand)
			if tc.prepare != nil {
				prepare = append(prepare, tc.prepare)
			}
			s := newStand(t, "en", prepare...)
			tc.act(s)
			s.reaches(tc.least, tc.kinds...)
		})
	}
}

func TestShortcuts(t *testing.T) {
	s := newStand(t, "en")
	press := func(shortcut fyne.Shortcut) {
		for _, k := range s.u.keys() {
			if k.ShortcutName() == shortcut.ShortcutName() {
				k.do()
				return
			}
		}
		t.Fatalf("%s does nothing", shortcut.ShortcutName())
	}
	for i := range s.u.pages {
		press(&desktop.CustomShortcut{KeyName: fyne.KeyName(rune('1' + i)), Modifier: fyne.KeyModifierShortcutDefault})
		if s.u.open != i {
			t.Errorf("Ctrl+%d opened page %d", i+1, s.u.open)
		}
	}
	s.app.Clipboard().SetContent(testInvite("tv.example", 9).URL())
	press(&fyne.ShortcutPaste{})
	s.misses("Help tv.example?") // only on the first page
	s.u.goTo(0)
	press(&fyne.ShortcutPaste{})
	s.sees("Help tv.example?")
}

func TestAFieldPassesShortcutsOn(t *testing.T) {
	s := newStand(t, "en")
	e := s.entry("https://…/.tuber/join#…")
	s.u.win.Canvas().Focus(e)
	e.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.Key2, Modifier: fyne.KeyModifierShortcutDefault})
	if s.u.open != 1 {
		t.Errorf("Ctrl+2 opened page %d", s.u.open)
	}
	e.SetText("hello")
	e.TypedShortcut(&fyne.ShortcutSelectAll{})
	if e.SelectedText() != "hello" {
		t.Errorf("the field's own shortcut selects %q", e.SelectedText())
	}
}

func TestAPageIsOpenedByTheKeyboard(t *testing.T) {
	s := newStand(t, "en")
	s.u.nav.items[2].TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	if s.u.open != 2 {
		t.Errorf("page %d is open", s.u.open)
	}
}
