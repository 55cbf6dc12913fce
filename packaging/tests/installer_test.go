//go:build packages

package tests

import (
	"debug/pe"
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// TestInstallerComesAndGoes: all keys and files are there, an update keeps the
// choice about the login, and in the end nothing is left.
func TestInstallerComesAndGoes(t *testing.T) {
	w := newWindows(t)
	users := filepath.Join(w.prefix, "drive_c/users")
	before, registry := everything(t, users), w.registry()

	w.run(file(setup), "/S")
	program := `C:\users\` + filepath.Base(filepath.Dir(w.path())) + `\AppData\Local\Programs\Tuber\tuber-app.exe`
	for _, v := range []struct{ key, name, want string }{
		{`Software\Classes\tuber`, "", "URL:Tuber invite"},
		{classKey, "", `"` + program + `" "%1"`},
		{`Software\Classes\tuber\DefaultIcon`, "", `"` + program + `",0`},
		{runKey, "Tuber", `"` + program + `" --hidden`},
		{uninstallKey, "DisplayVersion", version},
		{uninstallKey, "QuietUninstallString", `"` + strings.Replace(program, "tuber-app.exe", `uninstall.exe" /S`, 1)},
	} {
		if got := w.value(v.key, v.name); got != v.want {
			t.Errorf("%s %s: %q, want %q", v.key, v.name, got, v.want)
		}
	}
	for _, f := range []string{"Local/Programs/Tuber/tuber-app.exe", "Local/Programs/Tuber/uninstall.exe", "Roaming/Microsoft/Windows/Start Menu/Programs/Tuber.lnk"} {
		if _, err := os.Stat(w.path(f)); err != nil {
			t.Error(err)
		}
	}

	// the choice about the login: off at an update, stays off, on again, stays on
	for _, step := range []struct {
		arg string
		on  bool
	}{{"/LOGIN=0", false}, {"/S", false}, {"/LOGIN=1", true}, {"/S", true}} {
		w.run(file(setup), "/S", step.arg)
		if on := w.value(runKey, "Tuber") != ""; on != step.on {
			t.Errorf("after an update with %s: starts at login %v, want %v", step.arg, on, step.on)
		}
	}

	// what the program keeps is its owner's; links that another took over are the other's
	data := w.path("Local/tuber/booster")
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	w.run("reg", "add", `HKCU\`+classKey, "/ve", "/d", "other.exe", "/f")
	w.uninstall("/S")
	if _, err := os.Stat(data); err != nil {
		t.Errorf("a quiet uninstall deleted data: %v", err)
	}
	if got := w.value(classKey, ""); got != "other.exe" {
		t.Errorf("tuber:// of another program: %q", got)
	}
	w.run("reg", "delete", `HKCU\Software\Classes\tuber`, "/f")

	w.run(file(setup), "/S")
	w.uninstall("/S", "/PURGE")
	w.nothingLeft(before, registry)
}

// TestInstallerShowsItsPages: what a friend sees who double-clicks it.
func TestInstallerShowsItsPages(t *testing.T) {
	w := newWindows(t)
	w.start(file(setup))
	eventually(t, "the installer's window", 5*time.Minute, func() bool {
		return w.command("xdotool", "search", "--onlyvisible", "--name", "^Tuber Setup").Run() == nil
	})
	press := func(key string) { // no window manager gives it the keyboard
		do(t, w.command("xdotool", "search", "--onlyvisible", "--name", "^Tuber Setup", "windowfocus", "key", key))
	}
	page := func(name string) image.Image {
		last := w.screen(name)
		eventually(t, "a page that stands still", 2*time.Minute, func() bool {
			now := w.screen(name)
			still := samePicture(last, now)
			last = now
			return still
		})
		return last
	}
	welcome := page("installer-welcome")
	press("Return")
	eventually(t, "the choice of components", 2*time.Minute, func() bool { return !samePicture(welcome, w.screen("installer-choice")) })
	page("installer-choice")
	press("Return")
	eventually(t, "the installed program", 5*time.Minute, func() bool { return w.value(uninstallKey, "DisplayVersion") == version })
	page("installer-done")
}

func samePicture(a, b image.Image) bool {
	x, okA := a.(*image.RGBA)
	y, okB := b.(*image.RGBA)
	return okA && okB && string(x.Pix) == string(y.Pix)
}

// TestTheWindowHelpsAHostUnderWine is a friend's whole way: the installer, an
// invite clicked elsewhere, the window, a real swarm, the uninstaller.
func TestTheWindowHelpsAHostUnderWine(t *testing.T) {
	w := newWindows(t)
	users := filepath.Join(w.prefix, "drive_c/users")
	before, registry := everything(t, users), w.registry()
	host := startHost(t)
	w.run(file(setup), "/S", "/LOGIN=0")
	t.Cleanup(func() {
		if t.Failed() {
			w.screen("failed")
		}
	})

	// Windows opens the link by the command that the installer registered
	opened := w.open(host.invite())
	eventually(t, "the window", 5*time.Minute, w.window)
	w.screen("opened")
	book := w.path("Local/tuber/booster/book.db")
	if _, err := os.Stat(book); err == nil {
		t.Error("the booster was begun before its owner agreed")
	}
	w.agree(host)
	if _, err := os.Stat(book); err != nil {
		t.Error(err)
	}
	host.watch()
	eventually(t, "bytes from the booster", 5*time.Minute, func() bool { return host.delivered() > 1<<20 })
	w.screen("helping")

	// a second start hands over and ends
	if err := w.open("tuber://nonsense").Wait(); err != nil {
		t.Errorf("a second start: %v", err)
	}
	w.screen("second")

	// and so does one by an invite, which the window then asks about
	other := startHost(t)
	if err := w.open(other.invite()).Wait(); err != nil {
		t.Errorf("a third start: %v", err)
	}
	w.agree(other)

	// the uninstaller has the program that runs end by itself: one that is killed
	// hands another exit code to whoever opened it
	if !w.running() {
		t.Error("the program does not run any more")
	}
	w.uninstall("/S", "/PURGE")
	if w.running() {
		t.Error("the uninstaller left the program running")
	} else if err := opened.Wait(); err != nil {
		t.Errorf("the program was not asked to end: %v", err)
	}
	w.nothingLeft(before, registry)
}

// TestMachineUnderWine runs what package machine's tests say of Windows.
func TestMachineUnderWine(t *testing.T) {
	w := newWindows(t)
	tests := filepath.Join(t.TempDir(), "machine.exe")
	compile := exec.Command("go", "test", "-c", "-o", tests, "./internal/machine")
	compile.Dir = repository
	compile.Env = append(os.Environ(), "GOOS=windows", "CGO_ENABLED=0")
	do(t, compile)
	out, err := w.output(tests, "-test.v", "-test.timeout=2m", "-test.skip=TestFreeDisk") // wine cannot remove the folder that Go's testing made
	if err != nil || !strings.Contains(out, "--- PASS: TestLoginOfWindows") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestWindowsProgramSaysWhatItIs: version, icon and manifest are in the program.
func TestWindowsProgramSaysWhatItIs(t *testing.T) {
	program := filepath.Join(dist, "work/windows/tuber-app.exe")
	list := do(t, exec.Command("wrestool", "-l", program))
	for _, want := range []string{"type=group_icon", "type=version", "type=24"} { // 24 is a manifest
		if !strings.Contains(list, want) {
			t.Errorf("no resource of %s in\n%s", want, list)
		}
	}
	for _, p := range []string{program, file(setup)} {
		if info := do(t, exec.Command("wrestool", "-x", "--raw", "-t", "version", p)); !strings.Contains(info, wide("ProductVersion")) || !strings.Contains(info, wide(version)) {
			t.Errorf("%s does not say that it is version %s: %q", filepath.Base(p), version, info)
		}
	}
	f, err := pe.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	header, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	if !ok || header.Subsystem != pe.IMAGE_SUBSYSTEM_WINDOWS_GUI {
		t.Error("the program would open a console")
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if strings.HasPrefix(strings.ToLower(l), "lib") {
			t.Errorf("the program needs %s, which Windows has not", l)
		}
	}
}

// agree has the window's main button clicked until its booster is at the host:
// what is to be understood first, and then what is to be agreed to.
func (w *windows) agree(host *realHost) {
	w.t.Helper()
	eventually(w.t, "the booster at its host", 5*time.Minute, func() bool {
		if host.boosters() == 1 {
			return true
		}
		if at, ok := button(w.screen("consent")); ok {
			do(w.t, w.command("xdotool", "mousemove", fmt.Sprint(at.X), fmt.Sprint(at.Y), "sleep", "0.3", "click", "1", "sleep", "2"))
		}
		return false
	})
}

// wide is a text as Windows' resources have it, in UTF-16.
func wide(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

// TestInstallerIsSignedIfACertificateIsGiven: program, uninstaller and installer.
func TestInstallerIsSignedIfACertificateIsGiven(t *testing.T) {
	dir := t.TempDir()
	cert, secret := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	do(t, exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Tuber test",
		"-addext", "extendedKeyUsage=codeSigning", "-keyout", secret, "-out", cert))
	make := exec.Command("make", "package-windows", "VERSION="+version, "CERT="+cert, "KEY="+secret, "DIST="+dir)
	make.Dir = repository
	make.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+fmt.Sprint(time.Now().Unix()))
	do(t, make)
	signed := filepath.Join(dir, setup)
	verify := func(program string) error {
		out, err := exec.Command("osslsigncode", "verify", "-CAfile", cert, "-in", program).CombinedOutput()
		if err == nil && !strings.Contains(string(out), "Succeeded") {
			err = fmt.Errorf("%s", out)
		}
		return err
	}
	w := newWindows(t)
	w.run(signed, "/S")
	for _, program := range []string{signed, w.path("Local/Programs/Tuber/tuber-app.exe"), w.path("Local/Programs/Tuber/uninstall.exe")} {
		if err := verify(program); err != nil {
			t.Errorf("%s: %v", filepath.Base(program), err)
		}
	}
	b, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	put(t, signed, string(b))
	if verify(signed) == nil {
		t.Error("a changed installer verifies")
	}
	if verify(file(setup)) == nil {
		t.Error("an unsigned installer verifies")
	}
	w.uninstall("/S")
}
