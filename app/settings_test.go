package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/tubercdn/tuber"
)

// openSettings opens the settings page and gives its parts.
func openSettings(s *stand) (*speedPart, *schedulePart, *allowancePart, *diskPart, *rulesPart, *networkPart, *startPart, *aboutPart) {
	s.u.goTo(s.page("Settings"))
	p := s.u.pages[s.u.open].(*settingsPage).parts
	return p[0].(*speedPart), p[1].(*schedulePart), p[2].(*allowancePart), p[3].(*diskPart), p[4].(*rulesPart), p[5].(*networkPart), p[6].(*startPart), p[7].(*aboutPart)
}

// write types a text into a field, as somebody who then goes on to the next one.
func (s *stand) write(f *field, text string) {
	c := s.u.win.Canvas()
	c.Focus(f.entry)
	f.entry.SetText("")
	test.Type(f.entry, text)
	c.Unfocus()
	s.tick()
}

func TestBadValuesChangeNothing(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		s := newStand(t, language, helping)
		speed, schedule, allowance, disk, _, network, _, _ := openSettings(s)
		s.engine.settings.Schedule.On = true
		s.tick()
		before := s.engine.settings
		absurd := []string{"", "-1", "-0.1", "abc", "1e9", "NaN", "Inf", "+5", "5 5", "1.000.000", "1,2.3", "0x10", "٣", "5\u202e",
			strings.Repeat("9", 400), "99999999999", "<script>", "{{.}}", "$(id)"}
		for name, f := range map[string]*field{"upload": speed.up.field, "download": speed.down.field, "second cap": schedule.cap.field,
			"allowance": allowance.most, "disk": disk.quota, "port": network.port} {
			for _, text := range absurd {
				if name == "port" && text == "" {
					continue // lets the engine choose
				}
				s.write(f, text)
				if !f.problem.Visible() || f.problem.Text == "" {
					t.Errorf("%s: %q gets no sentence", name, text)
				}
			}
			s.did()
			s.write(f, f.shown)
			if f.problem.Visible() {
				t.Errorf("%s: the sentence stays beside a good value", name)
			}
		}
		if s.engine.settings.Limits != before.Limits || s.engine.settings.Port != 0 {
			t.Errorf("settings became %+v", s.engine.settings)
		}
		s.write(network.port, "80")
		s.write(disk.folder, "a\x00b\nc")
		if !network.port.problem.Visible() || !disk.folder.problem.Visible() {
			t.Error("a port of the system or a folder of control characters is taken")
		}
		s.did()
	}
}

func TestGoodValues(t *testing.T) {
	s := newStand(t, "en", helping)
	speed, schedule, allowance, disk, _, network, _, _ := openSettings(s)
	l := &s.engine.settings.Limits
	for text, want := range map[string]tuber.BitsPerSecond{"0": 0, "2.5": 2_500_000, "2,5": 2_500_000, "0.064": 64_000, " 7 ": 7e6,
		"12 Mbit/s": 12e6, "no limit": tuber.Unlimited, "unlimited": tuber.Unlimited} {
		s.write(speed.up.field, text)
		if l.Upload != want || speed.up.problem.Visible() {
			t.Errorf("%q: an upload cap of %v, want %v; %s", text, l.Upload, want, speed.up.problem.Text)
		}
	}
	s.write(speed.down.field, "20")
	s.write(schedule.cap.field, "0")
	s.write(allowance.most, "250")
	s.write(disk.quota, "1.5")
	s.write(disk.folder, "/srv/chunks")
	s.write(network.port, "40000")
	if l.Download != 20e6 || l.Allowance != 250e9 || l.Disk != 3<<29 || s.engine.settings.Folder != "/srv/chunks" || s.engine.settings.Port != 40000 {
		t.Errorf("settings are %+v", s.engine.settings)
	}
	s.write(allowance.most, "0")
	if l.Allowance != 0 {
		t.Errorf("an allowance of %d", l.Allowance)
	}
}

func TestTheSlider(t *testing.T) {
	s := newStand(t, "en", helping)
	speed, _, _, _, _, _, _, _ := openSettings(s)
	s.did()
	speed.up.slider.SetValue(0)
	if s.engine.settings.Limits.Upload != 0 {
		t.Errorf("the slider's lower end is %v", s.engine.settings.Limits.Upload)
	}
	speed.up.slider.SetValue(float64(len(stops) - 1))
	if s.engine.settings.Limits.Upload != tuber.Unlimited {
		t.Errorf("the slider's upper end is %v", s.engine.settings.Limits.Upload)
	}
	s.did("set", "set")
	s.engine.settings.Limits.Upload = 3_300_000 // changed elsewhere
	s.tick()
	s.did()
	if speed.up.entry.Text != "3.3" {
		t.Errorf("the field shows %q", speed.up.entry.Text)
	}
}

func TestEightyPercentOfWhatWasConfirmed(t *testing.T) {
	s := newStand(t, "en", helping)
	openSettings(s)
	s.sees("So far receivers confirmed at most 11.0 Mbit/s. If that is all")
	s.tap("Use 80 % of it: 8.8 Mbit/s")
	if s.engine.settings.Limits.Upload != 8_800_000 {
		t.Errorf("the cap is %v", s.engine.settings.Limits.Upload)
	}
	s.tick()
	s.misses("Use 80 %")
	const none = 0
	for _, tc := range []struct{ proven, limit, want tuber.BitsPerSecond }{
		{0, 5e6, none}, {-5, 5e6, none}, {tuber.Unlimited, 5e6, none},
		{300e3, 5e6, none}, {1_200_000, tuber.Unlimited, none}, // nobody asked for more
		{1_250_000, 5e6, 1_000_000},
		{5e6, 5e6, 4e6},
		{11e6, 5e6, 8_800_000}, {11e6, tuber.Unlimited, 8_800_000}, {11e6, 0, 8_800_000},
		{11e6, 8_800_000, none}, {11e6, 8e6, none}, {11e6, 9_700_000, none}, // about the same
	} {
		if got := offered(tc.proven, tc.limit); got != tc.want {
			t.Errorf("80 %% of %v under a cap of %v is %v, want %v", tc.proven, tc.limit, got, tc.want)
		}
	}
}

