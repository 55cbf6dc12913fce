package app

import (
	"math"
	"strconv"
	"strings"

	"github.com/tubercdn/tuber"
)

// What follows reads what somebody typed. The second result is one sentence
// that says what is wrong and what would be right, empty if nothing is.

// maxMbit is the fastest line that is believed in; more is a slip.
const maxMbit = 100_000

// parseRate reads a cap in Mbit/s.
func parseRate(text string) (tuber.BitsPerSecond, string) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), "mbit/s"))
	if text == strings.ToLower(tr("no limit")) || text == "unlimited" || text == "∞" {
		return tuber.Unlimited, ""
	}
	v, problem := parseNumber(text)
	switch {
	case problem == belowZero:
		return 0, tr("A cap cannot be below 0. Write 0 to pass nothing.")
	case problem != "" || text == "":
		return 0, tr("Write a number of Mbit/s, such as 5 or 0.5, or “no limit”.")
	case v > maxMbit:
		return 0, tr("No line is that fast. Write “no limit” if there should be none.")
	}
	return tuber.BitsPerSecond(math.Round(v * 1e6)), ""
}

// parseUplink reads a line's speed: empty if its owner does not say.
func parseUplink(text string) (tuber.BitsPerSecond, string) {
	if strings.TrimSpace(text) == "" {
		return 0, ""
	}
	v, problem := parseRate(text)
	if problem != "" {
		return 0, problem
	}
	if v == 0 || v == tuber.Unlimited {
		return 0, tr("Write what your line can send in Mbit/s, such as 10, or leave it empty.")
	}
	return v, ""
}

// parseAllowance reads gigabytes a month; 0 is no end.
func parseAllowance(text string) (uint64, string) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), "gb"))
	if text == strings.ToLower(tr("no limit")) {
		return 0, ""
	}
	v, problem := parseNumber(text)
	if problem != "" || text == "" {
		return 0, tr("Write a number of GB, such as 100. 0 means no limit.")
	}
	if v > 1e9 {
		return 0, tr("That is more than any line sends in a month. 0 means no limit.")
	}
	return uint64(math.Round(v * 1e9)), ""
}

// parseDisk reads a quota in GiB.
func parseDisk(text string) (uint64, string) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), "gib"))
	v, problem := parseNumber(text)
	if problem != "" || text == "" {
		return 0, tr("Write a number of GiB, such as 10.")
	}
	if v > 1e6 {
		return 0, tr("No disk is that large. Write a number of GiB, such as 10.")
	}
	return uint64(math.Round(v * (1 << 30))), ""
}

// parsePort reads a port; empty lets the engine choose one.
func parsePort(text string) (uint16, string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, ""
	}
	v, err := strconv.ParseUint(text, 10, 16)
	if err != nil || v < 1024 {
		return 0, tr("Write a port from 1024 to 65535, or leave it empty.")
	}
	return uint16(v), ""
}

const (
	belowZero = "below zero"
	noNumber  = "no number"
)

// parseNumber reads a plain decimal number, with a point or a comma.
func parseNumber(text string) (float64, string) {
	if text == "" || len(text) > 40 || strings.Trim(text, "-0123456789.,") != "" || strings.Count(text, ".")+strings.Count(text, ",") > 1 {
		return 0, noNumber
	}
	v, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, noNumber
	}
	if v < 0 {
		return 0, belowZero
	}
	return v, ""
}

// stops are the rates of the sliders: fine where lines are slow.
var stops = []tuber.BitsPerSecond{0, 250e3, 500e3, 1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 8e6, 10e6, 15e6, 20e6, 30e6, 50e6, 75e6, 100e6, 200e6, 500e6, 1e9, tuber.Unlimited}

// stopOf is the stop nearest to a rate from below.
func stopOf(r tuber.BitsPerSecond) int {
	at := 0
	for i, s := range stops {
		if s <= r {
			at = i
		}
	}
	return at
}
