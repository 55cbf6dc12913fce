package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
)

// closed is the window's close button: it hides where a tray icon brings it
// back, and asks elsewhere, so that nothing is ever sent unseen.
func (u *ui) closed() {
	u.win.Canvas().Unfocus()
	if u.tray != nil && u.seen.tray == "yes" {
		u.visible = false
		u.win.Hide()
		if !u.notes.inTray {
			u.notes.inTray = true
			u.notify(noteInTray)
		}
		return
	}
	u.ask(question{
		title: tr("Quit Tuber?"),
		text:  tr("This desktop shows no tray icons, so Tuber cannot go on without its window: you could not see it or stop it. Keep the window open, or quit."),
		yes:   tr("Quit"), no: tr("Keep it open"),
		do: u.app.Quit,
	})
}

// quit ends the program, after a question if somebody watches what is hosted.
func (u *ui) quit() {
	if !u.seen.hosting {
		u.app.Quit()
		return
	}
	u.raise()
	u.ask(question{
		title: tr("Quit Tuber?"),
		text:  tr("Your site is served by this program and ends with it."),
		yes:   tr("Quit"), no: tr("Go on serving"),
		do: u.app.Quit, danger: true,
	})
}

// question is what is asked before something that cannot be taken back.
type question struct {
	title, text, yes, no string
	danger               bool
	do                   func()
}

func (u *ui) ask(q question) {
	if u.asking {
		return // one question at a time
	}
	u.asking = true
	text := words(q.text)
	body := container.NewVBox(text, space(8))
	d := dialog.NewCustomConfirm(q.title, q.yes, q.no, body, func(yes bool) {
		u.asking = false
		if yes {
			q.do()
		}
	}, u.win)
	if q.danger {
		d.SetConfirmImportance(dangerous)
	}
	width := fyne.Min(u.win.Canvas().Size().Width-32, 440)
	d.Resize(fyne.NewSize(width, d.MinSize().Height))
	d.Show()
}
