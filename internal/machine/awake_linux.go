package machine

import (
	"context"
	"fmt"
	"os"

	"github.com/godbus/dbus/v5"
)

var logind = service{"org.freedesktop.login1", "/org/freedesktop/login1"}

// keepAwake takes an inhibitor lock of logind: it holds as long as the file is
// open.
func keepAwake(why string) (func() error, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerIn)
	defer cancel()
	b := openSystem(ctx)
	defer b.close()
	var lock dbus.UnixFD
	if err := b.call(ctx, logind, logind.name+".Manager.Inhibit", &lock, "sleep:idle", "Tuber", why, "block"); err != nil {
		return nil, fmt.Errorf("keep the machine awake: %w", err)
	}
	f := os.NewFile(uintptr(lock), "inhibitor")
	return f.Close, nil
}
