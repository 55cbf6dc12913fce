package app

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

const dangerous = widget.DangerImportance

// boostPage shows whom this computer helps, and takes invites.
type boostPage struct {
	u       *ui
	root    *fyne.Container
	main    *container.Scroll
	consent *consent

	network *card // what the system may ask, before the engine begins
	trouble *card
	said    *widget.Label
	ask     *card
	asked   *widget.Label
	head    *headline
	swarms  *fyne.Container
	rows    map[tuber.PublicKey]*swarmRow
	order   []tuber.PublicKey
	welcome *widget.Label
	invites *widget.Label
	box     *inviteBox
	held    string // an invite that waits for the network's question to be understood
}

func newBoostPage(u *ui) *boostPage {
	p := &boostPage{u: u, rows: map[tuber.PublicKey]*swarmRow{}}
	p.network = newNote(strong(tr("The system may ask about the network")),
		words(tr("When Tuber starts, the system may ask whether it may use the network. Either answer works: with yes more peers reach this computer, with no it helps all the same.")),
		inset(newWrap(primary(tr("Understood"), func() {
			u.waits = false
			u.begin()
			p.show(u.seen)
			if p.held != "" {
				p.take(p.held)
			}
		}))))
	p.said = words("")
	p.trouble = newNote(p.said)
	p.asked = strong("")
	p.ask = newNote(p.asked, inset(newWrap(
		widget.NewButton(tr("Send all the same"), func() { p.answer(tuber.Send) }),
		widget.NewButton(tr("Do not send"), func() { p.answer(tuber.Stop) }))))
	p.head = newHeadline(u)
	p.swarms = container.NewVBox()
	p.welcome = soft(tr("A friend who streams sends you an invite link. Paste it here, and this computer helps to carry the stream to everybody who watches. You see first what that means, and you can stop at any time."))
	p.invites = subheading("")
	p.box = newInviteBox(u, p.take)
	p.main = newPage(p.network, p.trouble, p.ask, p.head.box, p.swarms,
		newCard(newLines(p.invites, p.welcome), p.box.box))
	p.root = container.NewStack(p.main)
	return p
}

func (p *boostPage) name() string               { return tr("Boost") }
func (p *boostPage) icon() fyne.Resource        { return iconOf(theme.IconNameUpload) }
func (p *boostPage) content() fyne.CanvasObject { return p.root }

// opened looks for an invite in the clipboard.
func (p *boostPage) opened() { p.box.look() }

func (p *boostPage) show(v *view) {
	if p.consent != nil {
		p.consent.show(v)
		return
	}
	set(p.said, messageText(p.u.cfg.Desk.Trouble()))
	moved := showIf(p.network, p.u.waits)
	moved = showIf(p.trouble, p.said.Text != "") || moved
	moved = showIf(p.ask, v.status.Ask) || moved
	set(p.asked, askText(v.status.Reason))
	moved = p.head.show(v) || moved
	moved = p.showSwarms(v) || moved
	empty := len(v.status.Swarms) == 0
	moved = showIf(p.swarms, !empty) || moved
	moved = showIf(p.welcome, empty) || moved
	if empty {
		set(p.invites, tr("You have an invite?"))
	} else {
		set(p.invites, tr("Help somebody else, too"))
	}
	if moved {
		p.main.Content.Refresh()
	}
}

// showSwarms keeps one row for each swarm, in the engine's order, and tells
// whether rows came or went.
func (p *boostPage) showSwarms(v *view) bool {
	order := make([]tuber.PublicKey, 0, len(v.status.Swarms))
	for i := range v.status.Swarms {
		order = append(order, v.status.Swarms[i].Site)
	}
	changed := !slices.Equal(order, p.order)
	if changed {
		p.order = order
		rows := make(map[tuber.PublicKey]*swarmRow, len(order))
		p.swarms.Objects = nil
		for _, site := range order {
			if rows[site] = p.rows[site]; rows[site] == nil {
				rows[site] = newSwarmRow(p.u, site)
			}
			p.swarms.Add(rows[site].box)
		}
		p.rows = rows
	}
	for i := range v.status.Swarms {
		changed = p.rows[order[i]].show(&v.status.Swarms[i], v) || changed
	}
	return changed
}

// take looks at text that may be an invite, and shows what it asks for.
func (p *boostPage) take(text string) {
	invite, err := tuber.ParseInvite(text)
	if err != nil {
		p.leaveConsent()
		setOrHide(p.box.problem, errorText(err))
		p.main.Content.Refresh()
		return
	}
	if sw := memberOf(p.u.seen, invite.Site); sw != nil && !sw.Pending {
		p.leaveConsent()
		setOrHide(p.box.problem, tr("You help {{.Name}} already.", "Name", swarmName(sw.Name, sw.Host)))
		p.main.Content.Refresh()
		return
	}
	if p.held = ""; p.u.waits { // nothing can be agreed to before the engine begins
		p.held = text
		p.leaveConsent()
		return
	}
	p.consent = newConsent(p.u, invite, func() {
		p.box.entry.SetText("")
		p.leaveConsent()
	})
	p.root.Objects = []fyne.CanvasObject{p.consent.box}
	p.root.Refresh()
	p.u.win.Canvas().Focus(p.consent.accept)
}

func (p *boostPage) leaveConsent() {
	if p.consent == nil {
		return
	}
	p.consent = nil
	p.root.Objects = []fyne.CanvasObject{p.main}
	p.root.Refresh()
	p.show(p.u.seen)
	p.box.look()
}

// askText is the question that a rule waits for.
func askText(r tuber.Reason) string {
	switch r {
	case tuber.ReasonVPN:
		return tr("A VPN is on. Send through it?")
	case tuber.ReasonBattery:
		return tr("This computer runs on battery. Send all the same?")
	case tuber.ReasonMetered:
		return tr("This line seems to cost by the amount. Send all the same?")
	}
	return ""
}

// answer keeps the owner's choice as the rule for what was asked about.
func (p *boostPage) answer(do tuber.OnFact) {
	reason := p.u.seen.status.Reason
	p.u.change(func(s *tuber.Settings) {
		switch reason {
		case tuber.ReasonVPN:
			s.Rules.OnVPN = do
		case tuber.ReasonBattery:
			s.Rules.OnBattery = do
		case tuber.ReasonMetered:
			s.Rules.OnMetered = do
		}
	}, nil)
}
