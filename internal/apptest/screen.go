package apptest

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Screen is an X server that shows to nobody.
type Screen struct {
	Display string // as DISPLAY has it
	t       testing.TB
}

// StartScreen runs a screen until the test ends; args are for its server.
func StartScreen(t testing.TB, args ...string) *Screen {
	t.Helper()
	need(t, "Xvfb", "xdotool", "xclip")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const noReset = "-noreset" // else it begins anew when its last client leaves
	cmd := exec.Command("Xvfb", append([]string{"-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp", noReset}, args...)...)
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not start: %v", err)
	}
	return &Screen{":" + strings.TrimSpace(number), t}
}

// run runs a tool of X on the screen.
func (s *Screen) run(stdin, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.Display)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// Window is the id of the window that is shown under a name, "" for none.
func (s *Screen) Window(name string) string {
	out, err := s.run("", "xdotool", "search", "--onlyvisible", "--name", "^"+name+"$")
	if err != nil {
		return ""
	}
	id, _, _ := strings.Cut(out, "\n")
	return id
}

// Keys presses keys in a window, as xdotool names them.
func (s *Screen) Keys(window string, keys ...string) {
	s.t.Helper()
	for _, args := range [][]string{{"windowfocus", "--sync", window}, append([]string{"key", "--delay", "40"}, keys...)} {
		if _, err := s.run("", "xdotool", args...); err != nil {
			s.t.Fatalf("xdotool %s: %v", strings.Join(args, " "), err)
		}
	}
}

// Copy puts a text into the clipboard.
func (s *Screen) Copy(text string) {
	s.t.Helper()
	cmd := exec.Command("xclip", "-selection", "clipboard", "-silent")
	cmd.Env = append(os.Environ(), "DISPLAY="+s.Display)
	cmd.Stdin = strings.NewReader(text)
	// It leaves a child that serves the clipboard until the screen goes: its
	// output must not be waited for.
	if err := cmd.Run(); err != nil {
		s.t.Fatal(err)
	}
}

// Picture keeps what the screen shows, where TUBER_PICTURES names a folder.
func (s *Screen) Picture(name string) {
	s.t.Helper()
	dir := os.Getenv("TUBER_PICTURES")
	if dir == "" {
		return
	}
	<-time.After(time.Second) // so that it is drawn
	var stderr bytes.Buffer
	cmd := exec.Command("import", "-window", "root", filepath.Join(dir, name+".png"))
	cmd.Env = append(os.Environ(), "DISPLAY="+s.Display)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		s.t.Errorf("keep picture %s: %v %s", name, err, &stderr)
	}
}
