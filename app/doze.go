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
	shown := make(chan bool, 1)
	for ctx.Err() == nil {
		fyne.Do(func() { // nobody waits for it alone: the loop may end with it in its queue
			is := u.visible
			defer func() { shown <- is }()
			if is || u.over.Load() {
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
		select {
		case <-ctx.Done():
			return
		case is := <-shown:
			if !is {
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}
