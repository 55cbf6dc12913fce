package booster

import (
	"time"

	"github.com/tubercdn/tuber"
)

// circumstances are what the rules look at beside the owner's choices.
type circumstances struct {
	tuber.Facts
	fault bool // what is sent cannot be written down, so an allowance cannot be kept
}

// verdict is what the rules say at one moment.
type verdict struct {
	reason tuber.Reason
	ask    bool                // the reason holds only until the owner has chosen
	until  time.Time           // when a pause ends by itself
	cap    tuber.BitsPerSecond // what may be sent where no reason stands against it
	second bool                // cap is the schedule's
}

// upload is the cap in force.
func (v verdict) upload() tuber.BitsPerSecond {
	if v.reason != tuber.ReasonNone {
		return 0
	}
	return v.cap
}

// judge applies the owner's rules; the first reason that holds wins (tuber.Reason).
// A fact that is not known changes nothing.
func (r *record) judge(now time.Time, c circumstances) verdict {
	v := verdict{cap: r.Limits.Upload}
	if r.Schedule.Applies(now) {
		v.cap, v.second = r.Schedule.Cap, true
	}
	switch {
	case r.pausedAt(now):
		v.reason, v.until = tuber.ReasonPaused, r.Until
	case r.Limits.Allowance > 0 && r.spent(now) >= r.Limits.Allowance:
		v.reason = tuber.ReasonAllowance
	case v.second && v.cap == 0:
		v.reason = tuber.ReasonSchedule
	case stops(r.Rules.OnMetered, c.Metered):
		v.reason, v.ask = tuber.ReasonMetered, r.Rules.OnMetered == tuber.Ask
	case stops(r.Rules.OnBattery, c.Battery):
		v.reason, v.ask = tuber.ReasonBattery, r.Rules.OnBattery == tuber.Ask
	case stops(r.Rules.OnVPN, c.VPN):
		v.reason, v.ask = tuber.ReasonVPN, r.Rules.OnVPN == tuber.Ask
	case c.fault && r.Limits.Allowance > 0:
		v.reason = tuber.ReasonError
	}
	return v
}

func stops(do tuber.OnFact, fact tuber.Fact) bool { return fact == tuber.FactYes && do != tuber.Send }
