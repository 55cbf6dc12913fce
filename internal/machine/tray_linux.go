package machine

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

var trayWatcher = service{"org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"}

const trayEvery = 30 * time.Second // a look at the tray, beside what is told

// Tray tells whether anybody shows tray icons. Without a session bus nobody can.
func Tray() tuber.Fact {
	ctx, cancel := context.WithTimeout(context.Background(), answerIn)
	defer cancel()
	b := openSession(ctx)
	defer b.close()
	return tray(ctx, b)
}

func tray(ctx context.Context, b *bus) tuber.Fact {
	if b.conn == nil {
		return tuber.FactNo
	}
	var owned bool
	busItself := service{"org.freedesktop.DBus", "/org/freedesktop/DBus"}
	if b.call(ctx, busItself, "org.freedesktop.DBus.NameHasOwner", &owned, trayWatcher.name) != nil {
		return tuber.FactUnknown
	}
	if !owned {
		return tuber.FactNo
	}
	hosted := true // some do not say
	if b.property(ctx, trayWatcher, trayWatcher.name, "IsStatusNotifierHostRegistered", &hosted) != nil {
		return tuber.FactYes
	}
	return fact(hosted)
}

// WatchTray tells whether anybody shows tray icons, at once and whenever that
// changed, until ctx ends.
func WatchTray(ctx context.Context, tell func(tuber.Fact)) {
	b := openSession(ctx, trayWatcher)
	defer b.close()
	look := time.NewTicker(trayEvery)
	defer look.Stop()
	last := tray(ctx, b)
	tell(last)
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.changed:
		case <-look.C:
		}
		b.ensure(ctx)
		if now := tray(ctx, b); now != last && ctx.Err() == nil {
			last = now
			tell(now)
		}
	}
}

// Display returns an error that says what is missing if no window can be
// shown here because no display answers.
func Display() error {
	wayland, x := os.Getenv("WAYLAND_DISPLAY"), os.Getenv("DISPLAY")
	if wayland == "" && x == "" {
		return fmt.Errorf("there is no display here: neither DISPLAY nor WAYLAND_DISPLAY is set")
	}
	if wayland != "" {
		if !filepath.IsAbs(wayland) {
			wayland = filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), wayland)
		}
		if answers("unix", wayland) == nil {
			return nil
		}
		if x == "" {
			return fmt.Errorf("the display that WAYLAND_DISPLAY names does not answer")
		}
	}
	if err := displayX(x); err != nil {
		return fmt.Errorf("the display that DISPLAY names (%q) does not answer", x)
	}
	return nil
}

// displayX reaches an X server by the name that X clients know it by:
// HOST:NUMBER.SCREEN, without HOST on this machine.
func displayX(name string) error {
	host, number, ok := strings.Cut(name[max(0, strings.LastIndex(name, "/")+1):], ":")
	number, _, _ = strings.Cut(number, ".")
	n, err := strconv.ParseUint(number, 10, 15)
	if !ok || err != nil {
		return fmt.Errorf("no display's name")
	}
	if host != "" && host != "unix" {
		return answers("tcp", net.JoinHostPort(host, strconv.FormatUint(6000+n, 10)))
	}
	socket := "/tmp/.X11-unix/X" + strconv.FormatUint(n, 10)
	if answers("unix", "@"+socket) == nil {
		return nil
	}
	return answers("unix", socket)
}

func answers(network, at string) error {
	c, err := net.DialTimeout(network, at, answerIn)
	if err != nil {
		return err
	}
	return c.Close()
}
