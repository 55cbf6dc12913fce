package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/booster"
	"github.com/tubercdn/tuber/host"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tuber": main,
	})
}

// TestScript runs testdata/script: what people type and what they read.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			// Sockets have short paths, and nothing of this machine's own is read.
			dir, err := os.MkdirTemp("", "tuber")
			if err != nil {
				return err
			}
			e.Defer(func() { os.RemoveAll(dir) })
			e.Setenv("S", dir)
			e.Setenv("BIN", filepath.SplitList(e.Getenv("PATH"))[0]) // where testscript put this program
			if err := writeClip(filepath.Join(e.WorkDir, "clip.ts")); err != nil {
				return err
			}
			for _, name := range []string{"XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_RUNTIME_DIR"} {
				e.Setenv(name, filepath.Join(dir, "xdg"))
			}
			return nil
		},
		Condition: func(c string) (bool, error) { // [require]: nothing may be skipped
			return os.Getenv("TUBER_REQUIRE") == "all", notRequire(c)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":    await,
			"takeport": takePort,
			"invites":  makeInvites,
			"setout":   setOut,
			"exits":    exits,
			"waitfor":  waitFor,
			"revoke":   revokeAll,
			"demosite": demoSite,
			"leave":    leaveAll,

			"share":      forHost("boost", "--share"),
			"pausehost":  forHost("pause", "1h"),
			"resumehost": forHost("resume"),
		},
	})
}

// writeClip puts the demo's clip into one file.
func writeClip(path string) error {
	segments, err := filepath.Glob("../../internal/demo/clip/seg*.ts")
	if err != nil {
		return err
	}
	var clip []byte
	for _, name := range segments {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		clip = append(clip, b...)
	}
	return os.WriteFile(path, clip, 0o600)
}

func notRequire(condition string) error {
	if condition != "require" {
		return fmt.Errorf("unknown condition %q", condition)
	}
	return nil
}

// demosite NAME: the address of the page of the demo that runs in $TMPDIR.
func demoSite(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, "the demo's host answers", func() error {
		dirs, err := filepath.Glob(filepath.Join(ts.Getenv("TMPDIR"), "tuber-demo-*", "host"))
		if err != nil || len(dirs) != 1 {
			return fmt.Errorf("hosts: %q, %v", dirs, err)
		}
		a, err := host.DialAdmin(dirs[0])
		if err != nil {
			return err
		}
		s, err := a.State()
		if err == nil && !s.Planner {
			err = fmt.Errorf("its planner does not run")
		}
		if err == nil {
			ts.Setenv(args[0], s.Site)
		}
		return err
	})
}

// exits N COMMAND...: it ends with this very code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var code interface{ ExitCode() int }
		if !asExit(err, &code) {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = code.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("got exit code %d, want %s", got, args[0])
	}
}

func asExit(err error, into *interface{ ExitCode() int }) bool {
	for err != nil {
		if e, ok := err.(interface{ ExitCode() int }); ok {
			*into = e
			return true
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return false
		}
		err = u.Unwrap()
	}
	return false
}

// await host|booster DIR: until the program that has the directory answers.
func await(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: await host|booster DIR")
	}
	try := func() error { _, err := swarms(args[1]); return err }
	if args[0] == "host" {
		try = func() error {
			a, err := host.DialAdmin(args[1])
			if err != nil {
				return err
			}
			_, err = a.State()
			return err
		}
	}
	poll(ts, "the "+args[0]+" answers", try)
}

// poll tries until it works, for as long as a slow machine may need.
func poll(ts *testscript.TestScript, what string, try func() error) {
	deadline := time.NewTimer(30 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			ts.Fatalf("waited in vain until %s: %v", what, err)
		case <-again.C:
		}
	}
}

func swarms(dir string) ([]tuber.SwarmStatus, error) {
	c, err := booster.Dial(dir)
	if err != nil {
		return nil, err
	}
	st, err := c.Status()
	return st.Swarms, err
}

// waitfor joined|away DIR: until the booster's one swarm is so.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, "the swarm is "+args[0], func() error {
		s, err := swarms(args[1])
		if err == nil && (len(s) != 1 || s[0].Connected != (args[0] == "joined")) {
			return fmt.Errorf("got %+v", s)
		}
		return err
	})
}

// revoke DIR: every invite that the host has, by the command.
func revokeAll(ts *testscript.TestScript, _ bool, args []string) {
	a, err := host.DialAdmin(args[0])
	ts.Check(err)
	invites, err := a.Invites()
	ts.Check(err)
	for _, v := range invites {
		ts.Check(ts.Exec("tuber", "invite", "revoke", v.ID, "--state", args[0]))
	}
}

// leave DIR: every swarm that the booster is in, by the command.
func leaveAll(ts *testscript.TestScript, _ bool, args []string) {
	all, err := swarms(args[0])
	ts.Check(err)
	for _, s := range all {
		ts.Check(ts.Exec("tuber", "leave", s.Host, "--state", args[0]))
	}
}

// forHost DIR [PERCENT]: runs a command for the one host that was joined.
func forHost(command ...string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		all, err := swarms(args[0])
		ts.Check(err)
		for _, s := range all {
			word := s.Host
			if len(args) > 1 {
				word += "=" + args[1]
			}
			ts.Check(ts.Exec("tuber", append(append(slices.Clone(command), word), "--state", args[0])...))
		}
	}
}

// takeport udp|tcp NAME: holds a port until the script ends; NAME is its address.
func takePort(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: takeport udp|tcp NAME")
	}
	if args[0] == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		ts.Check(err)
		ts.Defer(func() { c.Close() })
		ts.Setenv(args[1], c.LocalAddr().String())
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[1], l.Addr().String())
}

// invites HOST: sets WHOLE, CUT and FLIPPED.
func makeInvites(ts *testscript.TestScript, _ bool, args []string) {
	v := tuber.Invite{Host: args[0], Prefix: tuber.DefaultPrefix, Site: tuber.PublicKey{1, 2, 3}, Secret: tuber.Secret{4}, Pin: tuber.Digest{5}}
	whole := v.URL()
	at := len(whole) - 60
	other := "A"
	if whole[at] == 'A' {
		other = "B"
	}
	ts.Setenv("WHOLE", whole)
	ts.Setenv("CUT", whole[:len(whole)-7])
	ts.Setenv("FLIPPED", whole[:at]+other+whole[at+1:])
}

// setout NAME PREFIX: the word of the last output that begins so.
func setOut(ts *testscript.TestScript, _ bool, args []string) {
	for _, word := range strings.Fields(ts.ReadFile("stdout")) {
		if strings.HasPrefix(word, args[1]) {
			ts.Setenv(args[0], word)
			return
		}
	}
	ts.Fatalf("nothing in the output begins with %q", args[1])
}

func TestInterruptEndsCleanly(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()

	if got := run(ctx, []string{"gateway", "--stun", "127.0.0.1:0", "--no-upnp"}, os.Stderr, os.Stderr); got != 0 {
		t.Errorf("got exit code %d, want 0", got)
	}
}
