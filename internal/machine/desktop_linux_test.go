package machine

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/apptest"
)

// sleeper is logind's manager, as far as inhibitors go.
type sleeper struct {
	asked chan []string
	ours  chan *os.File // this end of the lock, to be closed once the other is out
}

func (s *sleeper) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	go func() {
		io.Copy(io.Discard, r)
		s.asked <- []string{"free"}
	}()
	s.asked <- []string{what, who, why, mode}
	fd := dbus.UnixFD(w.Fd())
	s.ours <- w
	return fd, nil
}

func TestAwake(t *testing.T) {
	bus := systemBus(t)
	var a Awake
	if err := a.Keep(true, "three viewers"); err == nil || !strings.Contains(err.Error(), "awake") {
		t.Errorf("without logind: got %v, want what failed", err)
	}
	s := &sleeper{make(chan []string, 4), make(chan *os.File, 4)}
	bus.Serve(t, logind.name, logind.path, logind.name+".Manager", nil, s)
	for range 2 { // the second time there is nothing to do
		if err := a.Keep(true, "three viewers"); err != nil {
			t.Fatal(err)
		}
	}
	(<-s.ours).Close()
	if got := strings.Join(<-s.asked, "|"); got != "sleep:idle|Tuber|three viewers|block" {
		t.Errorf("asked for %q", got)
	}
	if len(s.asked) > 0 {
		t.Errorf("asked again: %q", <-s.asked)
	}
	for range 2 {
		if err := a.Keep(false, ""); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case got := <-s.asked:
		if got[0] != "free" {
			t.Errorf("asked again: %q", got)
		}
	case <-time.After(30 * time.Second):
		t.Error("the machine is still kept awake")
	}
}

func TestTray(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	if got := Tray(); got != no {
		t.Errorf("without a bus: got %q, want no", got)
	}
	bus := apptest.StartBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", bus.Address)
	if got := Tray(); got != no {
		t.Errorf("without a watcher: got %q, want no", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan tuber.Fact, 4), make(chan struct{})
	go func() { defer close(ended); WatchTray(ctx, func(f tuber.Fact) { told <- f }) }()
	if got := <-told; got != no {
		t.Errorf("watched: got %q at first, want no", got)
	}
	w := bus.Serve(t, trayWatcher.name, trayWatcher.path, trayWatcher.name, map[string]any{"IsStatusNotifierHostRegistered": false}, nil)
	if got := Tray(); got != no {
		t.Errorf("with a watcher to whom nobody listens: got %q, want no", got)
	}
	w.Set("IsStatusNotifierHostRegistered", true)
	if got := Tray(); got != yes {
		t.Errorf("with a tray: got %q, want yes", got)
	}
	if got := <-told; got != yes {
		t.Errorf("watched: got %q, want yes", got)
	}
	cancel()
	<-ended
}

func TestLogin(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	l := Login{ID: "io.github.tubercdn.tuber", Name: "Tuber", Args: []string{`/opt/my "apps"/100% $HOME\tuber-app`, "--hidden"}}
	on := func() bool {
		t.Helper()
		yes, err := l.On()
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if on() {
		t.Error("on before it was set")
	}
	for _, want := range []bool{true, true, false, false, true} {
		if err := l.Set(want); err != nil {
			t.Fatal(err)
		}
		if on() != want {
			t.Errorf("got %v, want %v", !want, want)
		}
	}
	path := filepath.Join(dir, "autostart", l.ID+".desktop")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "\nExec=" + `"/opt/my \\"apps\\"/100%% \\$HOME\\\\tuber-app" "--hidden"` + "\n"
	if !strings.Contains(string(text), want) {
		t.Errorf("got %s, want %s", text, want)
	}
	for _, off := range []string{"Hidden=true\n", "Hidden = true\n", "X-GNOME-Autostart-enabled=false\n"} {
		if err := os.WriteFile(path, append(text[:len(text):len(text)], off...), 0o600); err != nil {
			t.Fatal(err)
		}
		if on() {
			t.Errorf("on though the desktop wrote %s", off)
		}
	}
	if err := os.WriteFile(path, make([]byte, maxLoginFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.On(); err == nil {
		t.Error("a file of another kind was read")
	}
}

func TestDisplay(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for _, tc := range []struct{ x, wayland, want string }{
		{"", "", "neither DISPLAY nor WAYLAND_DISPLAY is set"},
		{":32000", "", `":32000"`},
		{"nonsense", "", `"nonsense"`},
		{":-1", "", `":-1"`},
		{"", "wayland-9", "WAYLAND_DISPLAY"},
		{":32000.0", "wayland-9", `":32000.0"`},
	} {
		t.Setenv("DISPLAY", tc.x)
		t.Setenv("WAYLAND_DISPLAY", tc.wayland)
		if err := Display(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("DISPLAY %q, WAYLAND_DISPLAY %q: got %v, want %q", tc.x, tc.wayland, err, tc.want)
		}
	}
}
