package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// hostPage starts, stops and shows the host in this program.
type hostPage struct {
	u     *ui
	root  *container.Scroll
	setup *hostSetup
	live  *hostLive
	wait  *widget.Label
	title *fyne.Container
}

func newHostPage(u *ui) *hostPage {
	p := &hostPage{u: u, setup: newHostSetup(u), live: newHostLive(u), wait: soft(tr("Tuber is starting."))}
	p.title = newLines(heading(tr("Host a site")),
		soft(tr("Put Tuber before a site on this computer. What you stream leaves your line about once, and boosters and viewers carry it to everybody else.")))
	p.root = newPage(p.title, p.wait, p.setup.box, p.live.box)
	return p
}

func (p *hostPage) name() string               { return tr("Host") }
func (p *hostPage) icon() fyne.Resource        { return iconOf(theme.IconNameMediaVideo) }
func (p *hostPage) content() fyne.CanvasObject { return p.root }

func (p *hostPage) show(v *view) {
	ready := v.begun == begun
	moved := showIf(p.wait, v.begun == beginning)
	moved = showIf(p.title, !v.hosting) || moved
	moved = showIf(p.setup.box, ready && !v.hosting) || moved
	moved = showIf(p.live.box, ready && v.hosting) || moved
	moved = p.setup.show(v) || moved
	if v.hosting {
		moved = p.live.show(v) || moved
	}
	if moved {
		p.root.Content.Refresh()
	}
}

// hostLive is the page while the host runs.
type hostLive struct {
	u        *ui
	box      *fyne.Container
	dot      *dot
	title    *widget.Label
	site     *widget.Label
	stop     *widget.Button
	short    *card
	need     *widget.Label
	why      *widget.Label
	reach    *widget.Label
	router   *widget.Label
	graph    *graph
	figures  struct{ viewers, boosters, peers, copies figure }
	invites  *hostInvites
	boosters *hostBoosters
	address  string
}

func newHostLive(u *ui) *hostLive {
	l := &hostLive{u: u, dot: newDot(), title: heading(""), site: soft(""), need: words(""), why: soft(""), reach: soft(""), router: small("")}
	l.stop = widget.NewButtonWithIcon(tr("Stop"), iconOf(theme.IconNameMediaStop), l.end)
	l.short = newNote(l.need)
	f := &l.figures
	f.viewers, f.boosters = newFigure(tr("Viewers")), newFigure(tr("Boosters"))
	f.peers, f.copies = newFigure(tr("From peers")), newFigure(tr("Your upload"))
	l.graph = newGraph(&u.history.host, 120, false)
	open := widget.NewButton(tr("Open the site"), func() { u.openSite(l.address) })
	copied := quiet(tr("Copy its address"), func() { u.app.Clipboard().SetContent(l.address) })
	l.invites, l.boosters = newHostInvites(u), newHostBoosters(u)
	l.box = container.New(&column{most: 720, gap: 12},
		l.short,
		newCard(newLines(container.NewBorder(nil, nil, container.NewCenter(l.dot), container.NewVBox(space(2), l.stop), l.title), l.why, l.site),
			inset(newWrap(open, copied)), small(tr("Whether this address can be opened from elsewhere is not checked. Try it with a phone that is not in your network.")),
			newLines(strong(tr("How peers reach this computer")), l.reach, l.router), space(2),
			newTiles(140, f.viewers.box, f.boosters.box, f.peers.box, f.copies.box),
			inset(l.graph), legend(tr("Your upload, everything counted"), tr("The streams’ bitrate"))),
		l.invites.box, l.boosters.box)
	return l
}

