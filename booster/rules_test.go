package booster

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func day(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(time.DateTime, text, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The oracle is the order of tuber.Reason: paused before allowance.
func TestJudge(t *testing.T) {
	now := day(t, "2026-05-10 12:00:00")
	limits := tuber.Limits{Upload: 7e6, Allowance: 1000}
	for _, tc := range []struct {
		name string
		s    settings
		want verdict
	}{
		{"nothing", settings{Limits: limits}, verdict{upload: 7e6}},
		{"paused for good", settings{Limits: limits, Paused: true}, verdict{reason: tuber.ReasonPaused}},
		{"paused for now", settings{Limits: limits, Paused: true, Until: now.Add(time.Second)}, verdict{reason: tuber.ReasonPaused, until: now.Add(time.Second)}},
		{"pause over", settings{Limits: limits, Paused: true, Until: now}, verdict{upload: 7e6}},
		{"allowance used", settings{Limits: limits, Spent: 1000}, verdict{reason: tuber.ReasonAllowance}},
		{"allowance nearly used", settings{Limits: limits, Spent: 999}, verdict{upload: 7e6}},
		{"no allowance", settings{Limits: tuber.Limits{Upload: 7e6}, Spent: 1 << 60}, verdict{upload: 7e6}},
		{"both", settings{Limits: limits, Spent: 2000, Paused: true}, verdict{reason: tuber.ReasonPaused}},
		{"cap of nothing", settings{Limits: tuber.Limits{}}, verdict{}},
	} {
		if got := tc.s.judge(now); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestPeriodOf(t *testing.T) {
	for _, tc := range []struct {
		now  string
		day  int
		want string
	}{
		{"2026-05-10 12:00:00", 1, "2026-05-01 00:00:00"},
		{"2026-05-10 12:00:00", 10, "2026-05-10 00:00:00"},
		{"2026-05-10 12:00:00", 11, "2026-04-11 00:00:00"},
		{"2026-01-01 00:00:00", 2, "2025-12-02 00:00:00"},
		{"2026-03-01 00:00:00", 28, "2026-02-28 00:00:00"},
	} {
		if got := periodOf(day(t, tc.now), tc.day); !got.Equal(day(t, tc.want)) {
			t.Errorf("%s, day %d: got %v, want %s", tc.now, tc.day, got, tc.want)
		}
	}
}

func TestSpendBeginsAnewEachMonthOnly(t *testing.T) {
	s := settings{ResetDay: 15}
	for _, step := range []struct {
		now   string
		bytes uint64
		want  uint64
	}{
		{"2026-05-10 12:00:00", 5, 5},
		{"2026-05-14 23:59:59", 5, 10},
		{"2026-05-15 00:00:00", 1, 1},
		{"2026-05-01 00:00:00", 1, 2}, // the clock was set back
		{"2026-06-14 23:59:59", 1, 3},
		{"2026-09-20 00:00:00", 4, 4}, // asleep for months
	} {
		s.spend(step.bytes, day(t, step.now))
		if s.Spent != step.want {
			t.Errorf("%s: got %d bytes, want %d", step.now, s.Spent, step.want)
		}
	}
}

func TestIsPrivate(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:8443": true, "localhost": true, "LOCALHOST:1": true, "192.168.1.2": true, "[::1]:8443": true,
		"[fe80::1]:1": true, "10.1.2.3:4": true, "[fd00::7]": true,
		"example.org": false, "example.org:8443": false, "11.0.0.1": false, "[2a00::1]:5": false, "localhost.example.org": false,
	} {
		if got := isPrivate(host); got != want {
			t.Errorf("%s: got %v, want %v", host, got, want)
		}
	}
}
