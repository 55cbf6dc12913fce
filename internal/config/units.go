package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// Rate is a rate as people write it: "5Mbit/s", "800 kbit/s", "unlimited".
type Rate tuber.BitsPerSecond

// Size is an amount of bytes as people write it: "10GiB", "500 MB".
type Size uint64

// Duration is a time.Duration that knows days, too: "7d", "1d12h", "90m".
type Duration time.Duration

type unit struct {
	name   string
	factor float64
}

// Longest first, so that a name is not taken for the end of a longer one.
var (
	rateUnits = []unit{{"gbit/s", 1e9}, {"mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1}}
	sizeUnits = []unit{
		{"tib", 1 << 40}, {"gib", 1 << 30}, {"mib", 1 << 20}, {"kib", 1 << 10},
		{"tb", 1e12}, {"gb", 1e9}, {"mb", 1e6}, {"kb", 1e3}, {"b", 1},
	}
)

// UnmarshalText reads a rate.
func (r *Rate) UnmarshalText(text []byte) error {
	if strings.EqualFold(string(text), "unlimited") {
		*r = Rate(tuber.Unlimited)
		return nil
	}
	v, ok := quantity(string(text), rateUnits)
	if !ok {
		return fmt.Errorf("%.40q is no rate; write a number and kbit/s, Mbit/s or Gbit/s, such as 5Mbit/s, or unlimited", text)
	}
	*r = Rate(v)
	return nil
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	v, ok := quantity(string(text), sizeUnits)
	if !ok {
		return fmt.Errorf("%.40q is no size; write a number and MB, GB, MiB or GiB, such as 10GiB", text)
	}
	*s = Size(v)
	return nil
}

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	days, rest, hasDays := strings.Cut(string(text), "d")
	if !hasDays {
		days, rest = "0", string(text)
	}
	if rest == "" && hasDays {
		rest = "0s"
	}
	n, err := strconv.ParseUint(days, 10, 16)
	more, err2 := time.ParseDuration(rest)
	if err != nil || err2 != nil || more < 0 {
		return fmt.Errorf("%.40q is no duration; write such as 30m, 12h or 7d", text)
	}
	*d = Duration(time.Duration(n)*24*time.Hour + more)
	return nil
}

func (r Rate) String() string     { return tuber.BitsPerSecond(r).String() }
func (d Duration) String() string { return time.Duration(d).String() }

// quantity reads a number and one of the units; 0 needs none.
func quantity(text string, units []unit) (float64, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "0" {
		return 0, true
	}
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		v = math.Round(v * u.factor)
		return v, err == nil && v >= 0 && v < 1<<62
	}
	return 0, false
}

// Pause says how long to pause: "30m", "2h", "tomorrow", or nothing: until
// resumed.
type Pause struct {
	For      time.Duration
	Tomorrow bool
}

// UnmarshalText reads a pause.
func (p *Pause) UnmarshalText(text []byte) error {
	if string(text) == "tomorrow" {
		p.Tomorrow = true
		return nil
	}
	var d Duration
	if err := d.UnmarshalText(text); err != nil || d <= 0 {
		return fmt.Errorf("%.40q: write how long, such as 30m or 2h, or tomorrow, or nothing to pause until you resume", text)
	}
	p.For = time.Duration(d)
	return nil
}

// Until is when the pause ends by itself; zero if it does not. Tomorrow begins
// at four in the morning, after the evening that somebody wanted for themselves.
func (p Pause) Until(now time.Time) time.Time {
	switch {
	case p.Tomorrow:
		end := time.Date(now.Year(), now.Month(), now.Day(), 4, 0, 0, 0, now.Location())
		if !end.After(now) {
			end = end.AddDate(0, 0, 1)
		}
		return end
	case p.For > 0:
		return now.Add(p.For)
	}
	return time.Time{}
}
