// Package beat is a timer that beats fast while there is work, and slowly while
// there is none: a program that only waits should not wake its processor.
package beat

import (
	"context"
	"sync/atomic"
	"time"
)

// Beat paces one loop. Only Wake may be called by others.
type Beat struct {
	fast, slow time.Duration
	timer      *time.Timer
	woken      atomic.Bool
	wake       chan struct{} // capacity 1
}

// New makes a beat of two intervals; slow counts from the end of fast.
func New(fast, slow time.Duration) *Beat {
	return &Beat{fast: fast, slow: slow, timer: time.NewTimer(fast), wake: make(chan struct{}, 1)}
}

// Wait returns when the loop is due: after the fast interval, and if there is
// no work after the slow one as well, which Wake ends. It is false once ctx has
// ended. A wake since the last return is not lost, and no number of them makes
// the loop turn faster than the fast interval.
func (b *Beat) Wait(ctx context.Context, work bool) bool {
	defer b.timer.Stop()
	b.timer.Reset(b.fast)
	select {
	case <-ctx.Done():
		return false
	case <-b.timer.C:
	}
	if !work && !b.woken.Load() {
		b.timer.Reset(b.slow)
		select {
		case <-ctx.Done():
			return false
		case <-b.wake:
		case <-b.timer.C:
		}
	}
	b.woken.Store(false)
	select {
	case <-b.wake:
	default:
	}
	return true
}

// Wake says that there is work. It never blocks, and costs one load where the
// loop already knows.
func (b *Beat) Wake() {
	if b.woken.Load() || b.woken.Swap(true) {
		return
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
