package app

import (
	"errors"
	"math"
	"time"

	"github.com/tubercdn/tuber"
)

// helping is an engine that helps two swarms.
func helping(s *stand) {
	s.engine.status = tuber.Status{
		Cap: 5e6, Upload: 3_240_000, Download: 1_120_000, Sent: 9e9, Received: 2e9, Today: 1_830_000_000, Month: 23_400_000_000,
		Resets: noon.AddDate(0, 0, 6), Helped: ptr(41), Stored: 3_200_000_000, Links: 12, Proven: 11e6,
		Reach: tuber.ReachStatus{Reach: tuber.ReachDialable, Port: 40123, Mapping: "UPnP", Seen: "203.0.113.7:40123"},
		Swarms: []tuber.SwarmStatus{
			{Host: "tv.example", Name: "Ann’s evening show", Site: testSite(1), Connected: true, Peers: 9, Upload: 2_900_000, Download: 1e6,
				Today: 1_700_000_000, Month: 21e9, Helped: ptr(38), Stored: 3e9},
			{Host: "192.168.1.20:8443", Site: testSite(2), Connected: true, Peers: 1, Upload: 340_000, Download: 120_000, Today: 130e6, Month: 2.4e9,
				Share: 50, Stored: 200e6},
		},
	}
}

// wave lets two minutes pass with a living graph.
func wave(s *stand) {
	up, down := s.engine.status.Upload, s.engine.status.Download
	for i := range span {
		f := 0.75 + 0.2*math.Sin(float64(i)/7) + 0.05*math.Sin(float64(i)*1.7)
		if i < 14 {
			f = 0
		}
		s.engine.status.Upload = tuber.BitsPerSecond(float64(up) * f)
		s.engine.status.Download = tuber.BitsPerSecond(float64(down) * (0.9 + 0.1*math.Sin(float64(i)/11)))
		for k := range s.engine.status.Swarms {
			s.engine.status.Swarms[k].Upload = s.engine.status.Upload / tuber.BitsPerSecond(k+1)
		}
		s.tick()
	}
	s.engine.status.Upload, s.engine.status.Download = up, down
	s.tick()
}

// silent is helping, stopped for a reason.
func silent(r tuber.Reason, ask bool) func(*stand) {
	return func(s *stand) {
		helping(s)
		st := &s.engine.status
		st.Reason, st.Ask, st.Upload = r, ask, 0
		if r == tuber.ReasonError {
			st.Error = "open the chunk store: permission denied"
		}
		if r == tuber.ReasonPaused {
			st.Until = noon.Add(30 * time.Minute)
		}
	}
}

func offer(host string) func(*stand) {
	return func(s *stand) { s.u.offer(testInvite(host, 9).URL()) }
}

// scenes are every screen in every state.
func scenes() []scene {
	return []scene{
		{"boost-empty", nil, nil},
		{"boost-clipboard", func(s *stand) { s.app.Clipboard().SetContent(testInvite("tv.example", 9).AppURL()) }, nil},
		{"boost-bad-invite", nil, func(s *stand) { s.u.offer("https://tv.example/.tuber/join#AAAA") }},
		{"boost-starting", nil, func(s *stand) { s.u.stage = beginning; s.tick() }},
		{"boost-failed", nil, func(s *stand) {
			s.u.stage, s.u.beginErr = failed, errors.New("another Tuber is using the same folder; close it first")
			s.tick()
		}},
		{"boost-helping", helping, wave},
		{"boost-idle", func(s *stand) { helping(s); s.engine.status.Upload = 0 }, nil},
		{"boost-limited", func(s *stand) { helping(s); s.engine.status.Second, s.engine.status.Cap = true, 1e6 }, nil},
		{"boost-offline", func(s *stand) {
			helping(s)
			for i := range s.engine.status.Swarms {
				s.engine.status.Swarms[i].Connected = false
			}
			s.engine.status.Swarms[1].Pending = true
		}, nil},
		{"boost-paused", silent(tuber.ReasonPaused, false), nil},
		{"boost-allowance", silent(tuber.ReasonAllowance, false), nil},
		{"boost-schedule", silent(tuber.ReasonSchedule, false), nil},
		{"boost-metered", silent(tuber.ReasonMetered, false), nil},
		{"boost-battery", silent(tuber.ReasonBattery, true), nil},
		{"boost-vpn", silent(tuber.ReasonVPN, true), nil},
		{"boost-error", silent(tuber.ReasonError, false), nil},
		{"boost-pause-menu", helping, func(s *stand) { s.tap(tr("Pause")) }},
		{"boost-leave", helping, func(s *stand) { s.tap(tr("Leave …")) }},
		{"boost-trouble", func(s *stand) {
			s.desk.trouble = "The settings file was damaged and is kept as app.toml.bad; defaults are in force."
		}, nil},
		{"consent", nil, offer("tv.example")},
		{"consent-private", nil, offer("192.168.1.20:8443")},
		{"consent-refused", func(s *stand) { s.engine.fail = errors.New("the invite was used already") }, func(s *stand) {
			offer("tv.example")(s)
			s.tap(tr("Agree and help"))
		}},
		{"settings", func(s *stand) { helping(s); s.engine.settings.Folder = "/home/ann/tuber" }, func(s *stand) { s.u.goTo(s.page("Settings")) }},
		{"settings-schedule", func(s *stand) {
			s.engine.settings.Schedule = tuber.Schedule{On: true, Cap: 500e3, Hours: [7]tuber.DayHours{1: 0xff0000, 2: 0xff0000, 3: 0x0f0000, 6: 0xfff000}}
		}, func(s *stand) { s.u.goTo(s.page("Settings")); s.scroll(400) }},
		{"settings-allowance", helping, func(s *stand) { s.u.goTo(s.page("Settings")); s.scroll(520) }},
		{"settings-rules", helping, func(s *stand) { s.u.goTo(s.page("Settings")); s.scroll(980) }},
		{"settings-about", func(s *stand) { s.desk.settings.CheckUpdates = true }, func(s *stand) {
			s.u.update = tuber.Release{Version: "1.3.0", Page: "https://tuber.example/releases"}
			s.u.goTo(s.page("Settings"))
			s.tick()
			s.scroll(9000)
		}},
		{"settings-bad", helping, func(s *stand) {
			s.u.goTo(s.page("Settings"))
			f := s.u.pages[s.u.open].(*settingsPage).parts[0].(*speedPart).up
			f.entry.SetText("-3")
			f.commit()
		}},
	}
}
