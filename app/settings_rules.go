package app

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// rulesPart is when Tuber keeps silent by itself.
type rulesPart struct {
	u       *ui
	box     *card
	rules   []*ruleRow
	lan     *widget.Check
	setting bool
}

// ruleRow is what is done while one fact holds.
type ruleRow struct {
	known *widget.Label
	pick  *widget.Select
	rule  func(*tuber.Settings) *tuber.OnFact
	fact  func(*tuber.Facts) tuber.Fact
}

func newRulesPart(u *ui) *rulesPart {
	p := &rulesPart{u: u}
	p.rules = []*ruleRow{
		{rule: func(s *tuber.Settings) *tuber.OnFact { return &s.Rules.OnBattery }, fact: func(f *tuber.Facts) tuber.Fact { return f.Battery }},
		{rule: func(s *tuber.Settings) *tuber.OnFact { return &s.Rules.OnMetered }, fact: func(f *tuber.Facts) tuber.Fact { return f.Metered }},
		{rule: func(s *tuber.Settings) *tuber.OnFact { return &s.Rules.OnVPN }, fact: func(f *tuber.Facts) tuber.Fact { return f.VPN }},
	}
	objects := []fyne.CanvasObject{subheading(tr("When to keep silent"))}
	for i, name := range []string{tr("On battery"), tr("On a line that costs by the amount"), tr("Behind a VPN")} {
		r := p.rules[i]
		r.known = small("")
		r.pick = widget.NewSelect([]string{doText(tuber.Stop), doText(tuber.Send), doText(tuber.Ask)}, func(text string) {
			if !p.setting {
				u.change(func(s *tuber.Settings) { *r.rule(s) = doOf(text) }, nil)
			}
		})
		objects = append(objects, newLines(strong(name), r.known), inset(container.NewHBox(wide(r.pick, 200))))
	}
	p.lan = widget.NewCheck(tr("Home network without caps or allowance"), func(on bool) {
		if !p.setting {
			u.change(func(s *tuber.Settings) { s.LANExempt = on }, nil)
		}
	})
	p.box = newCard(append(objects, space(2), p.lan)...)
	return p
}

func doText(do tuber.OnFact) string {
	switch do {
	case tuber.Send:
		return tr("Send all the same")
	case tuber.Ask:
		return tr("Ask me")
	}
	return tr("Send nothing")
}

func doOf(text string) tuber.OnFact {
	for _, do := range []tuber.OnFact{tuber.Send, tuber.Ask} {
		if doText(do) == text {
			return do
		}
	}
	return tuber.Stop
}

// factText is what is known of the machine now.
func factText(f tuber.Fact) string {
	switch f {
	case tuber.FactYes:
		return tr("Now: yes")
	case tuber.FactNo:
		return tr("Now: no")
	}
	return tr("Now: not known; then this rule changes nothing")
}

func (p *rulesPart) card() fyne.CanvasObject { return p.box }

func (p *rulesPart) show(v *view) bool {
	p.setting = true
	for _, r := range p.rules {
		set(r.known, factText(r.fact(&v.status.Facts)))
		r.pick.SetSelected(doText(*r.rule(&v.settings)))
	}
	p.lan.SetChecked(v.settings.LANExempt)
	p.setting = false
	return false
}

// networkPart is the port and whether the router is asked.
type networkPart struct {
	u       *ui
	box     *card
	port    *field
	mapping *widget.Check
	setting bool
}

func newNetworkPart(u *ui) *networkPart {
	p := &networkPart{u: u}
	p.port = newField(u, "UDP", func(text string) (func(*tuber.Settings), string) {
		v, problem := parsePort(text)
		return func(s *tuber.Settings) { s.Port = v }, problem
	})
	p.port.entry.SetPlaceHolder(tr("chosen by itself"))
	p.mapping = widget.NewCheck(tr("Ask the router to let others in"), func(on bool) {
		if !p.setting {
			u.change(func(s *tuber.Settings) { s.NoMapping = !on }, nil)
		}
	})
	p.box = newCard(subheading(tr("Network")),
		newLines(strong(tr("Port")), small(tr("Both count from the next start on."))),
		inset(container.NewHBox(wide(p.port.box, 230))), p.port.problem, p.mapping)
	return p
}

func (p *networkPart) card() fyne.CanvasObject { return p.box }

func (p *networkPart) show(v *view) bool {
	text := ""
	if v.settings.Port != 0 {
		text = strconv.Itoa(int(v.settings.Port))
	}
	p.port.show(text)
	p.setting = true
	p.mapping.SetChecked(!v.settings.NoMapping)
	p.setting = false
	return false
}
