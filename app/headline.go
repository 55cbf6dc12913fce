package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// headline says how the booster is, why, and holds the big pause button.
type headline struct {
	u       *ui
	box     *card
	dot     *dot
	title   *widget.Label
	why     *widget.Label
	pause   *widget.Button
	resume  *widget.Button
	buttons struct{ pause, resume fyne.CanvasObject } // the same ones, enlarged
	details *fyne.Container
	graph   *graph
	figures struct{ up, down, helped, today, month, stored figure }
}

func newHeadline(u *ui) *headline {
	h := &headline{u: u, dot: newDot(), title: heading(""), why: soft("")}
	h.pause = widget.NewButtonWithIcon(tr("Pause"), iconOf(theme.IconNameMediaPause), func() {
		u.menuUnder(h.pause, u.pauseItems(tuber.PublicKey{})...)
	})
	h.resume = widget.NewButtonWithIcon(tr("Resume"), iconOf(theme.IconNameMediaPlay), func() { u.resume(tuber.PublicKey{}) })
	h.resume.Importance = widget.HighImportance
	h.buttons.pause, h.buttons.resume = enlarged(h.pause), enlarged(h.resume)
	f := &h.figures
	f.up, f.down = newFigure(tr("Sending now")), newFigure(tr("Receiving now"))
	f.helped, f.today = newFigure(tr("People helped today")), newFigure(tr("Given today"))
	f.month, f.stored = newFigure(tr("Given this month")), newFigure(tr("Stored"))
	h.graph = newGraph(&u.history.all, 120, false)
	h.details = container.NewVBox(
		space(4), inset(h.graph), legend(tr("Sending"), tr("Receiving")),
		newTiles(140, f.up.box, f.down.box, f.helped.box, f.today.box, f.month.box, f.stored.box))
	h.box = newCard(
		newLines(container.NewBorder(nil, nil, container.NewCenter(h.dot), nil, h.title), h.why),
		inset(container.NewHBox(h.buttons.pause, h.buttons.resume)), h.details)
	return h
}

// show tells whether something came or went.
func (h *headline) show(v *view) bool {
	s, st := say(v), &v.status
	set(h.title, s.title)
	set(h.why, s.why)
	h.dot.show(s.mood)
	paused := st.Reason == tuber.ReasonPaused
	member := len(st.Swarms) > 0
	moved := showIf(h.buttons.pause, member && !paused)
	moved = showIf(h.buttons.resume, paused) || moved
	moved = showIf(h.details, member) || moved
	f := &h.figures
	set(f.up.value, rateText(st.Upload))
	set(f.down.value, rateText(st.Download))
	set(f.helped.value, countText(st.Helped))
	set(f.today.value, bytesText(st.Today))
	set(f.month.value, monthText(st.Month, v.settings.Limits.Allowance))
	set(f.stored.value, bytesText(st.Stored))
	h.graph.Refresh()
	return moved
}

// monthText is what was given of the allowance.
func monthText(given, allowance uint64) string {
	if allowance == 0 {
		return bytesText(given)
	}
	return tr("{{.Given}} of {{.Most}}", "Given", bytesText(given), "Most", bytesText(allowance))
}

// legend names a graph's two lines.
func legend(first, second string) fyne.CanvasObject {
	a, b := newDot(), newDot()
	a.colour, b.colour = theme.ColorNamePrimary, colorSecond
	name := func(text string) *widget.Label {
		l := small(text)
		l.Wrapping = fyne.TextWrapOff
		return l
	}
	return container.NewHBox(a, name(first), b, name(second))
}
