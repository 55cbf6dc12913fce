package tuber

import (
	"context"
	"errors"
	"slices"
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

// Two parts of a line: each keeps its own cap, together they keep the line's.
func TestPartsKeepBothCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := NewUplink(8e6) // one megabyte a second
		small, free := whole.Part(2e6), whole.Part(Unlimited)
		ctx, cancel := context.WithCancel(t.Context())
		var senders sync.WaitGroup
		for _, u := range []*Uplink{small, free} {
			for range 3 {
				senders.Go(func() {
					for u.Wait(ctx, ClassRest, 1000) == nil {
					}
				})
			}
		}
		<-time.After(100 * time.Second)
		cancel()
		senders.Wait()
		if got := small.Total(); got > 252e5 || got < 245e5 {
			t.Errorf("the small part: got %d bytes, want 25 MB", got)
		}
		if got := whole.Total(); got > 1002e5 || got < 998e5 {
			t.Errorf("the whole: got %d bytes, want 100 MB", got)
		}
	})
}

// A part that is stopped sends nothing more, not even what waits for the line.
func TestStoppedPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := NewUplink(8e3)
		part, other := whole.Part(Unlimited), whole.Part(Unlimited)
		if err := other.Wait(t.Context(), ClassRest, 5000); err != nil { // the line is busy for 5 s
			t.Fatal(err)
		}
		sent := make(chan error, 1)
		go func() { sent <- part.Wait(t.Context(), ClassRest, 100) }()
		synctest.Wait()
		part.SetRate(0)
		<-time.After(time.Hour)
		select {
		case err := <-sent:
			t.Fatalf("a stopped part sent, with %v", err)
		default:
		}
		if err := other.Wait(t.Context(), ClassRest, 100); err != nil {
			t.Errorf("the other part: %v", err)
		}
		part.SetRate(Unlimited)
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// What leaves beyond what was asked for is paid for: the cap is the line's.
func TestChargeKeepsTheCapOfTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(8e6)
		ctx, cancel := context.WithCancel(t.Context())
		var sender sync.WaitGroup
		var line, told uint64
		var mu sync.Mutex
		sender.Go(func() {
			for u.Wait(ctx, ClassRest, 1000) == nil {
				mu.Lock()
				line += 1080 // headers
				mu.Unlock()
			}
		})
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range 2000 { // 100 s
			<-tick.C
			mu.Lock()
			line += 500 // acknowledgements of what is received
			u.Charge(line - told)
			told = line
			mu.Unlock()
		}
		cancel()
		sender.Wait()
		if line > 1001e5 || line < 995e5 {
			t.Errorf("got %d bytes on the line, want 100 MB and not more", line)
		}
		if got := u.Total() + u.Charged(); got < line || got > line+2000 {
			t.Errorf("got %d bytes accounted for, want %d", got, line)
		}
	})
}

// What was granted and has not left yet is not paid for twice, and a debt ends.
func TestChargeForgives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(8e6)
		if err := u.Wait(t.Context(), ClassRest, 50_000); err != nil {
			t.Fatal(err)
		}
		u.Charge(20_000)
		if got := u.Charged(); got != 0 {
			t.Errorf("got %d bytes charged while some were on their way, want 0", got)
		}
		u.Charge(1 << 30)
		start := time.Now()
		if err := u.Wait(t.Context(), ClassRest, 1); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > longestDebt+10*time.Millisecond {
			t.Errorf("silent for %v, want at most %v", took, longestDebt)
		}
	})
}

func TestNilUplinkNeverWaits(t *testing.T) {
	var u *Uplink
	if err := u.Wait(t.Context(), ClassRest, 1<<30); err != nil || u.Rate() != Unlimited || u.Total() != 0 {
		t.Errorf("got %v, %v, %d", err, u.Rate(), u.Total())
	}
}

// A line that is full of the first copies of chunks still brings a player with
// nothing to its first picture, and one without peers on. What is reserved for the
// first copies goes to them before that, all but a little.
func TestUplinkLeavesAPartToThoseWhoWait(t *testing.T) {
	tests := []struct {
		reserve           BitsPerSecond
		root, start, rest float64 // of the line, at least
	}{
		{0, 0.6, 0.24, 0.12},
		{4e6, 0.6, 0.24, 0.12}, // there is room for both
		{6e6, 0.74, 0.13, 0.07},
		{8e6, 0.9, 0.03, 0.03},
		{80e6, 0.9, 0.03, 0.03},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			u := NewUplink(8e6)
			u.Reserve(tt.reserve)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var all sync.WaitGroup
			for _, c := range []Class{ClassRoot, ClassRoot, ClassStart, ClassRest} {
				all.Go(func() {
					for u.Wait(ctx, c, 16<<10) == nil {
					}
				})
			}
			all.Wait()
			for c, least := range map[Class]float64{ClassRoot: tt.root, ClassStart: tt.start, ClassRest: tt.rest} {
				if got := float64(u.Sent(c)) / float64(u.Total()); got < least {
					t.Errorf("%d reserved: class %d got %.3f of the line, want at least %.2f", tt.reserve, c, got, least)
				}
			}
		})
	}
}

func TestWhatBeganEarlierGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(8e6)
		began := time.Now()
		var mu sync.Mutex
		var order []int
		var all sync.WaitGroup
		for _, n := range []int{3, 1, 2} {
			all.Go(func() {
				for range 4 {
					if err := u.WaitSince(t.Context(), ClassStart, began.Add(time.Duration(n)*time.Second), 100<<10); err != nil {
						t.Error(err)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, n)
			})
		}
		all.Wait()
		if !slices.Equal(order, []int{1, 2, 3}) {
			t.Errorf("they were done in the order %v", order)
		}
	})
}

// What leaves beside what is granted takes of what is not reserved.
func TestWhatIsReservedIsKeptFreeOfOverheads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUplink(1e6)
		u.Reserve(600e3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for c, n := range map[Class]int{ClassRoot: 2, ClassStart: 2, ClassRest: 2, ClassControl: 1} {
			for range n {
				all.Go(func() {
					for u.Wait(ctx, c, 4<<10) == nil {
						if c == ClassControl { // 80 kbit/s
							<-time.After(400 * time.Millisecond)
						}
					}
				})
			}
		}
		all.Go(func() {
			var left, before uint64
			for ctx.Err() == nil {
				<-time.After(100 * time.Millisecond)
				now := u.Total()
				left, before = (now-before)*5/4, now // a quarter on top, of headers and what is sent again
				u.Charge(left)
			}
		})
		all.Wait()
		if got := float64(u.Sent(ClassRoot)) * 8 / 60; got < 580e3 {
			t.Errorf("first copies got %.0f bit/s, want what is reserved", got)
		}
	})
}
