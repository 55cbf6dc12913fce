package booster

import (
	"reflect"
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

// The oracle is the order of tuber.Reason: paused, allowance, schedule, metered,
// battery, VPN, error. In each row one more of them stops to hold.
func TestTheFirstReasonWins(t *testing.T) {
	now := day(t, "2026-05-10 12:30:00") // a Sunday
	r := newRecord()
	r.Limits = tuber.Limits{Upload: 7e6, Allowance: 1000}
	r.Paused, r.Until = true, now.Add(time.Hour)
	r.Sums.Spent = tally{{dateOf(now), 1000}}
	r.Schedule.On = true
	r.Schedule.Hours[time.Sunday] = 1 << 12
	c := circumstances{Facts: tuber.Facts{Metered: tuber.FactYes, Battery: tuber.FactYes, VPN: tuber.FactYes}, fault: true}
	for _, step := range []struct {
		end  func()
		want verdict
	}{
		{func() {}, verdict{reason: tuber.ReasonPaused, until: now.Add(time.Hour), second: true}},
		{func() { r.Until = now }, verdict{reason: tuber.ReasonAllowance, second: true}},
		{func() { r.Sums.Spent[0].Count = 999 }, verdict{reason: tuber.ReasonSchedule, second: true}},
		{func() { r.Schedule.Cap = 2e6 }, verdict{reason: tuber.ReasonMetered, cap: 2e6, second: true}},
		{func() { r.Schedule.On = false }, verdict{reason: tuber.ReasonMetered, cap: 7e6}},
		{func() { r.Rules.OnMetered = tuber.Send }, verdict{reason: tuber.ReasonBattery, cap: 7e6}},
		{func() { c.Battery = tuber.FactUnknown }, verdict{reason: tuber.ReasonVPN, cap: 7e6, ask: true}},
		{func() { r.Rules.OnVPN = tuber.Stop }, verdict{reason: tuber.ReasonVPN, cap: 7e6}},
		{func() { c.VPN = tuber.FactNo }, verdict{reason: tuber.ReasonError, cap: 7e6}},
		{func() { r.Limits.Allowance = 0 }, verdict{cap: 7e6}},
		{func() { r.Limits.Upload = 0 }, verdict{}},
	} {
		step.end()
		if got := r.judge(now, c); got != step.want {
			t.Errorf("got %+v, want %+v", got, step.want)
		}
	}
	if got := (verdict{reason: tuber.ReasonVPN, cap: 7e6}).upload(); got != 0 {
		t.Errorf("with a reason against it: got %v to send, want nothing", got)
	}
}

// The first version of the record is read; what it does not say is the default.
func TestRecordOfTheFirstVersion(t *testing.T) {
	got, err := readRecord([]byte(`{"limits":{"upload":7000000,"download":8,"disk":9,"allowance":10},"resetDay":5,` +
		`"paused":true,"until":"2026-05-10T12:00:00Z","period":"2026-05-05T12:00:00Z","spent":77,"port":4500}`))
	want := newRecord()
	want.Limits = tuber.Limits{Upload: 7e6, Download: 8, Disk: 9, Allowance: 10}
	want.ResetDay, want.Paused, want.Until, want.Bound = 5, true, day(t, "2026-05-10 12:00:00"), 4500
	want.Sums.Spent = tally{{dateOf(day(t, "2026-05-05 12:00:00")), 77}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "7", `{"limits":[]}`, `{"resetDay":99}`, `{"limits":{"upload":-1}}`, `{"rules":{"onBattery":"explode"}}`} {
		if got, err := readRecord([]byte(bad)); err == nil {
			t.Errorf("%s: got %+v, want an error", bad, got)
		}
	}
}

func TestPeriods(t *testing.T) {
	for _, tc := range []struct {
		now         string
		day         int
		want, after string
	}{
		{"2026-05-10 12:00:00", 1, "2026-05-01", "2026-06-01"},
		{"2026-05-10 12:00:00", 10, "2026-05-10", "2026-06-10"},
		{"2026-05-10 12:00:00", 11, "2026-04-11", "2026-05-11"},
		{"2026-01-01 00:00:00", 2, "2025-12-02", "2026-01-02"},
		{"2026-03-01 00:00:00", 28, "2026-02-28", "2026-03-28"},
		{"2026-12-31 23:59:59", 1, "2026-12-01", "2027-01-01"},
	} {
		now := day(t, tc.now)
		got, after := periodOf(now, tc.day).begins(time.UTC), periodAfter(now, tc.day).begins(time.UTC)
		if got.Format(time.DateOnly) != tc.want || after.Format(time.DateOnly) != tc.after {
			t.Errorf("%s, day %d: got %v to %v, want %s to %s", tc.now, tc.day, got, after, tc.want, tc.after)
		}
	}
}

// Whatever the clock does, a month's count is never less than what was sent in
// it, and another day or month begins at nought.
func TestCountsOverJumpsOfTheClock(t *testing.T) {
	for _, story := range []struct {
		name  string
		steps []struct {
			now          string
			bytes        uint64
			today, month uint64
		}
	}{
		{"midnight and month end, with a reset on the 15th", []struct {
			now          string
			bytes        uint64
			today, month uint64
		}{
			{"2026-05-10 12:00:00", 5, 5, 5},
			{"2026-05-14 23:59:59", 5, 5, 10},
			{"2026-05-15 00:00:00", 1, 1, 1},
			{"2026-06-14 23:59:59", 1, 1, 2},
			{"2026-09-20 00:00:00", 4, 4, 4}, // asleep for months
		}},
		{"set back over the reset and forth again", []struct {
			now          string
			bytes        uint64
			today, month uint64
		}{
			{"2026-05-14 23:59:58", 7, 7, 7},
			{"2026-05-15 00:00:01", 2, 2, 2},
			{"2026-05-14 23:59:59", 1, 10, 10}, // what was sent "tomorrow" counts as well
			{"2026-05-15 00:00:02", 1, 3, 3},
		}},
		{"years ahead and back", []struct {
			now          string
			bytes        uint64
			today, month uint64
		}{
			{"2026-05-16 10:00:00", 7, 7, 7},
			{"2026-05-17 10:00:00", 7, 7, 14},
			{"2031-01-01 00:00:00", 3, 3, 3},
			{"2026-05-17 10:01:00", 1, 11, 18}, // what was sent in 2031 belongs here
			{"2026-06-15 00:00:00", 1, 1, 1},
		}},
		{"a machine without a clock of its own", []struct {
			now          string
			bytes        uint64
			today, month uint64
		}{
			{"2026-05-16 10:00:00", 7, 7, 7},
			{"2026-05-17 10:00:00", 7, 7, 14},
			{"1970-01-01 00:00:10", 1, 15, 15},
			{"1970-01-01 00:00:20", 1, 16, 16},
			{"2026-05-17 10:01:00", 1, 8, 15},
		}},
	} {
		r := record{Settings: tuber.Settings{ResetDay: 15}}
		for _, step := range story.steps {
			now := day(t, step.now)
			r.Sums.count(step.bytes, step.bytes, now)
			if today, month := r.Sums.today(now), r.spent(now); today != step.today || month != step.month {
				t.Errorf("%s: %s: got %d today and %d this month, want %d and %d", story.name, step.now, today, month, step.today, step.month)
			}
		}
	}
}

// A day has 23, 24 or 25 hours, and a traveller's midnight is another one: no
// day counts twice, none is lost.
func TestDaysBySummerTimeAndTravel(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err) // Go brings the zones along
	}
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err) // Go brings the zones along
	}
	var s sums
	for at := time.Date(2026, 3, 29, 0, 0, 0, 0, berlin); at.Before(time.Date(2026, 3, 30, 0, 0, 0, 0, berlin)); at = at.Add(time.Hour) {
		s.count(1, 1, at)
	}
	if got := s.today(time.Date(2026, 3, 29, 23, 0, 0, 0, berlin)); got != 23 {
		t.Errorf("the shortest day: got %d hours, want 23", got)
	}
	s = sums{}
	for at := time.Date(2026, 10, 25, 0, 0, 0, 0, berlin); at.Before(time.Date(2026, 10, 26, 0, 0, 0, 0, berlin)); at = at.Add(time.Hour) {
		s.count(1, 1, at)
	}
	if got := s.today(time.Date(2026, 10, 25, 12, 0, 0, 0, berlin)); got != 25 {
		t.Errorf("the longest day: got %d hours, want 25", got)
	}
	// From Berlin to Lisbon within the first of a month: the month does not begin again.
	s = sums{}
	s.count(5, 5, time.Date(2026, 6, 1, 0, 30, 0, 0, berlin))
	s.count(5, 5, time.Date(2026, 5, 31, 23, 45, 0, 0, lisbon))
	if got := s.month(time.Date(2026, 6, 1, 8, 0, 0, 0, lisbon), 1); got != 5 {
		t.Errorf("June: got %d, want 5", got)
	}
	if got := s.month(time.Date(2026, 5, 31, 23, 50, 0, 0, lisbon), 1); got != 10 {
		t.Errorf("May once more: got %d, want 10", got)
	}
}

