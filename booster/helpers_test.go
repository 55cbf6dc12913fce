package booster

import (
	"context"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stateDir is a directory whose name leaves room for a socket's.
func stateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "boost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// open makes a booster on loopback.
func open(t *testing.T, dir string, change func(*tuber.Settings)) *Booster {
	t.Helper()
	b, err := New(Config{Dir: dir, Name: "test", Listen: "127.0.0.1:0", Change: change})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// begin runs a booster until the test ends, or until the returned stop.
func begin(t *testing.T, dir string, change func(*tuber.Settings)) (*Booster, func()) {
	t.Helper()
	b := open(t, dir, change)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	<-b.ready
	return b, stop
}

// eventually waits for what happens soon in another goroutine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(time.Minute)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// pour sends through the booster's uplink as fast as it lets, until the test ends.
func pour(t *testing.T, b *Booster) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b.uplink.Wait(ctx, tuber.ClassRest, 1<<10) == nil {
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// over is what happened during a stretch of time.
func over(d time.Duration, measure func() uint64) uint64 {
	before := measure()
	<-time.After(d)
	return measure() - before
}

// all is the zero site: every swarm.
var all tuber.PublicKey

func setLimits(b *Booster, l tuber.Limits) error {
	s := b.Settings()
	s.Limits = l
	return b.SetSettings(s)
}
