package app

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestEveryReachHasAdvice(t *testing.T) {
	said := map[string]bool{}
	for _, r := range []tuber.Reach{tuber.ReachUnknown, tuber.ReachDialable, tuber.ReachPunchable, tuber.ReachSymmetric, tuber.ReachNone} {
		got := sayReach(&tuber.ReachStatus{Reach: r}, false)
		if got.title == "" || got.short == "" || got.advice == "" || said[got.advice] {
			t.Errorf("%q: %+v", r, got)
		}
		said[got.advice] = true
	}
	if got := sayReach(&tuber.ReachStatus{Reach: tuber.ReachPunchable}, true); !strings.Contains(got.advice, "with no, allow Tuber") {
		t.Errorf("after a question of the system: %q", got.advice)
	}
	for r, want := range map[tuber.ReachStatus]string{
		{}: "not known yet", {Mapping: "off"}: "Not asked: you switched that off.", {Mapping: "NAT-PMP"}: "Lets others in, asked by NAT-PMP.",
		{Trouble: "no router answered"}: "Does not let others in: no router answered",
	} {
		if got := routerText(&r); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}

func TestEveryEventIsSaidInWords(t *testing.T) {
	for _, l := range languages() {
		newStand(t, l)
		for _, e := range happened() {
			got := eventText(&e)
			if got == "" || l == "de" && got == string(e.Kind) {
				t.Errorf("%s: %s is %q", l, e.Kind, got)
			}
		}
	}
	newStand(t, "de")
	if got := eventText(&tuber.Event{Kind: tuber.EventStopped, Text: string(tuber.ReasonBattery)}); got != "Sendet nicht mehr: läuft auf Akku" {
		t.Errorf("a reason is not translated: %q", got)
	}
	newStand(t, "en")
	if got := eventText(&tuber.Event{Kind: tuber.EventAway, Host: "tv.example", Text: "tv.example does not answer: refused"}); got != "tv.example does not answer: refused" {
		t.Errorf("said twice: %q", got)
	}
	if got := eventText(&tuber.Event{Kind: "x\x1b", Host: "\u202e"}); strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("shown as it came: %q", got)
	}
}

func TestTheNewestEventIsFirst(t *testing.T) {
	s := newStand(t, "en", func(s *stand) { s.engine.events = happened() })
	if len(s.u.collect().events) != 0 {
		t.Error("events are fetched while nobody sees them")
	}
	s.u.goTo(s.page("Activity"))
	s.tick()
	p := s.u.pages[s.u.open].(*activityPage)
	if len(p.lines) != 11 || p.lines[0].what != "Left old.example" || p.lines[10].what != "Tuber started" {
		t.Errorf("the lines are %v", p.lines)
	}
}

// TestDiagnosticsHaveNoAddresses plants addresses, names and a link in every
// text that goes into them.
func TestDiagnosticsHaveNoAddresses(t *testing.T) {
	s := newStand(t, "de", func(s *stand) {
		helping(s)
		serving(s)
		secrets := "to 203.0.113.7:40123 and [2001:db8::42]:443 and fe80::1%eth0 at nas.lan.example, /home/ann/tuber, Ann’s evening show, " + testInvite("tv.example", 9).URL()
		st := &s.engine.status
		st.Error, st.Reach.Trouble, st.Swarms[0].Error, st.Swarms[1].Error = secrets, secrets, secrets, "192.168.1.20:8443 refused"
		s.engine.settings.Folder = "/home/ann/tuber"
		s.desk.settings.Hosting = tuber.HostSetup{Folder: "/home/ann/films", Name: "Ann’s own", Public: "tv.example"}
		s.engine.events = []tuber.Event{{At: noon, Kind: tuber.EventAway, Host: "tv.example", Text: secrets}}
		s.hosting.state.Site = "https://tv.example/"
	})
	s.u.goTo(s.page("Activity"))
	s.tick()
	s.tap("Diagnose kopieren")
	got := s.app.Clipboard().Content()
	for _, secret := range []string{"203.0.113.7", "2001:db8", "fe80::1", "example", "192.168", "/home/ann", "Ann’s", "join#", "Ben’s", "Carla"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in the diagnostics:\n%s", secret, got)
		}
	}
	for _, kept := range []string{"Tuber 1.2.3", noon.Format(time.RFC3339), "upload 3.2 Mbit/s", "swarm 2: connected true", "month 23400000000", "away", "host: viewers 23"} {
		if !strings.Contains(got, kept) {
			t.Errorf("%q is not in the diagnostics:\n%s", kept, got)
		}
	}
	if regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`).MatchString(got) {
		t.Error("something like an address is left")
	}
}

func TestScrub(t *testing.T) {
	for text, want := range map[string]string{
		"dial 10.0.0.1:80: refused":             "dial [address]: refused",
		"dial 10.0.0.1: refused":                "dial [address]: refused",
		"read [::1]:443->[fe80::2%eth0]:9: end": "read [address]->[address]: end",
		"ask ::ffff:1.2.3.4 again":              "ask [address] again",
		"see tuber://x.y/join#AAAA now":         "see [link] now",
		"at 12:30:45 sent 3.25 of 1.5 GB":       "at 12:30:45 sent 3.25 of 1.5 GB",
		"lookup tv.example: no such host":       "lookup [host]: no such host",
		"go1.26.0 linux/amd64":                  "go1.26.0 linux/amd64",
	} {
		if got := scrub(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestFirewallIsToldOfFirst(t *testing.T) {
	s := newStand(t, "en")
	s.u.waits, s.u.stage = true, beginning
	s.tick()
	// the first start of a friend: by the link, so that the invite waits
	s.u.offer(tuber.Invite{Host: "tv.example", Site: tuber.PublicKey{1}}.URL())
	s.sees("The system may ask about the network", "Either answer works")
	s.misses("Agree and help")
	began := false
	s.u.cfg.Begin = func() error { began = true; return nil }
	s.tap("Understood")
	if !began {
		t.Error("the engine did not begin")
	}
	s.tick()
	s.misses("The system may ask about the network")
	s.sees("Help tv.example?", "Agree and help")
}
