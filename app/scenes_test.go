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
			s.desk.trouble = "The window's settings file was damaged (not this program's JSON: unexpected EOF). " +
				"It is kept as /home/ann/.local/state/tuber/app/app.json.damaged-20261125-110000; the usual settings are in force."
		}, nil},
		{"consent", nil, offer("tv.example")},
		{"consent-private", nil, offer("192.168.1.20:8443")},
		{"consent-named", nil, func(s *stand) {
			v := testInvite("192.168.1.20:8443", 9)
			v.Name = "Ann’s evening show"
			s.u.offer(v.URL())
		}},
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
		{"boost-firewall", nil, func(s *stand) { s.u.waits, s.u.stage = true, beginning; s.tick() }},
		{"host-setup", func(s *stand) {
			s.desk.settings.Hosting = tuber.HostSetup{Upstream: "http://127.0.0.1:8000", Name: "Ann’s evening show", Uplink: 10e6}
		}, onPage("Host")},
		{"host-proxy", func(s *stand) {
			s.desk.settings.Hosting = tuber.HostSetup{Upstream: "http://127.0.0.1:8000", Public: "tv.example", OuterHTTPS: true}
		}, func(s *stand) { onPage("Host")(s); s.scroll(9000) }},
		{"host-bad", nil, func(s *stand) {
			onPage("Host")(s)
			h := s.u.pages[s.u.open].(*hostPage).setup
			h.upstream.entry.SetText("ftp://x/y")
			h.public.entry.SetText("https://tv.example/")
			h.uplink.entry.SetText("much")
			s.tap(tr("Start"))
			s.scroll(300)
		}},
		{"host-ended", func(s *stand) { s.hosting.ended = errors.New("listen on :443: permission denied") }, onPage("Host")},
		{"host-live", serving, func(s *stand) { onPage("Host")(s); hostWave(s) }},
		{"host-short", func(s *stand) { serving(s); s.hosting.state.Short = 12e6 }, onPage("Host")},
		{"host-quiet", func(s *stand) {
			s.hosting.running = true
			s.hosting.state = tuber.HostState{Enabled: true, Site: "http://192.168.1.20:8080/"}
			s.hosting.state.Planner = true
		}, onPage("Host")},
		{"host-behind", func(s *stand) {
			serving(s)
			s.hosting.state.Planner = false
			s.hosting.state.Mapping = tuber.ReachStatus{Port: 8443, Trouble: "the router that mapped the port stands behind another one; " +
				"forward the UDP port there too, or ask the provider for a public address"}
		}, onPage("Host")},
		{"host-fresh", serving, func(s *stand) { onPage("Host")(s); s.tap(tr("Make an invite")); s.scroll(520) }},
		{"host-lists", serving, func(s *stand) { onPage("Host")(s); s.scroll(9000) }},
		{"host-remove", serving, func(s *stand) { onPage("Host")(s); s.scroll(9000); s.tap(tr("Remove …")) }},
		{"reach-dialable", helping, onPage("Reachability")},
		{"reach-punchable", reach(tuber.ReachStatus{Reach: tuber.ReachPunchable, Port: 40123, Trouble: "no router answered", Seen: "203.0.113.7:61021"}), onPage("Reachability")},
		{"reach-symmetric", reach(tuber.ReachStatus{Reach: tuber.ReachSymmetric, Port: 40123, Mapping: "off"}), onPage("Reachability")},
		{"reach-none", reach(tuber.ReachStatus{Reach: tuber.ReachNone, Port: 40123}), onPage("Reachability")},
		{"reach-unknown", nil, onPage("Reachability")},
		{"activity", func(s *stand) { helping(s); s.engine.events = happened() }, onPage("Activity")},
		{"activity-empty", nil, onPage("Activity")},
	}
}

func onPage(name string) func(*stand) {
	return func(s *stand) { s.u.goTo(s.page(name)); s.tick() }
}

func reach(r tuber.ReachStatus) func(*stand) {
	return func(s *stand) { helping(s); s.engine.status.Reach = r }
}

// serving is a host that runs in the program.
func serving(s *stand) {
	s.hosting.running = true
	s.hosting.state = tuber.HostState{
		HostStatus: tuber.HostStatus{Viewers: 23, Boosters: 2, Peers: 3, FromPeers: 0.934, Upload: 1_620_000, Bitrate: 1_500_000, Planner: true},
		Enabled:    true, Site: "https://tv.example/", Mapping: tuber.ReachStatus{Reach: tuber.ReachDialable, Mapping: "UPnP"},
		BoosterList: []tuber.HostBooster{
			{ID: tuber.PeerID{1}, Name: "Ben’s PC", Linked: true, Delivered: 48e9, Upload: 20e6, Enrolled: noon.AddDate(0, -2, 0)},
			{ID: tuber.PeerID{2}, Name: "Carla", Linked: true, Delivered: 7e9, Upload: 5e6, Enrolled: noon.AddDate(0, 0, -3)},
			{ID: tuber.PeerID{3}, Name: "\u202edrawkcab", Delivered: 0, Upload: 5e6, Enrolled: noon},
		},
		Invites: []tuber.InviteRecord{
			{ID: "a1b2c3d4", Note: "the club", Expires: noon.AddDate(0, 0, 5), Uses: 7, UsedBy: []tuber.PeerID{{1}, {2}}},
			{ID: "99887766", Expires: noon.AddDate(0, 0, 1), Uses: 1},
			{ID: "00112233", Note: "Dora", Expires: noon.AddDate(0, 0, -1), Uses: 1},
			{ID: "44556677", Note: "Emil", Expires: noon.AddDate(0, 0, 1), Uses: 0, UsedBy: []tuber.PeerID{{9}}},
		},
	}
}

// hostWave lets two minutes pass on the host's graph.
func hostWave(s *stand) {
	h := &s.hosting.state.HostStatus
	up := h.Upload
	for i := range span {
		f := 1 + 0.03*math.Sin(float64(i)/3)
		if i > 20 && i < 30 {
			f = 3 - float64(i-20)/5
		}
		h.Upload = tuber.BitsPerSecond(float64(up) * f)
		s.tick()
	}
	h.Upload = up
	s.tick()
}

// happened is one event of each kind.
func happened() []tuber.Event {
	var all []tuber.Event
	for i, e := range []tuber.Event{
		{Kind: tuber.EventStarted}, {Kind: tuber.EventJoined, Host: "tv.example"}, {Kind: tuber.EventLinked, Host: "tv.example"},
		{Kind: tuber.EventSending}, {Kind: tuber.EventStopped, Text: string(tuber.ReasonBattery)}, {Kind: tuber.EventSending},
		{Kind: tuber.EventAway, Host: "tv.example", Text: "dial: connection refused"}, {Kind: tuber.EventRefused, Host: "old.example", Text: "the invite was revoked"},
		{Kind: tuber.EventSettings}, {Kind: tuber.EventFault, Text: "open the chunk store: no space left on device"}, {Kind: tuber.EventLeft, Host: "old.example"},
	} {
		e.At = noon.Add(time.Duration(i-20) * 7 * time.Minute)
		all = append(all, e)
	}
	return all
}
