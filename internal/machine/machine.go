// Package machine asks the operating system: what the rules look at (battery,
// metered line, VPN), whether a tray and a display are there, how much disk is
// free; and asks of it to stay awake and to start the program at login.
// D-Bus and COM live here and nowhere else.
//
// Invariants:
//   - what cannot be found out is unknown, never guessed;
//   - every question has a deadline, and no service is started to answer it;
//   - no password, and nothing of the user's own, is read.
package machine

import (
	"context"
	"time"

	"github.com/tubercdn/tuber"
)

const (
	answerIn  = 2 * time.Second  // of a service
	lookEvery = 10 * time.Second // at facts of which nobody tells changes
)

// Facts is what is known now. It takes up to answerIn where a service hangs.
func Facts() tuber.Facts {
	ctx, cancel := context.WithTimeout(context.Background(), answerIn)
	defer cancel()
	w := newWatcher(ctx)
	defer w.close()
	return w.facts(ctx)
}

// WatchFacts tells what is known, at once and whenever that changed, until ctx
// ends. It calls tell on the goroutine that it was called on.
func WatchFacts(ctx context.Context, tell func(tuber.Facts)) error {
	w := newWatcher(ctx)
	defer w.close()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	last := w.facts(ctx)
	tell(last)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.changes():
		case <-look.C:
		}
		if now := w.facts(ctx); now != last && ctx.Err() == nil {
			last = now
			tell(now)
		}
	}
}

// either is yes if one of two ways leads there, and no only if none does.
func either(a, b tuber.Fact) tuber.Fact {
	switch {
	case a == tuber.FactYes || b == tuber.FactYes:
		return tuber.FactYes
	case a == tuber.FactUnknown:
		return b
	case b == tuber.FactUnknown:
		return a
	}
	return tuber.FactNo
}

func fact(yes bool) tuber.Fact {
	if yes {
		return tuber.FactYes
	}
	return tuber.FactNo
}