// A computer that was hardly asked for anything is not said to have a slow line.
func TestLittleDemandIsNoSlowLine(t *testing.T) {
	s := newStand(t, "en", helping, func(s *stand) { s.engine.status.Proven = 300e3 })
	openSettings(s)
	s.misses("Use 80 %", "confirmed")
}

func TestAnEngineThatRefuses(t *testing.T) {
	s := newStand(t, "en", helping)
	_, _, _, disk, _, _, _, _ := openSettings(s)
	s.engine.fail = errors.New("the folder /readonly cannot be written to")
	s.write(disk.folder, "/readonly")
	s.sees("the folder /readonly cannot be written to")
	if s.engine.settings.Folder != "" {
		t.Error("the folder changed")
	}
}

func TestTheScheduleIsPainted(t *testing.T) {
	s := newStand(t, "en", func(s *stand) { s.engine.settings.Schedule.On = true })
	_, schedule, _, _, _, _, _, _ := openSettings(s)
	g := schedule.grid
	g.Resize(fyne.NewSize(hoursLeft+24*20, hoursTop+7*hoursCell))
	at := func(row, col int) fyne.Position {
		return fyne.NewPos(hoursLeft+float32(col)*20+5, hoursTop+float32(row)*hoursCell+5)
	}
	g.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: at(0, 20)}})
	g.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at(0, 21)}})
	g.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(-40, 9000)}})
	g.MouseUp(nil)
	s.did("set")
	want := [7]tuber.DayHours{1: 1<<20 | 1<<21} // Monday
	if got := s.engine.settings.Schedule.Hours; got != want {
		t.Errorf("the hours are %v, want %v", got, want)
	}
	g.row, g.col = 6, 0
	for _, key := range []fyne.KeyName{fyne.KeyDown, fyne.KeyLeft, fyne.KeyRight, fyne.KeySpace} {
		g.TypedKey(&fyne.KeyEvent{Name: key})
	}
	want[0] = 1 << 1 // Sunday
	if got := s.engine.settings.Schedule.Hours; got != want {
		t.Errorf("the hours are %v, want %v", got, want)
	}
}

func TestRulesAndChecks(t *testing.T) {
	s := newStand(t, "en", helping)
	_, schedule, allowance, _, rules, network, start, about := openSettings(s)
	s.engine.status.Facts = tuber.Facts{Battery: tuber.FactNo, Metered: tuber.FactYes}
	s.tick()
	for i, want := range []string{"Now: no", "Now: yes", "Now: not known; then this rule changes nothing"} {
		if got := rules.rules[i].known.Text; got != want {
			t.Errorf("fact %d: %q, want %q", i, got, want)
		}
	}
	s.did()
	rules.rules[0].pick.SetSelected("Ask me")
	rules.rules[1].pick.SetSelected("Send all the same")
	rules.rules[2].pick.SetSelected("Send nothing")
	rules.lan.SetChecked(true)
	network.mapping.SetChecked(false)
	schedule.on.SetChecked(true)
	allowance.day.SetSelected("15")
	got := s.engine.settings
	if got.Rules != (tuber.Rules{OnBattery: tuber.Ask, OnMetered: tuber.Send, OnVPN: tuber.Stop}) || !got.LANExempt || !got.NoMapping || !got.Schedule.On || got.ResetDay != 15 {
		t.Errorf("settings are %+v", got)
	}
	s.list = nil
	start.login.SetChecked(true)
	start.hidden.SetChecked(true)
	start.notes.SetChecked(false)
	about.check.SetChecked(true)
	s.did("login true", "own", "own", "own")
	if o := s.desk.settings; !o.StartHidden || !o.Quiet || !o.CheckUpdates {
		t.Errorf("the window's settings are %+v", o)
	}
}

func TestTheLanguageChangesAtOnce(t *testing.T) {
	s := newStand(t, "en", helping)
	_, _, _, _, _, _, start, _ := openSettings(s)
	start.language.SetSelected("Deutsch")
	s.did("own")
	s.sees("Einstellungen", "Geschwindigkeit")
	s.misses("Settings")
	if s.desk.settings.Language != "de" {
		t.Errorf("the language is %q", s.desk.settings.Language)
	}
}

func TestOnlyWebPagesAreOpened(t *testing.T) {
	for address, want := range map[string]bool{"https://tuber.example/r": true, "http://tuber.example": false, "file:///etc/passwd": false,
		"https:///x": false, "javascript:alert(1)": false, "-x": false, "": false, "https://a b": false} {
		if got := webPage(address) != nil; got != want {
			t.Errorf("%q may be opened: %v", address, got)
		}
	}
}

func TestUpdatesAreLookedForOnceADayAndOnlyIfWanted(t *testing.T) {
	s := newStand(t, "en", func(s *stand) { s.desk.update = tuber.Release{Version: "9.9", Page: "https://tuber.example/"} })
	look := func() { s.u.lookForUpdate(t.Context(), s.u.collect()) }
	look()
	s.did()
	s.desk.settings.CheckUpdates = true
	look()
	look()
	s.did("update")
	s.u.now = func() time.Time { return noon.Add(25 * time.Hour) }
	look()
	s.did("update")
	s.u.goTo(s.page("Settings"))
	s.sees("Version 9.9 is there.", "[Open its page]")
}
