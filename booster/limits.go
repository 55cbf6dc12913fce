package booster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
)

const (
	lookEvery = time.Second      // at the rules and at what was sent
	saveEvery = 10 * time.Second // what was sent, while anything is
)

// watch applies the rules as time passes, bytes are sent and settings change.
func (b *Booster) watch(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	last, saved := time.Now(), time.Now()
	var spent uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.kick:
			b.share()
		case <-look.C:
		}
		now := time.Now()
		sent := b.count(now)
		b.measure(sent, now.Sub(last))
		last = now
		b.apply(now)
		if spent += sent; spent > 0 && now.Sub(saved) >= saveEvery {
			spent, saved = 0, now
			b.note(b.save())
		}
	}
}

// count adds what was sent since the last count to the month's.
func (b *Booster) count(now time.Time) uint64 {
	total := b.uplink.Total()
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := total - b.counted
	b.counted = total
	b.settings.spend(sent, now)
	return sent
}

// measure smooths the speed a little, so that a status line can be read.
func (b *Booster) measure(sent uint64, over time.Duration) {
	if over <= 0 {
		return
	}
	now := float64(sent) * 8 / over.Seconds()
	weight := min(1, over.Seconds()/2)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.speed = tuber.BitsPerSecond(weight*now + (1-weight)*float64(b.speed))
}

// apply brings the verdict of the rules into force: on the uplink at once, and
// then with the planners, so that they give the work to others.
func (b *Booster) apply(now time.Time) {
	b.mu.Lock()
	old := b.verdict
	b.verdict = b.settings.judge(now)
	if b.settings.Paused && !b.settings.pausedAt(now) {
		b.settings.Paused, b.settings.Until = false, time.Time{}
	}
	next := b.verdict
	limits := b.settings.Limits
	b.mu.Unlock()
	b.uplink.SetRate(next.upload)
	setDownload(b.download, limits.Download)
	b.tellPlanners()
	if old.reason != next.reason {
		if next.reason == tuber.ReasonNone {
			b.log.Info("sending again")
		} else {
			b.log.Info("sending stopped", "reason", string(next.reason))
		}
		b.note(b.save())
	}
}

// note keeps what went wrong with the engine itself, for the status.
func (b *Booster) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = ""
	if err != nil {
		b.err = err.Error()
	}
}

// Pause stops sending until the moment, or, if it is zero, until Resume.
func (b *Booster) Pause(until time.Time) error {
	until = until.Round(0) // wall time: it has to hold over sleep and restarts
	if !until.IsZero() && !until.After(time.Now()) {
		return errors.New("pause: that moment is past")
	}
	return b.set(func(s *settings) { s.Paused, s.Until = true, until })
}

// Resume ends a pause.
func (b *Booster) Resume() error {
	return b.set(func(s *settings) { s.Paused, s.Until = false, time.Time{} })
}

// SetLimits changes the owner's limits at once and for good.
func (b *Booster) SetLimits(l tuber.Limits) error {
	if l.Upload < 0 || l.Download < 0 {
		return errors.New("set limits: a rate below zero")
	}
	return b.set(func(s *settings) { s.Limits = l })
}

// Limits are those in force when nothing stops the booster.
func (b *Booster) Limits() tuber.Limits {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.settings.Limits
}

func (b *Booster) set(change func(*settings)) error {
	b.mu.Lock()
	change(&b.settings)
	b.mu.Unlock()
	b.apply(time.Now())
	b.changed()
	if err := b.save(); err != nil {
		return fmt.Errorf("it holds now, but not after a restart: %w", err)
	}
	return nil
}

// newDownload is a limiter of bytes. Its burst has room for the largest read.
func newDownload(r tuber.BitsPerSecond) *rate.Limiter {
	l := rate.NewLimiter(rate.Inf, tuber.MaxFrame)
	setDownload(l, r)
	return l
}

func setDownload(l *rate.Limiter, r tuber.BitsPerSecond) {
	limit, burst := rate.Inf, 64*tuber.MaxFrame
	if r != tuber.Unlimited {
		limit = rate.Limit(r.BytesPerSecond())
		burst = max(tuber.MaxFrame, int(math.Min(r.BytesPerSecond()/20, 64*tuber.MaxFrame)))
	}
	if l.Limit() != limit {
		l.SetLimit(limit)
		l.SetBurst(burst)
	}
}
