package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// Schedule is a second cap in some hours of the week, as people write it: "mon-fri
// 18-23 2Mbit/s", "sat 0-24, sun 0-24 0", or "off". Hours end when the last one
// strikes, and 22-6 goes on past midnight.
type Schedule tuber.Schedule

// scheduleHelp is how to write one.
const scheduleHelp = `write days, hours and a rate, such as "mon-fri 18-23 2Mbit/s", or off`

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// UnmarshalText reads a schedule.
func (s *Schedule) UnmarshalText(text []byte) error {
	*s = Schedule{}
	line := strings.ToLower(strings.TrimSpace(string(text)))
	if line == "off" {
		return nil
	}
	bad := func(what string) error { return fmt.Errorf("%.20q is not understood; %s", what, scheduleHelp) }
	spans := strings.Split(line, ",")
	for i, span := range spans {
		words := strings.Fields(span)
		if len(words) < 2 {
			return bad(span)
		}
		if i == len(spans)-1 {
			var r Rate
			rate := strings.Join(words[2:], " ")
			if err := r.UnmarshalText([]byte(rate)); err != nil {
				return bad(rate)
			}
			s.Cap, words = tuber.BitsPerSecond(r), words[:2]
		}
		if len(words) != 2 {
			return bad(span)
		}
		first, last, ok := daysOf(words[0])
		if !ok {
			return bad(words[0])
		}
		from, to, ok := hoursOf(words[1])
		if !ok {
			return bad(words[1])
		}
		for d := first; ; d = (d + 1) % 7 {
			s.add(d, from, to)
			if d == last {
				break
			}
		}
	}
	s.On = true
	return nil
}

func (s *Schedule) add(day time.Weekday, from, to int) {
	for h := from; h != to; h = (h + 1) % 48 {
		at := (day + time.Weekday(h/24)) % 7
		s.Hours[at] |= 1 << (h % 24)
	}
}

func daysOf(text string) (first, last time.Weekday, ok bool) {
	if text == "daily" {
		return time.Sunday, time.Saturday, true
	}
	a, b, span := strings.Cut(text, "-")
	if !span {
		b = a
	}
	first, ok = weekdays[a]
	if !ok {
		return 0, 0, false
	}
	last, ok = weekdays[b]
	return first, last, ok
}

// hoursOf are counted from the day's beginning; past midnight they go on.
func hoursOf(text string) (from, to int, ok bool) {
	a, b, _ := strings.Cut(text, "-")
	from, err := strconv.Atoi(a)
	to, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil || from < 0 || from > 23 || to < 0 || to > 24 || from == to {
		return 0, 0, false
	}
	if to < from {
		to += 24
	}
	return from, to, true
}

// String writes a schedule so that it can be read again.
func (s Schedule) String() string {
	if !s.On {
		return "off"
	}
	var spans []string
	for i := range 7 {
		day := time.Weekday((i + 1) % 7) // Monday first
		for h := 0; h < 24; h++ {
			if !s.Hours[day].Has(h) {
				continue
			}
			from := h
			for h < 24 && s.Hours[day].Has(h) {
				h++
			}
			spans = append(spans, fmt.Sprintf("%s %d-%d", strings.ToLower(day.String()[:3]), from, h))
		}
	}
	return strings.Join(spans, ", ") + " " + tuber.BitsPerSecond(s.Cap).String()
}
