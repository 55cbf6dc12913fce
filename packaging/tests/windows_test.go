//go:build packages

package tests

import (
	"bufio"
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// windows is one of the test's own under wine, on a display of its own.
type windows struct {
	t      *testing.T
	prefix string
	env    []string
}

// eventually waits for a condition, and fails naming what did not come.
func eventually(t *testing.T, what string, within time.Duration, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("after %v: %s did not come", within, what)
		case <-tick.C:
		}
	}
}

func newWindows(t *testing.T) *windows {
	t.Helper()
	dir := t.TempDir()
	w := &windows{t: t, prefix: filepath.Join(dir, "prefix")}
	w.env = append(os.Environ(), "WINEPREFIX="+w.prefix, "WINEARCH=win64", "WINEDEBUG=-all", "HOME="+filepath.Join(work, "home"),
		"WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=", "LIBGL_ALWAYS_SOFTWARE=1", "DISPLAY="+display(t))
	t.Cleanup(func() { _ = w.command("wineserver", "-k").Run() })
	fresh := filepath.Join(work, "windows") // set up by the first, copied by the others
	if _, err := os.Stat(fresh); err != nil {
		w.setUp()
		do(t, exec.Command("cp", "-a", w.prefix, fresh))
	} else {
		do(t, exec.Command("cp", "-a", fresh, w.prefix))
	}
	w.stay()
	return w
}

