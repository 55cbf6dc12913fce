//go:build !race

package apptest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	settle  = 10 * time.Second
	idleFor = 30 * time.Second
	ticks   = 100 // of processor time in a second, as Linux tells it
)

// used is the processor time that a process has taken.
func used(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		b.Fatalf("%q", text)
	}
	return time.Duration(user+system) * time.Second / ticks
}

// resident is the memory that a process holds, in bytes.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages * os.Getpagesize())
}

// BenchmarkIdle measures the program in a swarm, paused, with its window hidden:
// its share of one core, over one hundredth.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		s := newStage(b, true)
		s.site()
		admin, _ := s.host()
		invite, err := admin.Invite(hourly)
		if err != nil {
			b.Fatal(err)
		}
		app := s.app("--hidden")
		if err := s.engine().Join(invite.URL); err != nil {
			b.Fatal(err)
		}
		eventually(b, "the planner has the booster", time.Minute, s.linked)
		s.click("Pause > Until I resume", s.paused)
		if s.screen.Window("Tuber") != "" {
			b.Fatal("the window is shown")
		}
		<-time.After(settle)
		pid, start := app.cmd.Process.Pid, time.Now()
		before := used(b, pid)
		<-time.After(idleFor)
		share := float64(used(b, pid)-before) / float64(time.Since(start))
		b.ReportMetric(share/0.01, "ratio")
		b.ReportMetric(share*100, "%core")
		b.ReportMetric(resident(b, pid)/(1<<20), "MiB")
		if err := app.stop(); err != nil {
			b.Error(err)
		}
	}
}
