package tuber

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestUplinkKeepsItsCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 8e6 // one megabyte a second
		u := NewUplink(rate)
		start := time.Now()
		const sends, size = 500, 16 << 10
		for range sends {
			if err := u.Wait(t.Context(), ClassRest, size); err != nil {
				t.Fatal(err)
			}
		}
		took := time.Since(start).Seconds()
		atLeast := (sends*size - 2*size - rate/8*uplinkBurst.Seconds()) / (rate / 8)
		if took < atLeast || took > atLeast*1.05 {
			t.Errorf("%d bytes took %.2f s, want %.2f to %.2f", sends*size, took, atLeast, atLeast*1.05)
		}
		if got := u.Total(); got != sends*size {
			t.Errorf("counted %d bytes, want %d", got, sends*size)
		}
	})
}

func TestUplinkServesTheUrgentFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(8e3) // a kilobyte a second
		if err := u.Wait(t.Context(), ClassRest, 1000); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []Class
		var all sync.WaitGroup
		for _, c := range []Class{ClassRest, ClassStart, ClassRepair, ClassRoot, ClassControl} {
			all.Go(func() {
				if err := u.Wait(t.Context(), c, 1000); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, c)
			})
			synctest.Wait()
		}
		all.Wait()
		for i, c := range order {
			if c != Class(i) {
				t.Fatalf("served in the order %v", order)
			}
		}
	})
}

func TestUplinkPauseAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(0)
		served := make(chan error, 1)
		go func() { served <- u.Wait(t.Context(), ClassControl, 100) }()
		<-time.After(time.Hour)
		select {
		case err := <-served:
			t.Fatalf("a line of 0 served with %v", err)
		default:
		}
		u.SetRate(Unlimited)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestUplinkForgetsWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := u.Wait(ctx, ClassRest, 1<<30); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		u.SetRate(8e6)
		if err := u.Wait(t.Context(), ClassRest, 1); err != nil || u.Total() != 1 {
			t.Errorf("got %v and %d bytes, want only the byte of the one who stayed", err, u.Total())
		}
	})
}

func TestNilUplinkNeverWaits(t *testing.T) {
	var u *Uplink
	if err := u.Wait(t.Context(), ClassRest, 1<<30); err != nil || u.Rate() != Unlimited || u.Total() != 0 {
		t.Errorf("got %v, %v, %d", err, u.Rate(), u.Total())
	}
}
