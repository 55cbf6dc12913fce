//go:build !linux

package machine

import (
	"context"

	"github.com/tubercdn/tuber"
)

// Tray tells whether anybody shows tray icons: here the system itself does.
func Tray() tuber.Fact { return tuber.FactYes }

// WatchTray tells so once.
func WatchTray(ctx context.Context, tell func(tuber.Fact)) {
	tell(tuber.FactYes)
	<-ctx.Done()
}

// Display returns an error if no window can be shown here because no display
// answers. Here that is found out only by showing one.
func Display() error { return nil }
