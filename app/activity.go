package app

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// activityPage lists what happened, newest first.
type activityPage struct {
	u      *ui
	root   *fyne.Container
	list   *widget.List
	none   *widget.Label
	copied *widget.Label
	detail *widget.Label // the whole of the line that is selected
	lines  []eventLine
}

// eventLine is one event in words.
type eventLine struct{ when, what string }

func newActivityPage(u *ui) *activityPage {
	p := &activityPage{u: u, none: soft(tr("Nothing happened yet.")), copied: small(""), detail: words("")}
	p.copied.Hide()
	p.detail.Hide()
	p.list = widget.NewList(func() int { return len(p.lines) },
		func() fyne.CanvasObject {
			when := small("15:04")
			when.Wrapping = fyne.TextWrapOff
			what := widget.NewLabel("")
			what.Truncation = fyne.TextTruncateEllipsis
			return container.NewBorder(nil, nil, when, nil, what)
		},
		func(i widget.ListItemID, o fyne.CanvasObject) {
			if i >= len(p.lines) {
				return
			}
			row := o.(*fyne.Container)
			set(row.Objects[0].(*widget.Label), p.lines[i].what)
			set(row.Objects[1].(*widget.Label), p.lines[i].when)
		})
	p.list.OnSelected = func(i widget.ListItemID) {
		if i < len(p.lines) {
			setOrHide(p.detail, p.lines[i].when+"  "+p.lines[i].what)
			p.root.Refresh()
		}
	}
	diagnostics := widget.NewButtonWithIcon(tr("Copy diagnostics"), iconOf(theme.IconNameContentCopy), p.copy)
	top := container.NewVBox(heading(tr("Activity")),
		soft(tr("Diagnostics help to find a fault. Addresses and names are taken out before they are copied.")),
		inset(newWrap(diagnostics)), p.copied, p.detail)
	p.root = container.New(&framed{most: 720, edge: 16}, top, container.NewStack(p.list, p.none))
	return p
}

// framed puts one object above another, which takes the rest, in a column of
// readable width.
type framed struct{ most, edge float32 }

func (f *framed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(240, objects[0].MinSize().Height+120+2*f.edge)
}

func (f *framed) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := fyne.Min(size.Width-2*f.edge, f.most)
	x := (size.Width - width) / 2
	top := objects[0]
	top.Resize(fyne.NewSize(width, top.MinSize().Height))
	high := top.MinSize().Height
	top.Resize(fyne.NewSize(width, high))
	top.Move(fyne.NewPos(x, f.edge))
	objects[1].Move(fyne.NewPos(x, f.edge+high+8))
	objects[1].Resize(fyne.NewSize(width, fyne.Max(size.Height-2*f.edge-high-8, 0)))
}

func (p *activityPage) name() string               { return tr("Activity") }
func (p *activityPage) icon() fyne.Resource        { return iconOf(theme.IconNameHistory) }
func (p *activityPage) content() fyne.CanvasObject { return p.root }

// wantsEvents has the events fetched while the page is open.
func (p *activityPage) wantsEvents() {}

func (p *activityPage) show(v *view) {
	lines := make([]eventLine, 0, len(v.events))
	for i := len(v.events) - 1; i >= 0 && len(lines) < tuber.MaxEvents; i-- {
		e := &v.events[i]
		lines = append(lines, eventLine{clockText(e.At, v.now), eventText(e)})
	}
	same := len(lines) == len(p.lines)
	for i := 0; same && i < len(lines); i++ {
		same = lines[i] == p.lines[i]
	}
	showIf(p.none, len(lines) == 0)
	if !same {
		p.lines = lines
		p.list.Refresh()
	}
}

// eventText is one event in words.
func eventText(e *tuber.Event) string {
	host, why := orText(plainUpTo(e.Host, 80), tr("the host")), messageText(e.Text)
	switch e.Kind {
	case tuber.EventStarted:
		return tr("Tuber started")
	case tuber.EventJoined:
		return tr("Joined {{.Host}}", "Host", host)
	case tuber.EventLeft:
		return tr("Left {{.Host}}", "Host", host)
	case tuber.EventLinked:
		return tr("Linked to {{.Host}}", "Host", host)
	case tuber.EventAway:
		return because(tr("{{.Host}} does not answer", "Host", host), why)
	case tuber.EventRefused:
		return because(tr("{{.Host}} refused", "Host", host), why)
	case tuber.EventStopped:
		return because(tr("Sending stopped"), why)
	case tuber.EventSending:
		return tr("Sending again")
	case tuber.EventSettings:
		return tr("Settings were changed")
	case tuber.EventFault:
		return because(tr("A fault"), why)
	}
	return because(plainUpTo(string(e.Kind), 40), why)
}

// because joins what happened and why. Reasons that begin with what happened
// say it all.
func because(what, why string) string {
	switch {
	case why == "":
		return what
	case strings.HasPrefix(why, what):
		return why
	}
	return what + ": " + why
}

// copy puts the diagnostics into the clipboard.
func (p *activityPage) copy() {
	text := diagnostics(p.u.seen, p.u.cfg.Desk.Version())
	p.u.app.Clipboard().SetContent(text)
	setOrHide(p.copied, tr("Copied. Paste it where you ask for help."))
	p.root.Refresh()
}