func (l *hostLive) show(v *view) bool {
	h := &v.host
	s := sayHost(v)
	set(l.title, s.title)
	l.dot.show(s.mood)
	l.address = h.Site
	set(l.site, plain(h.Site))
	moved := setOrHide(l.why, s.why)
	set(l.reach, hostReachText(h))
	set(l.router, hostRouterText(h))
	set(l.need, shortageText(h))
	f := &l.figures
	set(f.viewers.value, countText(&h.Viewers))
	set(f.boosters.value, tr("{{.Linked}} of {{.All}}", "Linked", h.Boosters, "All", len(h.BoosterList)))
	set(f.peers.value, percentText(h.FromPeers))
	set(f.copies.value, copiesText(h.Upload, h.Bitrate))
	l.graph.data = &l.u.history.host
	l.graph.Refresh()
	moved = showIf(l.short, l.need.Text != "") || moved
	moved = l.invites.show(v) || moved
	return l.boosters.show(v) || moved
}

// sayHost puts the host's state into words.
func sayHost(v *view) saying {
	h := &v.host
	switch {
	case v.hostErr != nil:
		return saying{moodError, tr("Something is wrong"), errorText(v.hostErr)}
	case !h.Enabled:
		return saying{moodPaused, tr("Serving without peers"), tr("Peers are switched off: every viewer is served over your own line.")}
	case !h.Planner:
		return saying{moodOffline, tr("Serving"), tr("The planner does not run, so peers get no new plan.")}
	case h.Viewers == 0:
		return saying{moodIdle, tr("Serving"), tr("Nobody watches now.")}
	}
	return saying{moodActive, tr("Serving"), ""}
}

func (l *hostLive) end() {
	stop := func() { l.u.act(l.u.cfg.Hosting.Stop, nil) }
	if l.u.seen.host.Viewers == 0 {
		stop()
		return
	}
	l.u.ask(question{
		title: tr("Stop serving?"),
		text:  trn("{{.N}} viewers are watching now. The site is gone for them until you start again.", l.u.seen.host.Viewers),
		yes:   tr("Stop"), no: tr("Go on serving"), danger: true, do: stop,
	})
}

// openSite opens the host's own site in a browser.
func (u *ui) openSite(address string) {
	if page := ownSite(address); page != nil {
		u.complain(u.app.OpenURL(page))
	}
}

// hostBoosters are the boosters enrolled with the host.
type hostBoosters struct {
	u     *ui
	box   *card
	none  *widget.Label
	rows  *fyne.Container
	drawn string
}

func newHostBoosters(u *ui) *hostBoosters {
	b := &hostBoosters{u: u, rows: container.NewVBox()}
	b.none = soft(tr("No booster yet. Make an invite and send it to a friend with a good line."))
	b.box = newCard(subheading(tr("Boosters")), b.none, b.rows)
	return b
}

func (b *hostBoosters) show(v *view) bool {
	var drawn string
	for i := range v.host.BoosterList {
		drawn += v.host.BoosterList[i].Name + "\x00" + boosterText(&v.host.BoosterList[i], v.now) + "\x00"
	}
	if drawn == b.drawn {
		return showIf(b.none, len(v.host.BoosterList) == 0)
	}
	b.drawn = drawn
	b.rows.Objects = nil
	for _, x := range v.host.BoosterList {
		name := orText(plainUpTo(x.Name, 60), tr("without a name"))
		remove := quiet(tr("Remove …"), func() { b.remove(x.ID, name) })
		light := newDot()
		if x.Linked {
			light.show(moodActive)
		}
		b.rows.Add(container.NewBorder(nil, nil, container.NewVBox(space(8), light), container.NewCenter(remove), newLines(strong(name), small(boosterText(&x, v.now)))))
	}
	showIf(b.none, len(v.host.BoosterList) == 0)
	b.rows.Refresh()
	return true
}

func (b *hostBoosters) remove(id tuber.PeerID, name string) {
	b.u.ask(question{
		title: tr("Remove this booster?"),
		text:  tr("{{.Name}} no longer carries your streams and deletes what it kept. To come back it needs a new invite.", "Name", name),
		yes:   tr("Remove"), no: tr("Keep"), danger: true,
		do: func() { b.u.act(func() error { return b.u.cfg.Hosting.RemoveBooster(id) }, nil) },
	})
}
