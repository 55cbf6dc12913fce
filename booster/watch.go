package booster

import (
	"context"
	"errors"
	"fmt"
	"time"

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
		spent += b.count(now, now.Sub(last))
		last = now
		b.apply(now)
		if spent > 0 && now.Sub(saved) >= saveEvery {
			spent, saved = 0, now
			b.save()
		}
	}
}

// apply brings the verdict of the rules into force: on the uplink at once, and
// then with the planners, so that they give the work to others.
func (b *Booster) apply(now time.Time) {
	b.mu.Lock()
	old := b.verdict
	ended := b.endPausesLocked(now)
	b.verdict = b.record.judge(now, b.circumstancesLocked())
	next := b.verdict
	down := b.record.Limits.Download
	b.mu.Unlock()
	b.openLine(next)
	setDownload(b.download, down)
	b.tellPlanners()
	if old.reason != next.reason {
		if next.reason == tuber.ReasonNone {
			b.log.Info("sending again")
			b.events.add(tuber.EventSending, "", "")
		} else {
			b.log.Info("sending stopped", "reason", string(next.reason))
			b.events.add(tuber.EventStopped, "", string(next.reason))
		}
	}
	if ended || old.reason != next.reason {
		b.save()
	}
}

// circumstancesLocked are what the rules look at besides the settings.
func (b *Booster) circumstancesLocked() circumstances {
	return circumstances{Facts: b.facts, fault: b.unsaved != nil}
}

// endPausesLocked forgets pauses that ended by themselves; it tells whether
// there was one.
func (b *Booster) endPausesLocked(now time.Time) (ended bool) {
	end := func(p *pause) {
		if p.Paused && !p.pausedAt(now) {
			*p, ended = pause{}, true
		}
	}
	end(&b.record.pause)
	for _, s := range b.record.Swarms {
		end(&s.pause)
	}
	return ended
}

// note keeps what went wrong with the engine itself, for the status.
func (b *Booster) note(err error) {
	if err == nil {
		return
	}
	b.mu.Lock()
	b.fault = err
	b.mu.Unlock()
	b.events.add(tuber.EventFault, "", tuber.Scrub(err.Error()))
}

// Pause stops sending in one swarm, or, if site is zero, in all of them, until
// the moment, or, if that is zero, until Resume.
func (b *Booster) Pause(site tuber.PublicKey, until time.Time) error {
	until = until.Round(0) // wall time: it has to hold over sleep and restarts
	if !until.IsZero() && !until.After(time.Now()) {
		return errors.New("pause: that moment is past")
	}
	return b.setPause(site, pause{Paused: true, Until: until})
}

// Resume ends the pause of one swarm, or, if site is zero, the one of all.
// Swarms that were paused one by one stay so.
func (b *Booster) Resume(site tuber.PublicKey) error { return b.setPause(site, pause{}) }

func (b *Booster) setPause(site tuber.PublicKey, p pause) error {
	b.mu.Lock()
	if site == (tuber.PublicKey{}) {
		b.record.pause = p
		b.mu.Unlock()
		return b.settle()
	}
	m := b.swarms[site]
	if m == nil {
		b.mu.Unlock()
		return ErrUnknown
	}
	b.record.swarm(site).pause = p
	b.mu.Unlock()
	if p.Paused {
		b.events.add(tuber.EventStopped, m.host(), string(tuber.ReasonPaused))
	} else {
		b.events.add(tuber.EventSending, m.host(), "")
	}
	return b.settle()
}

// Settings are those that the owner chose.
func (b *Booster) Settings() tuber.Settings {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.record.Settings
}

// SetSettings changes the owner's settings at once and for good. Those that
// make no sense are an error that wraps tuber.ErrSettings, and change nothing.
func (b *Booster) SetSettings(s tuber.Settings) error {
	if err := s.Check(); err != nil {
		return err
	}
	before, after := b.folder(), b.folderOf(s)
	if after != before {
		if err := checkFolder(s.Folder); err != nil {
			return err
		}
	}
	b.mu.Lock()
	b.record.Settings = s
	b.fault = nil // the owner has looked
	b.mu.Unlock()
	if after != before {
		b.moveChunks(before, after)
	}
	b.events.add(tuber.EventSettings, "", "")
	return b.settle()
}

// settle brings a change into force and writes it down.
func (b *Booster) settle() error {
	b.apply(time.Now())
	b.changed()
	if err := b.save(); err != nil {
		return fmt.Errorf("it holds now, but not after a restart: %w", err)
	}
	return nil
}
