//go:build !race

package apptest

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/booster"
	"github.com/tubercdn/tuber/host"
	"github.com/tubercdn/tuber/internal/demo"
)

// program finds one of the programs that make build leaves in bin/.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("TUBER_REQUIRE") == "all" {
			t.Fatal(err)
		}
		t.Skipf("%v; make build makes it", err)
	}
	return path
}

// stage is a desktop, and what runs on it.
type stage struct {
	t      testing.TB
	dir    string // of all state
	bus    *Bus
	tray   *Tray // nil for a desktop without one
	screen *Screen
}

// newStage has a desktop with or without a tray; args are for its X server.
func newStage(t testing.TB, withTray bool, args ...string) *stage {
	t.Helper()
	program(t, "tuber-app")
	dir, err := os.MkdirTemp("", "app") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &stage{t: t, dir: dir, bus: StartBus(t), screen: StartScreen(t, args...)}
	if withTray {
		s.tray = StartTray(t, s.bus)
	}
	return s
}

// proc is a program that runs.
type proc struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done is closed

	mu  sync.Mutex // guards the field below
	out bytes.Buffer
}

func (p *proc) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *proc) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// run starts a program; it ends with the test at the latest. What it said is
// told if the test failed.
func (s *stage) run(name string, args ...string) *proc {
	s.t.Helper()
	return s.runAs(nil, name, args...)
}

// runAs is run with rights of its own, if there are any.
func (s *stage) runAs(rights *syscall.SysProcAttr, name string, args ...string) *proc {
	s.t.Helper()
	p := &proc{t: s.t, name: name, cmd: exec.Command(program(s.t, name), args...), done: make(chan struct{})}
	p.cmd.SysProcAttr = rights
	p.cmd.Env = append(os.Environ(),
		"DISPLAY="+s.screen.Display, "WAYLAND_DISPLAY=", "DBUS_SESSION_BUS_ADDRESS="+s.bus.Address, "DBUS_SYSTEM_BUS_ADDRESS="+s.bus.Address,
		"HOME="+s.dir, "XDG_RUNTIME_DIR="+s.dir, "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "XDG_CACHE_HOME=", "LANG=C.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1")
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	s.t.Cleanup(func() {
		p.stop()
		if s.t.Failed() {
			s.t.Logf("%s %s said:\n%s", name, strings.Join(args, " "), p.said())
		}
	})
	return p
}

// stop ends a program as a logout does, and returns how it ended.
func (p *proc) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	return p.wait(45 * time.Second)
}

func (p *proc) wait(most time.Duration) error {
	select {
	case <-p.done:
		return p.err
	case <-time.After(most):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // where it stands is told with what it said
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
		return fmt.Errorf("%s did not end within %v", p.name, most)
	}
}

func eventually(t testing.TB, what string, within time.Duration, ok func() bool) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	end := time.Now().Add(within)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("it never came to that %s", what)
		}
		<-look.C
	}
}

// app starts the desktop program; its state rests from one start to the next.
func (s *stage) app(args ...string) *proc {
	s.t.Helper()
	return s.runAs(s.group(), "tuber-app", append([]string{"--no-upnp", "--state", s.dir}, args...)...)
}

// window waits for the window.
func (s *stage) window() (id string) {
	s.t.Helper()
	eventually(s.t, "the window is shown", 60*time.Second, func() bool {
		id = s.screen.Window("Tuber")
		return id != ""
	})
	return id
}

func (s *stage) engine() *booster.Client {
	s.t.Helper()
	var c *booster.Client
	eventually(s.t, "the app's booster answers", 60*time.Second, func() (ok bool) {
		var err error
		c, err = booster.Dial(filepath.Join(s.dir, "booster"))
		return err == nil
	})
	return c
}

func (s *stage) status() tuber.Status {
	s.t.Helper()
	st, err := s.engine().Status()
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// icon is what the tray shows.
func (s *stage) icon() Icon {
	s.t.Helper()
	icon, err := s.tray.Icon()
	if err != nil {
		s.t.Fatal(err)
	}
	return icon
}

// click clicks a line of the tray's menu until what it is for has come about: a
// click gets lost if the menu changes under it. It returns when it clicked first.
func (s *stage) click(line string, done func() bool) (first time.Time) {
	s.t.Helper()
	var last error
	first = time.Now()
	for end := first.Add(30 * time.Second); time.Now().Before(end); {
		last = s.tray.Click(line)
		for clicked := time.Now(); time.Since(clicked) < time.Second; {
			if done() {
				return first
			}
		}
	}
	lines, _ := s.tray.Menu()
	s.t.Fatalf("clicking %q has no effect (%v) in the menu %q", line, last, lines)
	return first
}

func (s *stage) paused() bool { return s.status().Reason == tuber.ReasonPaused }

// site runs a real host before the sample site, and returns its address.
func (s *stage) site() string {
	s.t.Helper()
	upstream := httptest.NewServer(demo.NewSite(nil))
	s.t.Cleanup(upstream.Close)
	h := s.run("tuber", "host", "--upstream", upstream.URL, "--state", s.hostDir(), "--listen", "127.0.0.1:0",
		"--control-listen", "127.0.0.1:0", "--udp-listen", "127.0.0.1:0", "--stun-listen", "off", "--public-host", "127.0.0.1", "--no-upnp")
	says := regexp.MustCompile(`site +(http://\S+)`)
	eventually(s.t, "the host serves", 30*time.Second, func() bool { return says.MatchString(h.said()) })
	return strings.TrimSuffix(says.FindStringSubmatch(h.said())[1], "/")
}

func (s *stage) hostDir() string { return filepath.Join(s.dir, "h") }

func (s *stage) host() (*host.Admin, tuber.HostState) {
	s.t.Helper()
	a, err := host.DialAdmin(s.hostDir())
	if err != nil {
		s.t.Fatal(err)
	}
	st, err := a.State()
	if err != nil {
		s.t.Fatal(err)
	}
	return a, st
}

// linked tells whether the planner has the app's booster.
func (s *stage) linked() bool {
	_, st := s.host()
	return len(st.BoosterList) == 1 && st.BoosterList[0].Linked
}
