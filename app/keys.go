package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// key is a shortcut that works everywhere in the window.
type key struct {
	fyne.Shortcut
	do func()
}

// keys are Ctrl+1 to Ctrl+5 for the pages, Ctrl+V on the first one for an
// invite, Ctrl+W to close and Ctrl+Q to quit.
func (u *ui) keys() []key {
	control := func(name fyne.KeyName) fyne.Shortcut {
		return &desktop.CustomShortcut{KeyName: name, Modifier: fyne.KeyModifierShortcutDefault}
	}
	all := []key{
		{control(fyne.KeyW), u.closed}, {control(fyne.KeyQ), u.quit},
		{&fyne.ShortcutPaste{}, func() {
			if u.open == 0 {
				u.offer(u.app.Clipboard().Content())
			}
		}},
	}
	for i := range u.pages {
		all = append(all, key{control(fyne.KeyName(rune('1' + i))), func() { u.goTo(i) }})
	}
	return all
}

// shortcuts has the window listen to them.
func (u *ui) shortcuts() {
	for _, k := range u.keys() {
		u.win.Canvas().AddShortcut(k.Shortcut, func(fyne.Shortcut) { k.do() })
	}
}

// keenEntry is a text field that tells when it is left. Fyne gives a field that
// is being edited every shortcut; this one passes the window's on.
type keenEntry struct {
	widget.Entry
	u       *ui
	left    func()
	focused bool
}

func newKeenEntry(u *ui) *keenEntry {
	e := &keenEntry{u: u}
	e.ExtendBaseWidget(e)
	return e
}

func (e *keenEntry) FocusGained() {
	e.focused = true
	e.Entry.FocusGained()
}

func (e *keenEntry) FocusLost() {
	e.focused = false
	e.Entry.FocusLost()
	if e.left != nil {
		e.left()
	}
}

func (e *keenEntry) TypedShortcut(shortcut fyne.Shortcut) {
	if _, ours := shortcut.(*desktop.CustomShortcut); ours {
		for _, k := range e.u.keys() {
			if k.ShortcutName() == shortcut.ShortcutName() {
				k.do()
				return
			}
		}
	}
	e.Entry.TypedShortcut(shortcut)
}
