package config

import (
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// The hours are counted off by hand; a week is seven rows of a day's 24 hours.
func TestSchedule(t *testing.T) {
	const night, evening, whole = 1<<22 | 1<<23, 1<<18 | 1<<19 | 1<<20 | 1<<21 | 1<<22, 1<<24 - 1
	early := tuber.DayHours(0b111111)
	for _, tc := range []struct {
		text  string
		cap   tuber.BitsPerSecond
		hours [7]tuber.DayHours // Sunday first
		again string
	}{
		{"mon-fri 18-23 2Mbit/s", 2e6, [7]tuber.DayHours{0, evening, evening, evening, evening, evening, 0},
			"mon 18-23, tue 18-23, wed 18-23, thu 18-23, fri 18-23 2.0 Mbit/s"},
		{"SAT 0-24, sun 0-24 0", 0, [7]tuber.DayHours{whole, 0, 0, 0, 0, 0, whole}, "sat 0-24, sun 0-24 0 kbit/s"},
		{"sat 22-6 500 kbit/s", 5e5, [7]tuber.DayHours{early, 0, 0, 0, 0, 0, night}, "sat 22-24, sun 0-6 500 kbit/s"},
		{"sat-mon 22-23 unlimited", tuber.Unlimited, [7]tuber.DayHours{1 << 22, 1 << 22, 0, 0, 0, 0, 1 << 22},
			"mon 22-23, sat 22-23, sun 22-23 unlimited"},
		{"daily 0-6 1Mbit/s", 1e6, [7]tuber.DayHours{early, early, early, early, early, early, early}, ""},
		{"wed 1-2, wed 3-4 8Mbit/s", 8e6, [7]tuber.DayHours{3: 1<<1 | 1<<3}, "wed 1-2, wed 3-4 8.0 Mbit/s"},
	} {
		var s Schedule
		if err := s.UnmarshalText([]byte(tc.text)); err != nil || !s.On || s.Cap != tc.cap || s.Hours != tc.hours {
			t.Errorf("%s: got %+v, %v, want cap %v in %b", tc.text, s, err, tc.cap, tc.hours)
		}
		if tc.again != "" && s.String() != tc.again {
			t.Errorf("%s: got %q written, want %q", tc.text, s, tc.again)
		}
		var back Schedule
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("%s: got %+v, %v read back, want the same", tc.text, back, err)
		}
	}
	s := Schedule{On: true, Cap: 5, Hours: [7]tuber.DayHours{1}}
	if err := s.UnmarshalText([]byte("off")); err != nil || s != (Schedule{}) || s.String() != "off" {
		t.Errorf("off: got %+v, %v", s, err)
	}
	if err := s.UnmarshalText([]byte("sat 22-6 0")); err != nil {
		t.Fatal(err)
	}
	sunday := time.Date(2026, 5, 10, 5, 59, 0, 0, time.UTC)
	if x := tuber.Schedule(s); !x.Applies(sunday) || x.Applies(sunday.Add(time.Minute)) {
		t.Error("the hours past midnight are not those of the next day")
	}
}

func TestBadSchedules(t *testing.T) {
	for _, text := range []string{
		"", "always", "mon", "mon 18-23", "mon 18-23 fast", "mon-fri 25-26 1Mbit/s", "mon 18-18 1Mbit/s", "mon -1-5 1Mbit/s",
		"noday 1-2 1Mbit/s", "mon-noday 1-2 1Mbit/s", "mon 1-2 1Mbit/s, tue 1-2", "mon 1-2,, tue 1-2 0", "mon 1 0", "mon 1-2 -1Mbit/s",
	} {
		var s Schedule
		if err := s.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "mon-fri 18-23 2Mbit/s") {
			t.Errorf("%q: got %+v, %v, want an error that shows how", text, s, err)
		}
	}
}
