package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// maxPasted is how much of the paste box is looked at. An invite is shorter;
// ParseInvite says so of what is longer.
const maxPasted = 4096

// inviteBox takes an invite by paste, by hand or from the clipboard.
type inviteBox struct {
	u       *ui
	box     *fyne.Container
	entry   *keenEntry
	problem *widget.Label
	offered *card
	found   *widget.Label
	take    func(text string)
}

func newInviteBox(u *ui, take func(string)) *inviteBox {
	b := &inviteBox{u: u, entry: newKeenEntry(u), problem: caution(""), take: take, found: words("")}
	b.entry.SetPlaceHolder("https://…/.tuber/join#…")
	b.entry.OnSubmitted = b.take
	b.entry.OnChanged = func(text string) {
		if len(text) > maxPasted {
			b.entry.SetText(text[:maxPasted])
		}
		setOrHide(b.problem, "")
	}
	use := primary(tr("Use it"), func() { b.take(b.u.app.Clipboard().Content()) })
	b.offered = newCard(container.NewBorder(nil, nil, nil, container.NewCenter(use), b.found))
	b.offered.fill, b.offered.line, b.offered.pad = colorLeafSoft, colorLeafSoft, 4
	b.offered.Hide()
	next := widget.NewButton(tr("Continue"), func() { b.take(b.entry.Text) })
	b.box = container.NewVBox(b.offered,
		inset(container.NewBorder(nil, nil, nil, next, b.entry)), b.problem)
	return b
}

// look offers what the clipboard holds, if it is an invite of a swarm that is
// not joined yet.
func (b *inviteBox) look() {
	invite, err := tuber.ParseInvite(b.u.app.Clipboard().Content())
	ok := err == nil && memberOf(b.u.seen, invite.Site) == nil
	if ok {
		set(b.found, tr("The clipboard holds an invite to {{.Host}}.", "Host", plain(invite.Host)))
	}
	showIf(b.offered, ok)
}

// memberOf is the swarm of that site among those joined, nil if it is not.
func memberOf(v *view, site tuber.PublicKey) *tuber.SwarmStatus {
	for i := range v.status.Swarms {
		if v.status.Swarms[i].Site == site {
			return &v.status.Swarms[i]
		}
	}
	return nil
}
