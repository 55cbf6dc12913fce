package app

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// local puts the language's decimal sign into a number printed with a point.
func local(number string) string { return strings.Replace(number, ".", decimal, 1) }

// rateText is a rate as people quote it, in two or three digits.
func rateText(r tuber.BitsPerSecond) string {
	switch m := float64(r) / 1e6; {
	case r == tuber.Unlimited:
		return tr("no limit")
	case m >= 99.95:
		return fmt.Sprintf("%.0f Mbit/s", m)
	case m >= 0.995:
		return local(fmt.Sprintf("%.1f", m)) + " Mbit/s"
	default:
		return fmt.Sprintf("%.0f kbit/s", float64(r)/1e3)
	}
}

// bytesText is an amount of data in decimal units, as lines and contracts count.
func bytesText(n uint64) string {
	v, unit := float64(n), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB", "PB"} {
		if v < 999.5 {
			break
		}
		v, unit = v/1000, next
	}
	if unit == "B" || v >= 99.95 {
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return local(fmt.Sprintf("%.1f", v)) + " " + unit
}

// diskText is room on a disk, in binary units as the quota has them.
func diskText(n uint64) string {
	return local(strconv.FormatFloat(math.Round(float64(n)/(1<<30)*10)/10, 'f', -1, 64)) + " GiB"
}

// countText is a figure that may not be known yet.
func countText(n *int) string {
	if n == nil {
		return tr("not known yet")
	}
	return strconv.Itoa(*n)
}

// clockText is a moment as somebody at now says it: the hour alone if it is
// less than a day away.
func clockText(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Sub(now).Abs() < 20*time.Hour {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// dayText is a date.
func dayText(t, now time.Time) string { return t.In(now.Location()).Format("2006-01-02") }

// mbitText is a rate as the entry field shows it: Mbit/s without the unit.
func mbitText(r tuber.BitsPerSecond) string {
	if r == tuber.Unlimited {
		return tr("no limit")
	}
	return local(strconv.FormatFloat(float64(r)/1e6, 'f', -1, 64))
}
