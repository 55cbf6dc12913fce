package app

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// TestEverythingIsReachedByTab walks each page by Tab and meets every button,
// field and choice that is shown.
func TestEverythingIsReachedByTab(t *testing.T) {
	s := newStand(t, "en", func(s *stand) { helping(s); serving(s); s.engine.settings.Schedule.On = true })
	c := s.u.win.Canvas()
	for i := range s.u.pages {
		s.u.goTo(i)
		s.tick()
		want := map[fyne.Focusable]string{}
		s.walk(func(o fyne.CanvasObject) {
			if f, ok := o.(fyne.Focusable); ok {
				switch o.(type) {
				case *widget.Button, *widget.Check, *widget.Select, *widget.Slider, *keenEntry, *navItem, *hours:
					want[f] = s.u.pages[i].name()
				}
			}
		})
		if len(want) < len(s.u.pages) {
			t.Fatalf("only %d things to do on %s", len(want), s.u.pages[i].name())
		}
		for range 200 {
			c.FocusNext()
			delete(want, c.Focused())
		}
		for f, page := range want {
			t.Errorf("%s: Tab never comes to %T", page, f)
		}
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
