package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// settingsPage is what the owner may choose.
type settingsPage struct {
	u     *ui
	root  *container.Scroll
	parts []settingsPart
	away  *widget.Label // why the settings cannot be shown
}

// settingsPart is one card of the page. show tells whether something came or went.
type settingsPart interface {
	card() fyne.CanvasObject
	show(v *view) bool
}

func newSettingsPage(u *ui) *settingsPage {
	p := &settingsPage{u: u, away: caution("")}
	p.parts = []settingsPart{newSpeedPart(u), newSchedulePart(u), newAllowancePart(u), newDiskPart(u), newRulesPart(u), newNetworkPart(u), newStartPart(u), newAboutPart(u)}
	objects := []fyne.CanvasObject{heading(tr("Settings")), p.away}
	for _, part := range p.parts {
		objects = append(objects, part.card())
	}
	p.root = newPage(objects...)
	return p
}

func (p *settingsPage) name() string               { return tr("Settings") }
func (p *settingsPage) icon() fyne.Resource        { return iconOf(theme.IconNameSettings) }
func (p *settingsPage) content() fyne.CanvasObject { return p.root }

func (p *settingsPage) show(v *view) {
	away := ""
	if v.begun == beginning {
		away = tr("Tuber is starting.")
	} else if v.begun == failed || v.setErr != nil {
		away = tr("The settings cannot be read now: {{.Why}}", "Why", orText(errorText(v.beginErr), errorText(v.setErr)))
	}
	moved := p.away.Text != away
	setOrHide(p.away, away)
	for i, part := range p.parts {
		// The last two are the window's own, which need no engine.
		moved = showIf(part.card(), away == "" || i >= len(p.parts)-2) || moved
		moved = part.show(v) || moved
	}
	if moved {
		p.root.Content.Refresh()
	}
}

// opened asks the desktop what may take a while.
func (p *settingsPage) opened() {
	for _, part := range p.parts {
		if part, ok := part.(interface{ opened() }); ok {
			part.opened()
		}
	}
}

// speedPart holds the two caps.
type speedPart struct {
	u        *ui
	box      *card
	up, down *rateField
	proven   *fyne.Container
	offer    *widget.Label
	take     *widget.Button
	rate     tuber.BitsPerSecond
}

func newSpeedPart(u *ui) *speedPart {
	p := &speedPart{u: u, offer: soft("")}
	p.up = newRateField(u, func(s *tuber.Settings) *tuber.BitsPerSecond { return &s.Limits.Upload })
	p.down = newRateField(u, func(s *tuber.Settings) *tuber.BitsPerSecond { return &s.Limits.Download })
	p.take = widget.NewButton("", func() { p.up.put(p.rate) })
	p.proven = container.NewVBox(p.offer, inset(newWrap(p.take)))
	p.box = newCard(subheading(tr("Speed")),
		newLines(strong(tr("Upload at most")), small(tr("Together, for everybody you help. 0 sends nothing."))), inset(p.up.box), p.up.problem, p.proven,
		newLines(strong(tr("Download at most")), small(tr("What this computer receives to pass it on."))), inset(p.down.box), p.down.problem)
	return p
}

func (p *speedPart) card() fyne.CanvasObject { return p.box }

func (p *speedPart) show(v *view) bool {
	p.up.show(&v.settings)
	p.down.show(&v.settings)
	p.rate = offered(v.status.Proven, v.settings.Limits.Upload)
	set(p.offer, tr("So far receivers confirmed at most {{.Rate}}. If that is all that your line can send, 80 % of it leaves room for your own use.", "Rate", rateText(v.status.Proven)))
	if text := tr("Use 80 % of it: {{.Rate}}", "Rate", rateText(p.rate)); p.take.Text != text {
		p.take.SetText(text)
	}
	return showIf(p.proven, p.rate > 0)
}

// leastOffered is the lowest cap on offer: where receivers confirmed less, most
// likely nobody asked for more.
const leastOffered tuber.BitsPerSecond = 1e6

// offered is 80 % of the most that receivers confirmed, in steps of 100 kbit/s;
// 0 where it is about the cap in force, or says little about the line.
func offered(proven, limit tuber.BitsPerSecond) tuber.BitsPerSecond {
	if proven <= 0 || proven == tuber.Unlimited {
		return 0
	}
	rate := proven / 10 * 8 / 100e3 * 100e3
	if rate < leastOffered || max(rate-limit, limit-rate) <= limit/10 {
		return 0
	}
	return rate
}

// schedulePart puts a second cap in force at some hours.
type schedulePart struct {
	u       *ui
	box     *card
	on      *widget.Check
	details *fyne.Container
	cap     *rateField
	grid    *hours
	setting bool
}

func newSchedulePart(u *ui) *schedulePart {
	p := &schedulePart{u: u}
	p.on = widget.NewCheck(tr("Another upload cap at some hours"), func(on bool) {
		if !p.setting {
			u.change(func(s *tuber.Settings) { s.Schedule.On = on }, nil)
		}
	})
	p.cap = newRateField(u, func(s *tuber.Settings) *tuber.BitsPerSecond { return &s.Schedule.Cap })
	p.grid = newHours(func(marked [7]tuber.DayHours) {
		u.change(func(s *tuber.Settings) { s.Schedule.Hours = marked }, nil)
	})
	p.details = container.NewVBox(
		newLines(strong(tr("Upload at most, at the marked hours")), small(tr("0 sends nothing then."))), inset(p.cap.box), p.cap.problem,
		small(tr("Mark hours with the mouse, or with the arrow keys and Space.")), inset(p.grid), space(4))
	p.box = newCard(subheading(tr("Schedule")), p.on, p.details)
	return p
}

func (p *schedulePart) card() fyne.CanvasObject { return p.box }

func (p *schedulePart) show(v *view) bool {
	p.setting = true
	p.on.SetChecked(v.settings.Schedule.On)
	p.setting = false
	p.cap.show(&v.settings)
	p.grid.show(v.settings.Schedule.Hours)
	return showIf(p.details, v.settings.Schedule.On)
}
