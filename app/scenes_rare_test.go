package app

import (
	"errors"
	"time"

	"github.com/tubercdn/tuber"
)

// rareScenes are states that few people meet.
func rareScenes() []scene {
	unreadable := errors.New("the booster does not answer: read book.db: input/output error")
	return []scene{
		{"boost-paused-each", func(s *stand) { helping(s); pausedEach(s, 2) }, nil},
		{"boost-paused-one", func(s *stand) { helping(s); pausedEach(s, 1) }, nil},
		{"boost-cap-zero", func(s *stand) {
			helping(s)
			s.engine.settings.Limits.Upload = 0
			s.engine.status.Cap, s.engine.status.Upload = 0, 0
			for i := range s.engine.status.Swarms {
				s.engine.status.Swarms[i].Upload = 0
			}
		}, nil},
		{"boost-notice", func(s *stand) {
			helping(s)
			s.engine.fail = errors.New("the pause cannot be kept: no space left on device")
		},
			func(s *stand) { s.u.pause(tuber.PublicKey{}, pauseChoices()[3]) }},
		{"boost-quit-without-tray", func(s *stand) { helping(s); s.desk.tray = tuber.FactNo }, func(s *stand) { s.u.closed() }},
		{"host-planner-stopped", func(s *stand) { serving(s); s.hosting.state.Planner = false }, onPage("Host")},
		{"host-unknown", func(s *stand) { serving(s); s.hosting.broken = errors.New("read the book: input/output error") }, onPage("Host")},
		{"host-quit", serving, func(s *stand) { onPage("Host")(s); s.u.quit() }},
		{"settings-unreadable", func(s *stand) { helping(s); s.engine.unread = unreadable }, onPage("Settings")},
		{"consent-unreadable", func(s *stand) { s.engine.unread = unreadable }, offer("tv.example")},
		{"activity-copied", func(s *stand) { helping(s); s.engine.events = happened() }, func(s *stand) {
			onPage("Activity")(s)
			s.tap(tr("Copy diagnostics"))
		}},
	}
}

// pausedEach has the first n swarms paused one by one, the first for an hour.
func pausedEach(s *stand, n int) {
	st := &s.engine.status
	for i := range st.Swarms[:n] {
		sw := &st.Swarms[i]
		st.Upload -= sw.Upload
		sw.Paused, sw.Upload = true, 0
		if i == 0 {
			sw.Until = noon.Add(time.Hour)
		}
	}
}
