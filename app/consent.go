package app

import (
	"net"
	"net/netip"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// consent is what a friend reads before helping somebody.
type consent struct {
	u      *ui
	invite tuber.Invite
	box    *container.Scroll
	lists  *fyne.Container
	accept *widget.Button
	fault  *widget.Label
	busy   bool
	shown  consentText
	done   func() // back to the page, joined or not
}

func newConsent(u *ui, invite tuber.Invite, done func()) *consent {
	c := &consent{u: u, invite: invite, done: done, fault: caution(""), lists: container.NewVBox()}
	c.accept = primary(tr("Agree and help"), c.join)
	whose := words(tr("That is what the stream calls itself. Its address is {{.Host}}.", "Host", plain(invite.Host)))
	showIf(whose, plain(invite.Name) != "")
	buttons := newWrap(c.accept, widget.NewButton(tr("Not now"), done))
	c.box = newPage(
		newLines(heading(tr("Help {{.Name}}?", "Name", swarmName(invite.Name, invite.Host))), whose,
			soft(tr("Somebody invited this computer to be a booster: it receives the video of that site once and passes it on to the people who watch."))),
		newCard(c.lists), c.fault, inset(buttons))
	c.show(u.seen)
	return c
}

// consentText is what a friend agrees to, in words.
type consentText struct{ use, stored, seen, stop string }

// sayConsent puts into words what helping a host means under these settings.
func sayConsent(host string, s *tuber.Settings) consentText {
	t := consentText{
		use:    tr("Upload at most {{.Rate}}, on disk at most {{.Disk}}, in a month at most {{.Month}}. These are totals for everybody you help; you can change them at any time.", "Rate", rateText(s.Limits.Upload), "Disk", diskText(s.Limits.Disk), "Month", allowanceText(s.Limits.Allowance)),
		stored: tr("Pieces of that site's public video, each signed by it. Nothing of yours. They are deleted when you leave."),
		seen:   tr("The host and the peers of this swarm see this computer's internet address. They see nothing else of it."),
		stop:   tr("Pause at once in the window or in the tray, or leave the swarm, which deletes all it kept."),
	}
	if privateHost(host) {
		t.seen = tr("This host is in a private network. The host and the peers of this swarm see this computer's address there, and this computer links to private addresses for it.")
	}
	return t
}

func allowanceText(n uint64) string {
	if n == 0 {
		return tr("no limit")
	}
	return bytesText(n)
}

// show brings figures up to date: the settings may arrive after the invite.
func (c *consent) show(v *view) {
	t := sayConsent(c.invite.Host, &v.settings)
	if t != c.shown {
		c.shown = t
		c.lists.Objects = []fyne.CanvasObject{
			point(theme.IconNameUpload, tr("What will be used"), t.use),
			point(theme.IconNameStorage, tr("What is stored"), t.stored),
			point(theme.IconNameVisibility, tr("What others can see"), t.seen),
			point(theme.IconNameMediaPause, tr("How to stop"), t.stop),
		}
		c.lists.Refresh()
	}
	enableIf(c.accept, v.begun == begun && v.setErr == nil && !c.busy)
}

func (c *consent) join() {
	c.busy = true
	c.accept.Disable()
	setOrHide(c.fault, "")
	link, kept := c.invite.URL(), false
	c.u.act(func() error {
		err := c.u.cfg.Engine.Join(link)
		if err != nil { // which the engine may keep trying
			kept = c.member()
		}
		return err
	}, func(err error) {
		c.busy = false
		if err != nil && !kept {
			setOrHide(c.fault, errorText(err))
			c.box.Content.Refresh()
			c.show(c.u.seen)
			return
		}
		c.u.changeOwn(func(s *tuber.AppSettings) { agree(s, c.invite.Site) }, nil)
		c.done()
	})
}

// member asks the engine whether it is in the invite's swarm.
func (c *consent) member() bool {
	st, err := c.u.cfg.Engine.Status()
	return err == nil && memberOf(&view{status: st}, c.invite.Site) != nil
}

// maxAgreed bounds the list of sites whose terms were accepted.
const maxAgreed = 256

func agree(s *tuber.AppSettings, site tuber.PublicKey) {
	for _, have := range s.Agreed {
		if have == site {
			return
		}
	}
	if len(s.Agreed) < maxAgreed {
		s.Agreed = append(s.Agreed, site)
	}
}

// point is one thing to know: an icon, a name, a sentence.
func point(icon fyne.ThemeIconName, name, text string) fyne.CanvasObject {
	picture := widget.NewIcon(theme.NewPrimaryThemedResource(theme.Icon(icon)))
	left := container.NewVBox(space(4), inset(picture))
	return container.NewBorder(nil, nil, left, nil, newLines(strong(name), soft(text)))
}

// enableIf enables or disables a widget if that changes anything.
func enableIf(w fyne.Disableable, on bool) {
	if on && w.Disabled() {
		w.Enable()
	} else if !on && !w.Disabled() {
		w.Disable()
	}
}

// privateHost tells whether an invite's host is in a private network.
func privateHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || netip.MustParsePrefix("100.64.0.0/10").Contains(ip)
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || !strings.Contains(host, ".")
}
