package app

import (
	"fyne.io/fyne/v2"

	"github.com/tubercdn/tuber"
)

// note is one of the few notifications. Fyne hands them to a shell on Windows,
// so nothing but these fixed sentences is ever sent.
type note int

const (
	noteAllowance note = iota // the month's allowance is used up
	noteError                 // the engine stopped
	noteHostEnded             // the host stopped by itself
	noteInTray                // the window was closed for the first time
)

func (n note) text() string {
	switch n {
	case noteAllowance:
		return tr("The monthly allowance is used up. Tuber sends nothing until it begins anew.")
	case noteError:
		return tr("Tuber met an error and sends nothing. Open its window to see more.")
	case noteHostEnded:
		return tr("Your site is no longer served. Open the window to see why.")
	default:
		return tr("Tuber goes on beside the clock. Quit it there.")
	}
}

// notes sends each note once for each time its reason begins.
type notes struct {
	reason  tuber.Reason
	hosting bool
	inTray  bool
}

func (n *notes) follow(u *ui, v *view) {
	if v.begun != begun {
		return
	}
	if v.status.Reason != n.reason {
		switch v.status.Reason {
		case tuber.ReasonAllowance:
			u.notify(noteAllowance)
		case tuber.ReasonError:
			u.notify(noteError)
		}
	}
	if n.hosting && !v.hosting && v.hostErr != nil {
		u.notify(noteHostEnded)
	}
	n.reason, n.hosting = v.status.Reason, v.hosting
}

// notify sends a note unless the owner wants none.
func (u *ui) notify(n note) {
	if u.seen.own.Quiet {
		return
	}
	u.app.SendNotification(fyne.NewNotification("Tuber", n.text()))
}