// setUp makes a new Windows as a friend's may be, and shuts it down.
func (w *windows) setUp() {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(work, "home"), 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.run("wineboot", "--init")
	do(w.t, exec.Command("x86_64-w64-mingw32-gcc", "-shared", "-O2", "testdata/bcryptprimitives.c", "-ladvapi32",
		"-o", filepath.Join(w.prefix, "drive_c/windows/system32/bcryptprimitives.dll")))
	w.run("winecfg", "/v", "win10")
	w.stay()
	w.run("start", "/wait", "cmd", "/c", "exit") // wine notes down its console's look
	// every real Windows has these
	for _, k := range []string{`Software\Classes`, uninstalls, runKey, `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`} {
		w.run("reg", "add", `HKCU\`+k, "/f")
	}
	_ = w.command("wineserver", "-k").Run()
	do(w.t, w.command("wineserver", "-w"))
}

// stay keeps this Windows running between programs: each would start it anew.
func (w *windows) stay() {
	w.t.Helper()
	shell := w.command("wine", "cmd")
	input, err := shell.StdinPipe() // left open: the shell waits for a line
	if err != nil {
		w.t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = input.Close(); _ = shell.Process.Kill(); _ = shell.Wait() })
}

// display starts an X server that ends with the test.
func display(t *testing.T) string {
	t.Helper()
	r, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset")
	server.ExtraFiles = []*os.File{wr}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	_ = wr.Close()
	line, err := bufio.NewReader(r).ReadString('\n') // written once it is ready
	if err != nil {
		t.Fatal(err)
	}
	return ":" + strings.TrimSpace(string(line))
}

func (w *windows) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = w.env
	return cmd
}

// output runs a program of Windows to its end. What it prints goes by way of a
// file: services that it starts hold a pipe open for as long as they run.
func (w *windows) output(args ...string) (string, error) {
	w.t.Helper()
	f, err := os.CreateTemp(filepath.Dir(w.prefix), "output")
	if err != nil {
		w.t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	cmd := w.command("wine", args...)
	cmd.Dir = filepath.Dir(w.prefix)
	cmd.Stdout, cmd.Stderr = f, f
	err = cmd.Run()
	text, readErr := os.ReadFile(f.Name())
	if readErr != nil {
		w.t.Fatal(readErr)
	}
	return string(text), err
}

// run is output of what must succeed.
func (w *windows) run(args ...string) {
	w.t.Helper()
	if out, err := w.output(args...); err != nil {
		w.t.Fatalf("wine %q: %v\n%s", args, err, out)
	}
}

// path is where a path of Windows' user lies on this machine.
func (w *windows) path(parts ...string) string {
	users, err := filepath.Glob(filepath.Join(w.prefix, "drive_c/users/*/AppData"))
	if err != nil || len(users) != 1 {
		w.t.Fatalf("users of this Windows: %q, %v", users, err)
	}
	return filepath.Join(append([]string{users[0]}, parts...)...)
}

// temporary are keys that wine keeps for itself while it runs.
var temporary = regexp.MustCompile(`(?m)^\[HKEY_CURRENT_USER\\Software\\Wine\\Temporary System Parameters[^\]]*\]\r\n(?:[^\[\r\n].*\r\n)*\r\n`)

// registry is the user's whole registry, as text.
func (w *windows) registry() string {
	w.t.Helper()
	out := filepath.Join(w.prefix, "drive_c/export.reg")
	w.run("regedit", "/E", `C:\export.reg`, "HKEY_CURRENT_USER")
	defer os.Remove(out)
	text := do(w.t, exec.Command("iconv", "-f", "utf16", "-t", "utf8", out))
	return temporary.ReplaceAllString(text, "")
}

// value is one value of the user's registry, "" if it is not there.
func (w *windows) value(key, name string) string {
	args := []string{"reg", "query", `HKCU\` + key}
	if name == "" {
		args = append(args, "/ve")
	} else {
		args = append(args, "/v", name)
	}
	out, err := w.output(args...)
	if err != nil {
		return ""
	}
	_, text, _ := strings.Cut(out, "REG_")
	_, text, _ = strings.Cut(text, "    ")
	return strings.TrimSpace(text)
}

// start runs a program of Windows beside the test.
func (w *windows) start(args ...string) *exec.Cmd {
	w.t.Helper()
	cmd := w.command("wine", args...)
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// open opens a link as a click on it does. Wine looks for who opens links among
// those of the whole machine alone, not among the user's: they are copied there.
func (w *windows) open(link string) *exec.Cmd {
	w.t.Helper()
	w.run("reg", "copy", `HKCU\Software\Classes\tuber`, `HKLM\Software\Classes\tuber`, "/s", "/f")
	return w.start("start", "/wait", link)
}

// running tells whether the program runs. Wine's tasklist is empty: this
// machine's own processes say it.
func (w *windows) running() bool {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range all {
		cmdline, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		environ, _ := os.ReadFile(filepath.Join(p, "environ"))
		if bytes.HasPrefix(cmdline, []byte(`C:\users\`)) && bytes.Contains(cmdline, []byte("tuber-app.exe")) && bytes.Contains(environ, []byte("WINEPREFIX="+w.prefix+"\x00")) {
			return true
		}
	}
	return false
}

// window tells whether a window of the program's is seen.
func (w *windows) window() bool {
	return w.command("xdotool", "search", "--onlyvisible", "--name", "^Tuber").Run() == nil
}

// screen is what the display shows, kept under this name where pictures are asked for.
func (w *windows) screen(name string) image.Image {
	w.t.Helper()
	b, err := w.command("import", "-window", "root", "png:-").Output()
	if err != nil {
		w.t.Fatalf("take a picture of the display: %v", err)
	}
	if dir := os.Getenv("TUBER_PACKAGES_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		w.t.Fatal(err)
	}
	return img
}

// button is the middle of what the window shows in its leaf green, in lines
// longer than letters and icons: its one main button.
func button(img image.Image) (at image.Point, ok bool) {
	var box image.Rectangle
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; {
			end := x
			for end < b.Max.X && green(img, end, y) {
				end++
			}
			if end-x >= 40 {
				box = box.Union(image.Rect(x, y, end, y+1))
			}
			x = max(end, x+1)
		}
	}
	return box.Min.Add(box.Max).Div(2), box.Dy() >= 10
}

// green is the theme's primary colour, light or dark.
func green(img image.Image, x, y int) bool {
	r, g, b, _ := img.At(x, y).RGBA()
	near := func(got uint32, want int) bool { return max(int(got>>8)-want, want-int(got>>8)) <= 6 }
	return near(r, 0x1f) && near(g, 0x7a) && near(b, 0x55) || near(r, 0x5c) && near(g, 0xc9) && near(b, 0x9a)
}

const (
	classKey     = `Software\Classes\tuber\shell\open\command`
	runKey       = `Software\Microsoft\Windows\CurrentVersion\Run`
	uninstalls   = `Software\Microsoft\Windows\CurrentVersion\Uninstall`
	uninstallKey = uninstalls + `\Tuber`
	setup        = "Tuber-9.8.7-setup.exe"
)

// uninstall runs the uninstaller, which goes on in a copy of itself.
func (w *windows) uninstall(args ...string) {
	w.t.Helper()
	w.run(append([]string{filepath.Join(w.path("Local/Programs/Tuber"), "uninstall.exe")}, args...)...)
	eventually(w.t, "the end of the uninstaller", 3*time.Minute, func() bool {
		_, err := os.Stat(w.path("Local/Programs/Tuber"))
		return os.IsNotExist(err) && w.value(uninstallKey, "DisplayName") == ""
	})
}

// nothingLeft compares with how it was before. NSIS' own copy of the
// uninstaller in Temp goes at the next start of Windows; the empty Programs
// folder belongs to Windows.
func (w *windows) nothingLeft(before map[string]string, registry string) {
	w.t.Helper()
	after := everything(w.t, filepath.Join(w.prefix, "drive_c/users"))
	for path := range after {
		if strings.Contains(path, "/Temp/~nsu") || strings.HasSuffix(path, "AppData/Local/Programs") {
			delete(after, path)
		}
	}
	sameEverything(w.t, "after the uninstaller", before, after)
	if now := w.registry(); now != registry {
		old := filepath.Join(w.t.TempDir(), "before")
		put(w.t, old, registry)
		diff := exec.Command("diff", old, "-")
		diff.Stdin = strings.NewReader(now)
		out, _ := diff.CombinedOutput()
		w.t.Errorf("the registry is not as it was:\n%s", out)
	}
}
