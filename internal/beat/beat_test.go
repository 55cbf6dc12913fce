package beat

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestBeat(t *testing.T) {
	const fast, slow = 50 * time.Millisecond, 450 * time.Millisecond
	tests := []struct {
		name string
		work bool
		wake time.Duration // after Wait began; negative: before; 0: never
		want time.Duration
	}{
		{"work", true, 0, fast},
		{"rest", false, 0, fast + slow},
		{"woken from rest", false, 200 * time.Millisecond, 200 * time.Millisecond},
		{"woken before it rested", false, -1, fast},
		{"woken in the fast part", false, 10 * time.Millisecond, fast},
		{"woken at work", true, 10 * time.Millisecond, fast},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := New(fast, slow)
				switch {
				case tt.wake < 0:
					b.Wake()
				case tt.wake > 0:
					time.AfterFunc(tt.wake, func() {
						b.Wake()
						b.Wake()
					})
				}
				for _, want := range []time.Duration{tt.want, fast + slow} { // no wake counts twice
					start := time.Now()
					if !b.Wait(t.Context(), tt.work && want == tt.want) {
						t.Fatal("the wait was given up")
					}
					if got := time.Since(start); got != want {
						t.Errorf("waited %v, want %v", got, want)
					}
				}
			})
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if New(50*time.Millisecond, time.Hour).Wait(ctx, false) {
			t.Error("the loop is due after its end")
		}
	})
}
