package app

import (
	"slices"

	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// swarmRow is one swarm that this computer helps.
type swarmRow struct {
	u       *ui
	site    tuber.PublicKey
	box     *card
	name    *widget.Label
	state   *widget.Label
	graph   *graph
	figures struct{ up, helped, today, month, stored figure }
	pause   *widget.Button
	resume  *widget.Button
	share   *widget.Select
	setting bool // share is being set by the view, not by hand
	full    string
}

func newSwarmRow(u *ui, site tuber.PublicKey) *swarmRow {
	r := &swarmRow{u: u, site: site, name: subheading(""), state: soft("")}
	f := &r.figures
	f.up, f.helped = newFigure(tr("Sending now")), newFigure(tr("Helped today"))
	f.today, f.month, f.stored = newFigure(tr("Given today")), newFigure(tr("Given this month")), newFigure(tr("Stored"))
	r.graph = newGraph(&samples{}, 44, true)
	r.pause = widget.NewButtonWithIcon(tr("Pause"), iconOf(theme.IconNameMediaPause), func() {
		u.menuUnder(r.pause, u.pauseItems(site)...)
	})
	r.resume = widget.NewButtonWithIcon(tr("Resume"), iconOf(theme.IconNameMediaPlay), func() { u.resume(site) })
	r.share = widget.NewSelect(nil, r.chosen)
	leave := quiet(tr("Leave …"), r.leave)
	r.box = newCard(newLines(r.name, r.state), inset(r.graph),
		newTiles(118, f.up.box, f.helped.box, f.today.box, f.month.box, f.stored.box),
		inset(newWrap(r.pause, r.resume, wide(r.share, 224), leave)))
	return r
}

// show tells whether something came or went.
func (r *swarmRow) show(sw *tuber.SwarmStatus, v *view) bool {
	r.full = swarmName(sw.Name, sw.Host)
	set(r.name, r.full)
	set(r.state, swarmText(sw, v.now))
	f := &r.figures
	set(f.up.value, rateText(sw.Upload))
	set(f.helped.value, countText(sw.Helped))
	set(f.today.value, bytesText(sw.Today))
	set(f.month.value, bytesText(sw.Month))
	set(f.stored.value, bytesText(sw.Stored))
	if s := r.u.history.swarms[r.site]; s != nil {
		r.graph.data = s
	}
	r.graph.Refresh()
	moved := showIf(r.pause, !sw.Paused)
	moved = showIf(r.resume, sw.Paused) || moved
	r.showShare(sw.Share)
	return moved
}

// shares are the parts of the upload cap on offer, in percent; 0 is all of it.
var shares = []int{0, 75, 50, 25, 10}

func shareText(percent int) string {
	if percent == 0 || percent == 100 {
		return tr("May use all of the upload")
	}
	return tr("May use {{.Percent}} % of the upload", "Percent", percent)
}

func (r *swarmRow) showShare(percent int) {
	options := make([]string, 0, len(shares)+1)
	for _, s := range shares {
		options = append(options, shareText(s))
	}
	text := shareText(percent)
	if !slices.Contains(options, text) {
		options = append(options, text)
	}
	if r.share.Selected == text && slices.Equal(r.share.Options, options) {
		return
	}
	r.setting = true
	r.share.SetOptions(options)
	r.share.SetSelected(text)
	r.setting = false
}

// chosen holds the swarm to the part that was picked.
func (r *swarmRow) chosen(text string) {
	if r.setting {
		return
	}
	for _, percent := range shares {
		if shareText(percent) == text {
			r.u.change(func(s *tuber.Settings) { setShare(s, r.site, percent) }, nil)
		}
	}
}

// setShare holds one swarm to a part of the upload cap; 0 frees it.
func setShare(s *tuber.Settings, site tuber.PublicKey, percent int) {
	s.Shares = slices.DeleteFunc(slices.Clone(s.Shares), func(h tuber.Share) bool { return h.Site == site })
	if percent > 0 && percent < 100 {
		s.Shares = append(s.Shares, tuber.Share{Site: site, Percent: percent})
	}
}

func (r *swarmRow) leave() {
	r.u.ask(question{
		title: tr("Leave this swarm?"),
		text:  tr("This computer stops helping {{.Name}}, deletes all it kept of it and tells the host. To help again you need a new invite.", "Name", r.full),
		yes:   tr("Leave"), no: tr("Stay"), danger: true,
		do: func() { r.u.act(func() error { return r.u.cfg.Engine.Leave(r.site) }, nil) },
	})
}
