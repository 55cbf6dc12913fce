package app

import (
	"errors"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// mood is what the tray icon shows. The values are those of package icons.
type mood string

const (
	moodActive  mood = "active"
	moodIdle    mood = "idle"
	moodLimited mood = "limited"
	moodPaused  mood = "paused"
	moodRule    mood = "paused-rule"
	moodOffline mood = "offline"
	moodError   mood = "error"
)

// saying is the state of the booster in words.
type saying struct {
	mood  mood
	title string // a word or two
	why   string // the one sentence
}

// say puts a view's state into words.
func say(v *view) saying {
	st := &v.status
	switch {
	case v.begun == beginning:
		return saying{moodIdle, tr("Starting"), tr("Tuber is starting.")}
	case v.begun == failed:
		return saying{moodError, tr("Not running"), errorText(v.beginErr)}
	case v.statusErr != nil:
		return saying{moodError, tr("Not running"), errorText(v.statusErr)}
	case st.Reason != tuber.ReasonNone:
		return saySilent(st, v.now)
	case st.Error != "":
		return saying{moodError, tr("Something is wrong"), messageText(st.Error)}
	case len(st.Swarms) == 0:
		return saying{moodIdle, tr("Ready"), tr("Paste an invite to begin.")}
	}
	return sayRunning(st, v)
}

// saySilent is for a booster that sends nothing, and why.
func saySilent(st *tuber.Status, now time.Time) saying {
	if st.Reason == tuber.ReasonPaused {
		return saying{moodPaused, tr("Paused"), pausedText(st.Until, now)}
	}
	if st.Reason == tuber.ReasonError {
		return saying{moodError, tr("Something is wrong"), orText(messageText(st.Error), tr("Nothing is sent because of an error."))}
	}
	return saying{moodRule, tr("Paused by a rule"), reasonText(st, now)}
}

// reasonText says why nothing is sent by a rule.
func reasonText(st *tuber.Status, now time.Time) string {
	switch st.Reason {
	case tuber.ReasonAllowance:
		if st.Resets.IsZero() {
			return tr("The monthly allowance is used up.")
		}
		return tr("The monthly allowance is used up. It begins anew on {{.Day}}.", "Day", dayText(st.Resets, now))
	case tuber.ReasonSchedule:
		return tr("The schedule allows no upload at this hour.")
	case tuber.ReasonMetered:
		if st.Ask {
			return tr("This line seems to cost by the amount. Nothing is sent until you choose.")
		}
		return tr("This line seems to cost by the amount, so nothing is sent.")
	case tuber.ReasonBattery:
		if st.Ask {
			return tr("This computer runs on battery. Nothing is sent until you choose.")
		}
		return tr("This computer runs on battery, so nothing is sent.")
	case tuber.ReasonVPN:
		if st.Ask {
			return tr("A VPN is on. Nothing is sent through it until you choose.")
		}
		return tr("A VPN is on, so nothing is sent.")
	}
	return trOr(string(st.Reason), plain(string(st.Reason)))
}

// sayRunning is for a booster that may send.
func sayRunning(st *tuber.Status, v *view) saying {
	linked, paused := 0, 0
	for _, sw := range st.Swarms {
		if sw.Connected {
			linked++
		}
		if sw.Paused {
			paused++
		}
	}
	switch {
	case paused == len(st.Swarms):
		return saying{moodPaused, tr("Paused"), tr("You paused every swarm.")}
	case linked == 0:
		return saying{moodOffline, tr("Offline"), tr("No host answers. Tuber tries again by itself.")}
	case st.Second:
		return saying{moodLimited, tr("Limited"), tr("The schedule holds upload to {{.Rate}} at this hour.", "Rate", rateText(st.Cap))}
	case st.Cap == 0:
		return saying{moodLimited, tr("Limited"), tr("Your upload cap is 0, so nothing is sent.")}
	case st.Upload > 0:
		return saying{moodActive, tr("Helping"), helpingText(st)}
	}
	return saying{moodIdle, tr("Ready"), tr("Nobody needs help right now. It starts by itself.")}
}

func helpingText(st *tuber.Status) string {
	if st.Cap == tuber.Unlimited {
		return tr("Passing video on at {{.Rate}}.", "Rate", rateText(st.Upload))
	}
	return tr("Passing video on at {{.Rate}} of at most {{.Cap}}.", "Rate", rateText(st.Upload), "Cap", rateText(st.Cap))
}

// pausedText is the sentence of a pause by the owner.
func pausedText(until, now time.Time) string {
	if until.IsZero() {
		return tr("You paused it. It stays so until you resume.")
	}
	return tr("You paused it until {{.Time}}.", "Time", clockText(until, now))
}

// swarmText is the state of one swarm.
func swarmText(sw *tuber.SwarmStatus, now time.Time) string {
	switch {
	case sw.Paused && !sw.Until.IsZero():
		return tr("Paused until {{.Time}}", "Time", clockText(sw.Until, now))
	case sw.Paused:
		return tr("Paused")
	case sw.Pending && !sw.Connected:
		return because(tr("The invite is kept and tried again by itself"), messageText(sw.Error))
	case sw.Error != "":
		return messageText(sw.Error)
	case !sw.Connected:
		return tr("The host does not answer; Tuber tries again by itself")
	case sw.Upload > 0:
		return trn("Sending, linked to {{.N}} peers", sw.Peers)
	}
	return trn("Ready, linked to {{.N}} peers", sw.Peers)
}

// swarmName is what a swarm is called: what its host calls itself, or its address.
func swarmName(name, host string) string { return orText(plain(name), plain(host)) }

// errorText is an error for people: its translation, or its bounded text.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	if errors.Is(err, tuber.ErrInvite) {
		if detail, ok := translated(strings.TrimPrefix(err.Error(), tuber.ErrInvite.Error()+": ")); ok {
			return detail
		}
		return tr("This is not a whole invite link. Copy it again from its first letter to its last.")
	}
	return messageText(err.Error())
}

func orText(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
