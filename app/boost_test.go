package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

func TestConsentComesBeforeJoining(t *testing.T) {
	s := newStand(t, "en")
	link := testInvite("tv.example", 9).URL()
	test.Type(s.entry("https://…/.tuber/join#…"), "  "+link)
	s.tap("Continue")
	s.sees("Help tv.example?", "Upload at most 5.0 Mbit/s, on disk at most 10 GiB, in a month at most 100 GB.",
		"internet address", "deleted when you leave", "Pause at once")
	s.did()
	s.tap("Agree and help")
	s.did("join "+link, "own")
	if len(s.desk.settings.Agreed) != 1 || s.desk.settings.Agreed[0] != testSite(9) {
		t.Errorf("agreed to %v", s.desk.settings.Agreed)
	}
	s.misses("Help tv.example?")
	s.sees("You have an invite?")
}

func TestConsentTellsWhoseStreamItIs(t *testing.T) {
	s := newStand(t, "en")
	invite := testInvite("192.168.1.20:8443", 9)
	invite.Name = "Ann’s show\u202e"
	s.u.offer(invite.URL())
	s.sees("Help Ann’s show?", "calls itself. Its address is 192.168.1.20:8443.", "private network")
	s.tap("Agree and help")
	s.did("join "+invite.URL(), "own")
	s.u.offer(testInvite("192.168.1.20:8443", 8).URL())
	s.sees("Help 192.168.1.20:8443?")
	s.misses("calls itself")
}

func TestThePauseButtonIsBig(t *testing.T) {
	if high := newStand(t, "en").u.pages[0].(*boostPage).head.box.MinSize().Height; high > 120 {
		t.Errorf("without it the headline takes %v all the same", high)
	}
	s := newStand(t, "en", helping)
	head := s.u.pages[0].(*boostPage).head
	usual := widget.NewButtonWithIcon("Pause", head.pause.Icon, nil).MinSize()
	if got := head.pause.Size(); got.Height < 1.5*usual.Height || got.Width < 1.3*usual.Width {
		t.Errorf("it is %v, others are %v", got, usual)
	}
	s.engine.status.Reason = tuber.ReasonPaused
	s.tick()
	if got := head.resume.Size(); head.buttons.pause.Visible() || got.Height < 1.5*usual.Height {
		t.Errorf("the button that resumes is %v, the one that pauses is shown: %v", got, head.buttons.pause.Visible())
	}
}

func TestConsentCanBeDeclined(t *testing.T) {
	s := newStand(t, "en")
	s.u.offer(testInvite("tv.example", 9).AppURL())
	s.tap("Not now")
	s.did()
	s.misses("Help tv.example?")
}

func TestConsentSaysThatAHostIsPrivate(t *testing.T) {
	for host, want := range map[string]bool{
		"tv.example": false, "203.0.113.9:8443": false, "[2001:db8::1]:443": false, "172.32.0.1": false,
		"192.168.1.20:8443": true, "10.1.2.3": true, "127.0.0.1:8080": true, "localhost:8443": true, "[fd00::1]:443": true,
		"[fe80::1]": true, "100.64.3.4": true, "nas.local": true, "nas": true, "[::ffff:10.0.0.1]:1": true,
	} {
		if got := privateHost(host); got != want {
			t.Errorf("%s is private: %v, want %v", host, got, want)
		}
	}
}

func TestARefusedJoinKeepsTheInvite(t *testing.T) {
	s := newStand(t, "en", func(s *stand) { s.engine.fail = errors.New("the invite was used already") })
	link := testInvite("tv.example", 9).URL()
	s.u.offer(link)
	s.tap("Agree and help")
	s.did("join " + link)
	s.sees("Help tv.example?", "the invite was used already")
	s.engine.fail = nil
	s.tap("Agree and help")
	s.did("join "+link, "own")
}

func TestAnInviteOfAHostThatIsAwayIsKept(t *testing.T) {
	s := newStand(t, "en")
	link := testInvite("tv.example", 9).URL()
	s.u.offer(link)
	s.engine.fail = errors.New("tv.example does not answer: it is tried again until it does")
	s.engine.status.Swarms = []tuber.SwarmStatus{{Host: "tv.example", Site: testSite(9), Pending: true, Error: s.engine.fail.Error()}}
	s.tap("Agree and help")
	s.did("join "+link, "own")
	s.tick()
	s.misses("Help tv.example?")
	s.sees("The invite is kept and tried again by itself: tv.example does not answer")
}

func TestBadInvites(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		s := newStand(t, language)
		for _, text := range append(badInvites(), "", strings.Repeat("A", 1<<20), "tuber://", "javascript:alert(1)", "https://x/\u202e/join#"+strings.Repeat("\x00", 9)) {
			s.u.pages[0].(*boostPage).box.problem.SetText("")
			s.u.pages[0].(*boostPage).take(text)
			if p := s.u.pages[0].(*boostPage).box.problem; !p.Visible() || p.Text == "" || len(p.Text) > 300 {
				t.Errorf("%.30q is answered with %q", text, p.Text)
			}
		}
		s.did()
	}
}

func TestThePasteBoxIsBounded(t *testing.T) {
	s := newStand(t, "en")
	e := s.entry("https://…/.tuber/join#…")
	e.SetText(strings.Repeat("x", 1<<16))
	if len(e.Text) != maxPasted {
		t.Errorf("the box holds %d characters", len(e.Text))
	}
}

func TestTheSameSwarmTwice(t *testing.T) {
	s := newStand(t, "en", helping)
	s.u.offer(testInvite("tv.example", 1).URL())
	s.sees("You help Ann’s evening show already.")
	s.misses("Agree and help")
}

