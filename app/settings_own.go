package app

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// startPart is how the program starts and what the window does.
type startPart struct {
	u        *ui
	box      *card
	login    *widget.Check
	hidden   *widget.Check
	notes    *widget.Check
	language *widget.Select
	names    map[string]string // of languages, by what is shown
	setting  bool
}

func newStartPart(u *ui) *startPart {
	p := &startPart{u: u, names: map[string]string{tr("As the system"): ""}}
	own := func(text string, edit func(*tuber.AppSettings, bool)) *widget.Check {
		return widget.NewCheck(text, func(on bool) {
			if !p.setting {
				u.changeOwn(func(s *tuber.AppSettings) { edit(s, on) }, nil)
			}
		})
	}
	p.login = widget.NewCheck(tr("Start when I log in"), p.startAtLogin)
	p.hidden = own(tr("Start without the window"), func(s *tuber.AppSettings, on bool) { s.StartHidden = on })
	p.notes = own(tr("Notifications (they are few)"), func(s *tuber.AppSettings, on bool) { s.Quiet = !on })
	options := []string{tr("As the system")}
	for _, l := range languages() {
		name := languageName(l)
		options, p.names[name] = append(options, name), l
	}
	p.language = widget.NewSelect(options, p.speak)
	language := words(tr("Language"))
	language.Wrapping = fyne.TextWrapOff
	p.box = newCard(subheading(tr("Start and window")), p.login, p.hidden, p.notes,
		container.NewHBox(language, wide(p.language, 180)), space(2))
	return p
}

// ownName is the key under which a language's file has the language's name.
var ownName = mark("This language’s own name")

// languageName is what a language calls itself.
func languageName(l string) string {
	file := map[string]json.RawMessage{}
	text, err := spoken.ReadFile("lang/" + l + ".json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	name := ""
	if err != nil || json.Unmarshal(file[ownName], &name) != nil {
		return l
	}
	return name
}

func (p *startPart) startAtLogin(on bool) {
	if p.setting {
		return
	}
	p.u.act(func() error { return p.u.cfg.Desk.SetStartAtLogin(on) }, func(err error) {
		p.u.complain(err)
		p.opened()
	})
}

// speak changes the language of the whole window.
func (p *startPart) speak(name string) {
	if p.setting {
		return
	}
	chosen := p.names[name]
	p.u.changeOwn(func(s *tuber.AppSettings) { s.Language = chosen }, func(err error) {
		if err == nil {
			err = speak(chosen)
		}
		if err == nil {
			p.u.seen.own.Language = chosen
			p.u.build()
		}
		p.u.complain(err)
	})
}

func (p *startPart) card() fyne.CanvasObject { return p.box }

func (p *startPart) show(v *view) bool {
	p.setting = true
	p.hidden.SetChecked(v.own.StartHidden)
	p.notes.SetChecked(!v.own.Quiet)
	for name, l := range p.names {
		if l == v.own.Language {
			p.language.SetSelected(name)
		}
	}
	p.setting = false
	return false
}

// opened asks the system whether it starts the program.
func (p *startPart) opened() {
	p.u.off(func() {
		on, err := p.u.cfg.Desk.StartsAtLogin()
		p.u.on(func() {
			p.setting = true
			p.login.SetChecked(on && err == nil)
			p.setting = false
		})
	})
}

// aboutPart says what this is and whether there is a newer one.
type aboutPart struct {
	u       *ui
	box     *card
	check   *widget.Check
	newer   *widget.Label
	open    *widget.Button
	setting bool
}

func newAboutPart(u *ui) *aboutPart {
	p := &aboutPart{u: u, newer: words("")}
	p.check = widget.NewCheck(tr("Look for new versions once a day"), func(on bool) {
		if !p.setting {
			u.changeOwn(func(s *tuber.AppSettings) { s.CheckUpdates = on }, nil)
		}
	})
	p.open = widget.NewButton(tr("Open its page"), func() { u.openPage(u.update.Page) })
	icon := widget.NewIcon(appIcon())
	p.box = newCard(subheading(tr("About")),
		container.NewBorder(nil, nil, inset(container.NewGridWrap(fyne.NewSquareSize(48), icon)), nil,
			newLines(strong("Tuber "+plain(u.cfg.Desk.Version())),
				soft(tr("Carries a friend’s stream to everybody who watches. MIT licence.")))),
		p.check, p.newer, inset(newWrap(p.open)))
	return p
}

func (p *aboutPart) card() fyne.CanvasObject { return p.box }

func (p *aboutPart) show(v *view) bool {
	p.setting = true
	p.check.SetChecked(v.own.CheckUpdates)
	p.setting = false
	set(p.newer, tr("Version {{.Version}} is there.", "Version", plain(p.u.update.Version)))
	there := p.u.update.Version != ""
	moved := showIf(p.newer, there)
	return showIf(p.open, there && webPage(p.u.update.Page) != nil) || moved
}

// webPage is an address that may be opened in a browser, nil if it is none.
func webPage(address string) *url.URL {
	page, err := url.Parse(address)
	if err != nil || page.Scheme != "https" || page.Host == "" {
		return nil
	}
	return page
}

// ownSite is an address of the host in this program that may be opened in a
// browser, nil if it is none.
func ownSite(address string) *url.URL {
	page, err := url.Parse(address)
	if err != nil || (page.Scheme != "https" && page.Scheme != "http") || page.Host == "" {
		return nil
	}
	return page
}

// openPage opens a web page, and nothing else.
func (u *ui) openPage(address string) {
	if page := webPage(address); page != nil {
		u.complain(u.app.OpenURL(page))
	}
}

// updateEvery is how often the newest release is asked for.
const updateEvery = 24 * time.Hour

// lookForUpdate asks for the newest release when it is time and the owner wants
// it. Only watch's goroutine calls it.
func (u *ui) lookForUpdate(ctx context.Context, v *view) {
	if !v.own.CheckUpdates || v.now.Sub(u.lookedAt) < updateEvery {
		return
	}
	u.lookedAt = v.now
	u.off(func() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		found, err := u.cfg.Desk.CheckUpdate(ctx)
		if err != nil {
			return // the next day is soon enough
		}
		u.on(func() { u.update = found })
	})
}
