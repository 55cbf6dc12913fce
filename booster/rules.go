package booster

import (
	"time"

	"github.com/tubercdn/tuber"
)

// settings are what the owner chose and what has to outlive a restart. They
// rest in the book as one record.
type settings struct {
	Limits   tuber.Limits `json:"limits"`
	ResetDay int          `json:"resetDay"` // of the month, 1 to 28
	Paused   bool         `json:"paused,omitempty"`
	Until    time.Time    `json:"until,omitzero"` // when the pause ends; zero: when it is ended
	Period   time.Time    `json:"period,omitzero"`
	Spent    uint64       `json:"spent,omitempty"` // bytes sent since Period, of the allowance
	Port     uint16       `json:"port,omitempty"`  // the UDP port, kept so that a forwarding rule stays true
}

func newSettings() settings {
	return settings{Limits: tuber.DefaultLimits(), ResetDay: 1}
}

// verdict is what the rules say at one moment.
type verdict struct {
	reason tuber.Reason
	until  time.Time           // when a pause ends by itself
	upload tuber.BitsPerSecond // the cap in force
}

// judge applies the owner's rules; the first reason that holds wins (tuber.Reason).
func (s *settings) judge(now time.Time) verdict {
	switch {
	case s.pausedAt(now):
		return verdict{reason: tuber.ReasonPaused, until: s.Until}
	case s.Limits.Allowance > 0 && s.Spent >= s.Limits.Allowance:
		return verdict{reason: tuber.ReasonAllowance}
	}
	return verdict{upload: s.Limits.Upload}
}

func (s *settings) pausedAt(now time.Time) bool {
	return s.Paused && (s.Until.IsZero() || now.Before(s.Until))
}

// spend counts bytes that were sent. A new month begins the count anew; a
// clock that was set back never does.
func (s *settings) spend(bytes uint64, now time.Time) {
	if p := periodOf(now, s.ResetDay); p.After(s.Period) {
		s.Period, s.Spent = p, 0
	}
	s.Spent += bytes
}

// periodOf is the start of the month of allowance that now is in.
func periodOf(now time.Time, day int) time.Time {
	start := time.Date(now.Year(), now.Month(), day, 0, 0, 0, 0, now.Location())
	if start.After(now) {
		start = start.AddDate(0, -1, 0)
	}
	return start
}
