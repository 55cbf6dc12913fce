package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// hostInvites makes, shows and revokes invites.
type hostInvites struct {
	u       *ui
	box     *card
	note    *keenEntry
	uses    *keenEntry
	life    *widget.Select
	problem *widget.Label
	fresh   *fyne.Container
	rows    *fyne.Container
	drawn   string
}

func newHostInvites(u *ui) *hostInvites {
	i := &hostInvites{u: u, note: newKeenEntry(u), uses: newKeenEntry(u), problem: caution(""), fresh: container.NewVBox(), rows: container.NewVBox()}
	i.note.SetPlaceHolder(tr("Who is it for?"))
	i.uses.SetText("1")
	names, _ := lives()
	i.life = widget.NewSelect(names, nil)
	i.life.SetSelected(names[1])
	i.fresh.Hide()
	named := func(name string, o fyne.CanvasObject) fyne.CanvasObject {
		l := small(name)
		l.Wrapping = fyne.TextWrapOff
		return container.NewVBox(l, inset(o))
	}
	i.box = newCard(subheading(tr("Invites")),
		newTiles(150, named(tr("For"), i.note), named(tr("Uses"), i.uses), named(tr("Good for"), i.life)),
		i.problem, space(2), inset(newWrap(primary(tr("Make an invite"), i.create))), space(2), i.fresh, i.rows)
	return i
}

func (i *hostInvites) create() {
	uses, problem := parseUses(i.uses.Text)
	if note := i.note.Text; problem == "" && note != plainUpTo(note, maxName) {
		problem = tr("Write a name of at most 60 ordinary characters.")
	}
	setOrHide(i.problem, problem)
	i.u.relayout()
	if problem != "" {
		return
	}
	_, life := lives()
	offer := tuber.Offer{Uses: uses, Life: life[i.life.Selected], Note: i.note.Text}
	var made tuber.Invited
	i.u.act(func() (err error) {
		made, err = i.u.cfg.Hosting.Invite(offer)
		return err
	}, func(err error) {
		setOrHide(i.problem, errorText(err))
		if err == nil {
			i.note.SetText("")
			i.showFresh(made)
		}
		i.u.relayout()
	})
}

// showFresh shows an invite that was just made: its link is seen only now.
func (i *hostInvites) showFresh(made tuber.Invited) {
	link := widget.NewLabel(plainUpTo(made.URL, 1024))
	link.Wrapping, link.TextStyle, link.Selectable = fyne.TextWrapBreak, fyne.TextStyle{Monospace: true}, true
	copied := primary(tr("Copy link"), func() { i.u.app.Clipboard().SetContent(made.URL) })
	done := quiet(tr("Done"), func() {
		i.fresh.Objects = nil
		i.fresh.Hide()
		i.u.relayout()
	})
	text := newLines(strong(tr("Send this link to somebody you trust.")), soft(tr("It is shown once; only its fingerprint is kept.")))
	box := newCard(text, link)
	box.fill, box.line = colorLeafSoft, colorLeafSoft
	body := box.body.(*fyne.Container)
	if code := newQR(made.URL, 220); code != nil {
		body.Add(inset(container.NewHBox(code)))
	}
	body.Add(inset(newWrap(copied, done)))
	i.fresh.Objects = []fyne.CanvasObject{box}
	i.fresh.Show()
}

func (i *hostInvites) show(v *view) bool {
	var drawn string
	for k := range v.host.Invites {
		drawn += v.host.Invites[k].ID + v.host.Invites[k].Note + "\x00" + inviteText(&v.host.Invites[k], &v.host, v.now) + "\x00"
	}
	if drawn == i.drawn {
		return false
	}
	i.drawn = drawn
	i.rows.Objects = nil
	for k := range v.host.Invites {
		r := v.host.Invites[k]
		row := fyne.CanvasObject(newLines(strong(orText(plainUpTo(r.Note, 60), r.ID)), small(inviteText(&r, &v.host, v.now))))
		if openInvite(&r, v.now) {
			revoke := quiet(tr("Revoke"), func() { i.u.act(func() error { return i.u.cfg.Hosting.RevokeInvite(r.ID) }, nil) })
			row = container.NewBorder(nil, nil, nil, container.NewCenter(revoke), row)
		}
		i.rows.Add(row)
	}
	i.rows.Refresh()
	return true
}