// The schedule goes by the clock on the wall.
func TestScheduleByTheLocalClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err) // Go brings the zones along
	}
	r := newRecord()
	r.Schedule = tuber.Schedule{On: true, Cap: 1e6}
	r.Schedule.Hours[time.Sunday] = 1 << 2
	for _, tc := range []struct {
		at   time.Time
		want bool
	}{
		{time.Date(2026, 5, 10, 1, 59, 59, 0, berlin), false},
		{time.Date(2026, 5, 10, 2, 0, 0, 0, berlin), true},
		{time.Date(2026, 5, 10, 2, 59, 59, 0, berlin), true},
		{time.Date(2026, 5, 10, 3, 0, 0, 0, berlin), false},
		{time.Date(2026, 5, 9, 2, 30, 0, 0, berlin), false},
		// The hour that summer time leaves out, and the one that comes twice.
		{time.Date(2026, 3, 29, 1, 59, 59, 0, berlin).Add(time.Second), false},
		{time.Date(2026, 10, 25, 1, 0, 0, 0, berlin).Add(time.Hour), true},
		{time.Date(2026, 10, 25, 1, 0, 0, 0, berlin).Add(2 * time.Hour), true},
		{time.Date(2026, 10, 25, 1, 0, 0, 0, berlin).Add(3 * time.Hour), false},
	} {
		v := r.judge(tc.at, circumstances{})
		if v.second != tc.want || (v.cap == 1e6) != tc.want || v.reason != tuber.ReasonNone {
			t.Errorf("%v: got %+v, want the second cap: %v", tc.at, v, tc.want)
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
