package app

import (
	"runtime"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// reachPage says how others get to this computer, and what would help.
type reachPage struct {
	u      *ui
	root   *container.Scroll
	dot    *dot
	title  *widget.Label
	short  *widget.Label
	advice *widget.Label
	port   *widget.Label
	router *widget.Label
	seen   *widget.Label
}

func newReachPage(u *ui) *reachPage {
	p := &reachPage{u: u, dot: newDot(), title: heading(""), short: soft(""), advice: words(""), port: soft(""), router: soft(""), seen: soft("")}
	p.seen.Selectable = true
	p.root = newPage(
		newCard(newLines(container.NewBorder(nil, nil, container.NewCenter(p.dot), nil, p.title), p.short), p.advice),
		newCard(subheading(tr("Details")),
			newLines(strong(tr("Port on this computer")), p.port),
			newLines(strong(tr("Router")), p.router),
			newLines(strong(tr("Seen from outside")), p.seen,
				small(tr("This address is shown to you alone; it is in no log.")))))
	return p
}

func (p *reachPage) name() string               { return tr("Reachability") }
func (p *reachPage) icon() fyne.Resource        { return iconOf(theme.IconNameComputer) }
func (p *reachPage) content() fyne.CanvasObject { return p.root }

func (p *reachPage) show(v *view) {
	t := sayReach(&v.status.Reach, runtime.GOOS == "windows")
	changed := p.advice.Text != t.advice || p.router.Text != t.router
	p.dot.show(t.mood)
	set(p.title, t.title)
	set(p.short, t.short)
	set(p.advice, t.advice)
	set(p.port, t.port)
	set(p.router, t.router)
	set(p.seen, t.seen)
	if changed {
		p.root.Content.Refresh()
	}
}

// reachText is the page in words.
type reachText struct {
	mood                                     mood
	title, short, advice, port, router, seen string
}

// sayReach puts reachability into words. A firewall that asks may have been
// answered with no.
func sayReach(r *tuber.ReachStatus, firewall bool) reachText {
	t := reachText{short: reachShort(r.Reach), port: tr("not known yet"), seen: orText(plain(r.Seen), tr("not known yet"))}
	if r.Port != 0 {
		t.port = "UDP " + strconv.Itoa(int(r.Port))
	}
	t.router = routerText(r)
	forward := tr("Switch on UPnP or NAT-PMP in your router, or forward the UDP port below to this computer.")
	switch r.Reach {
	case tuber.ReachDialable:
		t.mood, t.title, t.advice = moodActive, tr("Very good"), tr("Nothing needs to be done.")
	case tuber.ReachPunchable:
		t.mood, t.title = moodIdle, tr("Good")
		t.advice = tr("Most links work, so nothing needs to be done. To have all of them work:") + " " + forward
		if firewall {
			t.advice += " " + tr("If you answered the system’s question about the network with no, allow Tuber in its firewall settings.")
		}
	case tuber.ReachSymmetric:
		t.mood, t.title = moodLimited, tr("Limited")
		t.advice = tr("Your router hides this computer from each peer in another way.") + " " + forward + " " +
			tr("If your provider shares one address among its customers, only the provider can change that.")
	case tuber.ReachNone:
		t.mood, t.title = moodError, tr("Not reachable")
		t.advice = tr("Something blocks UDP. Allow Tuber in the firewall of this computer and of the network; in a company or school, ask who runs it.")
	default:
		t.mood, t.title, t.advice = moodPaused, tr("Not known yet"), tr("It is found out as soon as a host answers.")
	}
	return t
}

// reachShort is reachability in one sentence.
func reachShort(r tuber.Reach) string {
	switch r {
	case tuber.ReachDialable:
		return tr("Everybody can reach this computer.")
	case tuber.ReachPunchable:
		return tr("Peers reach this computer with the planner’s help.")
	case tuber.ReachSymmetric:
		return tr("Only peers that everybody can reach get to this computer.")
	case tuber.ReachNone:
		return tr("No peer can reach this computer.")
	}
	return tr("How others reach this computer is not known yet.")
}

// routerText is whether the router lets others in.
func routerText(r *tuber.ReachStatus) string {
	switch {
	case r.Mapping == "off":
		return tr("Not asked: you switched that off.")
	case r.Mapping != "":
		return tr("Lets others in, asked by {{.Way}}.", "Way", plainUpTo(r.Mapping, 20))
	case r.Trouble != "":
		return tr("Does not let others in: {{.Why}}", "Why", messageText(r.Trouble))
	}
	return tr("not known yet")
}
