package app

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
)

// nap is how long Fyne's goroutine is held at a time while the window is
// hidden. What the tray is asked to do may wait so long.
const nap = 250 * time.Millisecond

// doze slows Fyne's loop while the window is hidden, until ctx ends. The loop
// turns sixty times a second whether or not there is anything to draw; held in
// a function, it skips those turns. What u.on sends ends a nap at once.
func (u *ui) doze(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for ctx.Err() == nil && !u.over.Load() {
		shown := false
		fyne.DoAndWait(func() {
			if shown = u.visible; shown || u.over.Load() {
				return
			}
			end := time.NewTimer(nap)
			defer end.Stop()
			select {
			case <-ctx.Done():
			case <-u.stir:
			case <-end.C:
			}
		})
		if shown {
			select {
			case <-ctx.Done():
			case <-look.C:
			}
		}
	}
}
