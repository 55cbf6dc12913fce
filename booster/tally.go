package booster

import (
	"slices"
	"time"
)

// date counts days by the calendar on the wall, whatever the zone: a day or a
// month is not over because somebody travels, or because the clock changes for
// the summer.
type date int32

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// begins is the midnight with which the date begins in a zone.
func (d date) begins(in *time.Location) time.Time {
	y, m, day := time.Unix(int64(d)*24*60*60, 0).UTC().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, in)
}

// periodOf is the first day of the month of allowance that now is in.
func periodOf(now time.Time, resetDay int) date {
	y, m, d := now.Date()
	if d < resetDay {
		m--
	}
	return dateOf(time.Date(y, m, resetDay, 0, 0, 0, 0, time.UTC))
}

// periodAfter is the first day of the next one.
func periodAfter(now time.Time, resetDay int) date {
	y, m, d := now.Date()
	if d >= resetDay {
		m++
	}
	return dateOf(time.Date(y, m, resetDay, 0, 0, 0, 0, time.UTC))
}

// tally counts what happens, by day. It is made so that no jump of the clock
// loses what was counted: what was counted on a day that is still to come counts
// now, too.
type tally []dayCount

type dayCount struct {
	Day   date   `json:"day"`
	Count uint64 `json:"count"`
}

const (
	// tallyDays are enough for two months of allowance.
	tallyDays = 63
	// farAhead tells days that a wrong clock made up from those that the clock
	// went back from a little and will soon come to again.
	farAhead date = 2
)

// add counts n more on the day.
func (t tally) add(today date, n uint64) tally {
	t, n = t.fold(today, n)
	i, ok := slices.BinarySearchFunc(t, today, func(c dayCount, d date) int { return int(c.Day - d) })
	if !ok {
		t = slices.Insert(t, i, dayCount{Day: today})
	}
	t[i].Count += n
	return t[max(0, len(t)-tallyDays):]
}

// fold takes days far ahead out, and adds what was counted there to n, if they
// are fewer than the others: else it is today that the clock is wrong.
func (t tally) fold(today date, n uint64) (tally, uint64) {
	ahead := 0
	for _, c := range t {
		if c.Day > today+farAhead {
			ahead++
		}
	}
	t = slices.Clone(t)
	if ahead == 0 || 2*ahead >= len(t) {
		return t, n
	}
	for _, c := range t[len(t)-ahead:] {
		n += c.Count
	}
	return t[:len(t)-ahead], n
}

// since is what was counted from a day on.
func (t tally) since(day date) uint64 {
	var sum uint64
	for _, c := range t {
		if c.Day >= day {
			sum += c.Count
		}
	}
	return sum
}
