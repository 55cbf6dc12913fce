package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/config"
)

// sentence is a status in one line.
func sentence(st tuber.Status) string {
	var parts []string
	if st.Reason != tuber.ReasonNone {
		parts = append(parts, "not sending: "+string(st.Reason)+until(st.Until))
	} else {
		parts = append(parts, "sending "+st.Upload.String())
	}
	if st.Reachable != "" {
		parts = append(parts, st.Reachable)
	}
	parts = append(parts, plural(st.Links, "link"), bytesText(st.Sent)+" sent", bytesText(st.Stored)+" on disk")
	for _, s := range st.Swarms {
		if !s.Connected {
			parts = append(parts, s.Host+" is away")
		}
	}
	return strings.Join(parts, ", ")
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + t.Local().Format("2 Jan 15:04")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func bytesText(n uint64) string {
	for _, u := range []struct {
		size uint64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// statusText is all that a booster shows of itself, in sentences.
func statusText(st tuber.Status, s tuber.Settings) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("%s", sending(st))
	if st.Error != "" {
		say("Trouble: %s.", st.Error)
	}
	say("%s", given(st, s))
	where := "beside the settings"
	if s.Folder != "" {
		where = "in " + s.Folder
	}
	say("%s of at most %s are kept %s.", bytesText(st.Stored), bytesText(s.Limits.Disk), where)
	say("%s", reached(st.Reach, st.Reachable))
	if st.Proven > 0 {
		say("Receivers have confirmed up to %v.", st.Proven)
	}
	say("On battery: %s. Metered line: %s. VPN: %s.", known(st.Facts.Battery), known(st.Facts.Metered), known(st.Facts.VPN))
	if s.Schedule.On {
		say("Schedule: %v.", config.Schedule(s.Schedule))
	}
	for _, sw := range st.Swarms {
		say("  %s", swarmText(sw))
		if sw.Error != "" {
			say("    %s", sw.Error)
		}
	}
	return b.String()
}

// sending is whether and why.
func sending(st tuber.Status) string {
	switch {
	case st.Ask:
		return fmt.Sprintf("Not sending: %s. Choose: tuber boost --on-%s send, or stop.", st.Reason, ruleOf(st.Reason))
	case st.Reason != tuber.ReasonNone:
		return fmt.Sprintf("Not sending: %s%s.", st.Reason, until(st.Until))
	}
	of := fmt.Sprintf("of at most %v", st.Cap)
	if st.Cap == tuber.Unlimited {
		of = "without a cap"
	} else if st.Second {
		of += ", by the schedule"
	}
	return fmt.Sprintf("Sending %v %s; receiving %v; %s.", st.Upload, of, st.Download, plural(st.Links, "link"))
}

func ruleOf(r tuber.Reason) string {
	switch r {
	case tuber.ReasonBattery:
		return "battery"
	case tuber.ReasonMetered:
		return "metered"
	}
	return "vpn"
}

// given is what was sent, today and of the allowance.
func given(st tuber.Status, s tuber.Settings) string {
	today := fmt.Sprintf("Sent today: %s", bytesText(st.Today))
	if st.Helped != nil {
		today += " to " + plural(*st.Helped, "peer")
	}
	resets := st.Resets.Local().Format("2 Jan")
	if s.Limits.Allowance == 0 {
		return fmt.Sprintf("%s; since the last reset: %s, again on %s.", today, bytesText(st.Month), resets)
	}
	return fmt.Sprintf("%s; of the monthly allowance: %s of %s until %s.", today, bytesText(st.Month), bytesText(s.Limits.Allowance), resets)
}

// reached is how others get here.
func reached(r tuber.ReachStatus, words string) string {
	if words == "" {
		words = "not known yet whether others reach it"
	}
	out := fmt.Sprintf("UDP port %d: %s", r.Port, words)
	if r.Mapping == "off" {
		out += "; the router is left alone"
	}
	if r.Seen != "" {
		out += "; seen from outside as " + r.Seen
	}
	if r.Trouble != "" {
		out += "; not mapped: " + r.Trouble
	}
	return out + "."
}

func known(f tuber.Fact) string {
	if f == tuber.FactUnknown {
		return "unknown"
	}
	return string(f)
}

func swarmText(sw tuber.SwarmStatus) string {
	state := "joined"
	switch {
	case sw.Pending:
		state = "waiting for the host to answer the invite"
	case !sw.Connected:
		state = "away"
	}
	if sw.Paused {
		state += ", paused" + until(sw.Until)
	}
	if sw.Share > 0 {
		state += fmt.Sprintf(", at most %d %% of the cap", sw.Share)
	}
	name := sw.Host
	if sw.Name != "" {
		name += fmt.Sprintf(" (%s)", sw.Name)
	}
	return fmt.Sprintf("%s: %s, %s, sending %v, %s sent today, %s on disk", name, state, plural(sw.Peers, "link"),
		sw.Upload, bytesText(sw.Today), bytesText(sw.Stored))
}
