package origin

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
)

// TestPacing: what players measure is what is free, shared among the bodies under
// way, and never less than the part that the uplink keeps for them.
func TestPacing(t *testing.T) {
	const size = 250_000 // bytes of each body: 2 Mbit
	for _, tt := range []struct {
		name   string
		free   tuber.BitsPerSecond
		known  bool
		line   tuber.BitsPerSecond
		bodies int
		want   time.Duration
	}{
		{"what is free", 2e6, true, 6e6, 1, time.Second},
		{"shared by two", 2e6, true, 6e6, 2, 2 * time.Second},
		{"nothing is free: the least part", 0, true, 4e6, 1, 2 * time.Second},
		{"not known", 0, false, 10e6, 1, 0},
		{"a line that was not declared", 2e6, true, tuber.Unlimited, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pacing{
					free:   func() (tuber.BitsPerSecond, bool) { return tt.free, tt.known },
					uplink: tuber.NewUplink(tt.line),
				}
				began := time.Now()
				var all sync.WaitGroup
				bodies := make([]*paced, tt.bodies)
				for i := range bodies {
					bodies[i] = p.begin()
				}
				for _, b := range bodies {
					all.Go(func() {
						for range size / 10_000 {
							if err := b.wait(t.Context(), 10_000); err != nil {
								t.Error(err)
							}
						}
					})
				}
				all.Wait()
				for _, b := range bodies {
					b.done()
				}
				if took := time.Since(began); took < tt.want || took > tt.want+10*time.Millisecond {
					t.Errorf("took %v, want %v", took, tt.want)
				}
				if left := p.open.Load(); left != 0 {
					t.Errorf("%d bodies are counted still", left)
				}
			})
		})
	}
}