func TestTheClipboardsInviteIsOffered(t *testing.T) {
	s := newStand(t, "en")
	s.misses("Use it")
	s.app.Clipboard().SetContent("https://tv.example/.tuber/join#nonsense")
	s.u.opened()
	s.misses("Use it")
	s.app.Clipboard().SetContent(testInvite("tv.example", 9).URL())
	s.u.opened()
	s.sees("The clipboard holds an invite to tv.example.")
	s.did()
	s.tap("Use it")
	s.sees("Help tv.example?")
}

func TestPausesHaveTheirDeadlines(t *testing.T) {
	for choice, want := range map[string]string{
		"For 30 minutes": "pause 00 until 2026-11-25 12:30",
		"For 1 hour":     "pause 00 until 2026-11-25 13:00",
		"Until tomorrow": "pause 00 until 2026-11-26 04:00",
		"Until I resume": "pause 00 for good",
	} {
		s := newStand(t, "en", helping)
		h := s.u.pages[0].(*boostPage).head
		test.Tap(h.pause)
		s.tap(choice)
		s.did(want)
	}
	early := time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)
	if got := tomorrow(early); got != time.Date(2027, 1, 1, 4, 0, 0, 0, time.UTC) {
		t.Errorf("tomorrow of %v is %v", early, got)
	}
	if got := tomorrow(early.Add(2 * time.Minute)); got != time.Date(2027, 1, 1, 4, 0, 0, 0, time.UTC) {
		t.Errorf("tomorrow of the small hours is %v", got)
	}
}

func TestOneSwarmIsPausedAndResumed(t *testing.T) {
	s := newStand(t, "en", helping)
	row := s.u.pages[0].(*boostPage).rows[testSite(2)]
	test.Tap(row.pause)
	s.tap("For 1 hour")
	s.did("pause 02 until 2026-11-25 13:00")
	s.engine.status.Swarms[1].Paused = true
	s.tick()
	if row.pause.Visible() || !row.resume.Visible() {
		t.Error("a paused swarm offers another pause")
	}
	test.Tap(row.resume)
	s.did("resume 02")
}

func TestAPauseIsEndedByOneButton(t *testing.T) {
	s := newStand(t, "en", silent(tuber.ReasonPaused, false))
	s.sees("Paused", "You paused it until 12:30.")
	s.tap("Resume")
	s.did("resume 00")
}

func TestLeavingAsksFirst(t *testing.T) {
	s := newStand(t, "en", helping)
	row := s.u.pages[0].(*boostPage).rows[testSite(1)]
	row.leave()
	s.sees("Leave this swarm?", "Ann’s evening show")
	s.tap("Stay")
	s.did()
	row.leave()
	s.tap("Leave")
	s.did("leave 01")
}

func TestASwarmsShare(t *testing.T) {
	s := newStand(t, "en", helping)
	row := s.u.pages[0].(*boostPage).rows[testSite(1)]
	row.share.SetSelected("May use 25 % of the upload")
	s.did("set")
	if got := s.engine.settings.Shares; len(got) != 1 || got[0] != (tuber.Share{Site: testSite(1), Percent: 25}) {
		t.Errorf("the shares are %v", got)
	}
	s.engine.status.Swarms[0].Share = 25
	s.tick()
	s.did() // what the view sets is no choice
	row.share.SetSelected("May use all of the upload")
	if got := s.engine.settings.Shares; len(got) != 0 {
		t.Errorf("the shares are %v", got)
	}
}

func TestTheAnswerToAQuestionBecomesTheRule(t *testing.T) {
	s := newStand(t, "en", silent(tuber.ReasonVPN, true))
	s.sees("A VPN is on. Send through it?")
	s.tap("Send all the same")
	s.did("set")
	if s.engine.settings.Rules.OnVPN != tuber.Send || s.engine.settings.Rules.OnBattery != tuber.Stop {
		t.Errorf("the rules are %+v", s.engine.settings.Rules)
	}
	s.tap("Do not send")
	if s.engine.settings.Rules.OnVPN != tuber.Stop {
		t.Errorf("the rules are %+v", s.engine.settings.Rules)
	}
}

func TestUnknownFigures(t *testing.T) {
	s := newStand(t, "en", helping)
	s.engine.status.Helped = nil
	s.tick()
	if got := s.u.pages[0].(*boostPage).head.figures.helped.value.Text; got != "not known yet" {
		t.Errorf("people helped: %q", got)
	}
}

func TestNothingIsRefreshedWhileHidden(t *testing.T) {
	s := newStand(t, "en", helping)
	s.u.tray = &tray{u: s.u, desk: &fakeTray{}}
	s.u.tray.build()
	s.u.closed()
	s.engine.status.Today = 7e12
	s.tick()
	s.misses("7.0 TB")
	s.u.raise()
	s.sees("7.0 TB")
}

func TestHostileNames(t *testing.T) {
	s := newStand(t, "en", helping)
	evil := "\u202eevil\x1b[31m$(reboot)\n{{.Host}}" + strings.Repeat("x", 10000)
	s.engine.status.Swarms[0].Name = evil
	s.engine.status.Error, s.engine.status.Reason = evil, tuber.ReasonError
	s.tick()
	all := s.texts()
	if strings.ContainsAny(all, "\u202e\x1b") || strings.Contains(all, strings.Repeat("x", 300)) {
		t.Errorf("shown as it came: %.300q", all)
	}
	if !strings.Contains(all, "{{.Host}}") {
		t.Error("braces in a name were taken for a template's")
	}
}
