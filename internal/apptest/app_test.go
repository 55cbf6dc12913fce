//go:build !race

package apptest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

var hourly = tuber.Offer{Uses: 1, Life: time.Hour}

// A friend's whole day with Tuber, by mouse and keys, with the real programs.
func TestAFriendsDay(t *testing.T) {
	s := newStage(t, true)
	site := s.site()
	admin, _ := s.host()
	invite, err := admin.Invite(hourly)
	if err != nil {
		t.Fatal(err)
	}

	app := s.app()
	window := s.window()
	eventually(t, "the tray says that Tuber is ready", 30*time.Second, func() bool {
		icon, err := s.tray.Icon()
		return err == nil && strings.Contains(icon.Tooltip, "Ready")
	})
	idle := s.icon()
	if idle.Width == 0 || idle.Title == "" {
		t.Errorf("the tray shows %+v, want a picture with a title", idle)
	}
	s.screen.Picture("1-ready")

	s.screen.Copy(invite.AppURL)
	s.screen.Keys(window, "ctrl+1", "ctrl+v")
	if st := s.status(); len(st.Swarms) != 0 {
		t.Fatalf("joined before the owner agreed: %+v", st.Swarms)
	}
	s.screen.Picture("2-consent")
	s.screen.Keys(window, "space") // the button that agrees has the focus
	eventually(t, "the planner has the booster", 60*time.Second, s.linked)

	s.run("tuber", "watch", site+"/live/index.m3u8", "--viewers", "8", "--for", "10m")
	eventually(t, "chunks flow from the app's booster", 90*time.Second, func() bool {
		st := s.status()
		return st.Sent > 2<<20 && st.Upload > 1e6
	})
	eventually(t, "the tray shows that it sends", 20*time.Second, func() bool { return s.icon().Picture != idle.Picture })
	s.screen.Picture("3-sending")

	if at := app.listening(); len(at) != 0 {
		t.Errorf("it waits for TCP at %q while it boosts, want UDP alone", at)
	}

	const most = 3e6
	s.setCap(window, "3", most)
	s.screen.Picture("4-settings")
	wire := s.meter()
	<-time.After(time.Second) // what was under way
	wire.keeps(t, most, s.newcomers(site))
	s.pauseByClick(wire)
	eventually(t, "the tray says that it is paused", 10*time.Second, func() bool {
		icon := s.icon()
		return strings.Contains(icon.Tooltip, "Paused") && icon.Picture != idle.Picture
	})
	s.screen.Picture("5-paused")

	if err := app.stop(); err != nil {
		t.Fatalf("ended with %v", err)
	}
	app = s.app("--hidden")
	eventually(t, "the planner has the booster again", 60*time.Second, s.linked)
	if st := s.status(); st.Reason != tuber.ReasonPaused || len(st.Swarms) != 1 {
		t.Errorf("after a restart: %+v, want it paused, in its swarm", st)
	}
	if set, err := s.engine().Settings(); err != nil || set.Limits.Upload != most {
		t.Errorf("after a restart the cap is %v, %v", set.Limits.Upload, err)
	}
	eventually(t, "the tray is there again", 30*time.Second, func() bool {
		icon, err := s.tray.Icon()
		return err == nil && strings.Contains(icon.Tooltip, "Paused")
	})
	if s.screen.Window("Tuber") != "" {
		t.Error("a hidden start shows the window")
	}
	s.click("Resume", func() bool { return !s.paused() })
	eventually(t, "it sends again", 60*time.Second, func() bool { st := s.status(); return st.Sent > 1<<20 && st.Reason == "" })

	other := tuber.Invite{Host: "127.0.0.1:1", Prefix: tuber.DefaultPrefix, Site: tuber.PublicKey{7}, Pin: tuber.Digest{7}}
	if err := s.app(other.AppURL()).wait(20 * time.Second); err != nil {
		t.Fatalf("the second start ended with %v", err)
	}
	window = s.window()
	s.screen.Picture("6-handed-over")
	s.screen.Keys(window, "space")
	eventually(t, "the invite that was handed over is kept for a host that is away", 60*time.Second, func() bool {
		return slices.ContainsFunc(s.status().Swarms, func(sw tuber.SwarmStatus) bool { return sw.Host == other.Host && !sw.Connected })
	})
	s.screen.Keys(window, "ctrl+w")
	eventually(t, "the window is hidden", 10*time.Second, func() bool { return s.screen.Window("Tuber") == "" })
	if err := s.app().wait(20 * time.Second); err != nil {
		t.Fatalf("the third start ended with %v", err)
	}
	s.window()

	s.click("Quit Tuber", func() bool {
		select {
		case <-app.done:
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	if err := app.wait(30 * time.Second); err != nil {
		t.Errorf("ended with %v", err)
	}
	eventually(t, "the planner misses the booster", 60*time.Second, func() bool { return !s.linked() })
}

// newcomers has four more viewers come for a while, at each call: they take the
// places of those that leave, and ask for the recent past beside what the plan
// gives them.
func (s *stage) newcomers(site string) func() {
	return func() {
		s.run("tuber", "watch", site+"/live/index.m3u8", "--viewers", "4", "--ramp", "2s", "--for", "12s")
	}
}

// pauseByClick pauses in the tray's menu: from a second after the click on, no
// second has more than what keeps links alive, half a chunk at most.
func (s *stage) pauseByClick(wire meter) {
	s.t.Helper()
	clicked := s.click("Pause > Until I resume", s.paused)
	<-time.After(time.Until(clicked.Add(time.Second)))
	last := wire.read()
	for n := range 3 {
		<-time.After(time.Second)
		now := wire.read()
		if got := now.bytes - last.bytes; got > tuber.ChunkSize/2 {
			s.t.Errorf("%d bytes on the wire in second %d after the pause, want no chunk", got, n+2)
		}
		last = now
	}
}

// setCap types a cap into the settings page, which is the last one. How many
// pages stand before it in the order of Tab is found out: what lies before the
// first field takes neither digits nor Return amiss.
func (s *stage) setCap(window, text string, want tuber.BitsPerSecond) {
	s.t.Helper()
	for tabs := 3; tabs < 12; tabs++ {
		s.screen.Keys(window, "ctrl+1", "ctrl+2", "ctrl+3", "ctrl+4", "ctrl+5")
		for range tabs {
			s.screen.Keys(window, "Tab")
		}
		s.screen.Keys(window, "ctrl+a", text, "Return")
		end := time.Now().Add(2 * time.Second)
		for time.Now().Before(end) {
			if set, err := s.engine().Settings(); err == nil && set.Limits.Upload == want {
				return
			}
		}
	}
	s.screen.Picture("settings-not-found")
	s.t.Fatal("the cap could not be set in the window")
}

// Where nobody shows tray icons a hidden start would upload unseen.
func TestHiddenStartWithoutATray(t *testing.T) {
	s := newStage(t, false)
	app := s.app("--hidden")
	s.window()
	if err := app.stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// When the tray goes away the window comes back.
func TestTrayThatGoesAway(t *testing.T) {
	s := newStage(t, true)
	app := s.app("--hidden")
	eventually(t, "the icon is in the tray", 60*time.Second, func() bool { _, err := s.tray.Icon(); return err == nil })
	s.engine()
	if s.screen.Window("Tuber") != "" {
		t.Error("a hidden start shows the window")
	}
	s.tray.Stop()
	s.window()
	if err := app.stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// The owner's setting hides the window as --hidden does, and a second start
// shows it.
func TestHiddenStartBySettings(t *testing.T) {
	s := newStage(t, true)
	folder := filepath.Join(s.dir, "app")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "app.json"), []byte(`{"startHidden": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	app := s.app()
	eventually(t, "the icon is in the tray", 60*time.Second, func() bool { _, err := s.tray.Icon(); return err == nil })
	s.engine()
	if s.screen.Window("Tuber") != "" {
		t.Error("the window is shown")
	}
	if err := s.app().wait(20 * time.Second); err != nil {
		t.Errorf("the second start ended with %v", err)
	}
	s.window()
	if err := app.stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestGarbageFromOutside(t *testing.T) {
	s := newStage(t, true)
	app := s.app("tuber://example.org/.tuber/join#$(touch " + filepath.Join(s.dir, "pwned") + ")")
	s.window()
	for _, text := range []string{"tuber://", "tuber:" + strings.Repeat("A", 100<<10), "\x1b[2J\x07tuber://\r\n", "https://example.org/`id`", "%s%n%x"} {
		if err := s.app(text).wait(20 * time.Second); err != nil {
			t.Errorf("%.30q: ended with %v", text, err)
		}
	}
	s.screen.Picture("7-garbage")
	if st := s.status(); len(st.Swarms) != 0 {
		t.Errorf("joined %+v", st.Swarms)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "pwned")); err == nil {
		t.Error("what came with a link was run")
	}
	if err := app.stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestWithoutADisplay(t *testing.T) {
	s := newStage(t, true)
	s.screen.Display = ":32001"
	app := s.app("--hidden")
	if err := app.wait(20 * time.Second); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("ended with %v, want exit code 1", err)
	}
	if said := app.said(); !strings.Contains(said, "tuber boost") || !strings.Contains(said, ":32001") || strings.Contains(said, "goroutine") {
		t.Errorf("said %q", said)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "booster")); err == nil {
		t.Error("a booster was started that nobody sees")
	}
}

// A screen without OpenGL: it is said, with what to do instead, and nothing is
// begun.
func TestWithoutOpenGL(t *testing.T) {
	s := newStage(t, true, "-extension", "GLX")
	app := s.app()
	if err := app.wait(20 * time.Second); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("ended with %v, want exit code 1", err)
	}
	if said := app.said(); !strings.Contains(said, "tuber boost") || !strings.Contains(said, "OpenGL") || strings.Contains(said, "goroutine") {
		t.Errorf("said %q", said)
	}
	lock := filepath.Join(s.dir, "app", "app.lock") // it had looked for one that runs
	if left, err := filepath.Glob(filepath.Join(s.dir, "*", "*")); err != nil || !slices.Equal(left, []string{lock}) {
		t.Errorf("left %q, %v, want its lock alone", left, err)
	}
}
