package tests

import (
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// These need nothing but Go and a shell, and are part of make test.

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestOneNameEverywhere: the desktop finds a program by its id in many places,
// and an uninstaller removes what bears it.
func TestOneNameEverywhere(t *testing.T) {
	m := regexp.MustCompile(`const ID = "([^"]+)"`).FindStringSubmatch(read(t, "app", "app.go"))
	if m == nil {
		t.Fatal("app.ID is not where it was")
	}
	for _, path := range []string{
		"packaging/linux/" + m[1] + ".desktop", "packaging/linux/" + m[1] + ".metainfo.xml.in", "packaging/linux/uninstall.sh",
		"packaging/windows/tuber.nsi", "packaging/macos/Info.plist.in",
	} {
		if !strings.Contains(read(t, path), m[1]) {
			t.Errorf("%s lacks %s", path, m[1])
		}
	}
}

// TestBundleIsLaidOut makes Tuber.app without its program, which only a Mac can build.
func TestBundleIsLaidOut(t *testing.T) {
	dist := t.TempDir()
	bundle := func(version string, args ...string) (string, error) {
		cmd := exec.Command("packaging/macos/bundle.sh", args...)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "VERSION="+version, "DIST="+dist)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := bundle("9.8.7-rc1", "--layout"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var files []string
	err := filepath.WalkDir(filepath.Join(dist, "Tuber.app"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dist, path)
			files = append(files, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Tuber.app/Contents/Info.plist", "Tuber.app/Contents/PkgInfo", "Tuber.app/Contents/Resources/LICENSE", "Tuber.app/Contents/Resources/tuber.icns"}
	if !slices.Equal(files, want) {
		t.Errorf("the bundle holds %q, want %q", files, want)
	}
	f, err := os.Open(filepath.Join(dist, want[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plist := keys(t, f)
	for key, want := range map[string]string{
		"CFBundleExecutable": "tuber-app", "CFBundleShortVersionString": "9.8.7", "CFBundleVersion": "9.8.7",
		"CFBundleURLSchemes": "tuber", "CFBundleIconFile": "tuber.icns", "LSUIElement": "true", "CFBundlePackageType": "APPL",
	} {
		if plist[key] != want {
			t.Errorf("Info.plist: %s is %q, want %q", key, plist[key], want)
		}
	}
	for _, bad := range [][]string{{"9.8", "--layout"}, {"9.8.7", "--help"}, {"9.8.7&x", "--layout"}} {
		if out, err := bundle(bad[0], bad[1]); err == nil {
			t.Errorf("bundle.sh accepts %q:\n%s", bad, out)
		}
	}
}

// TestFlagsOfTheAppAreDocumented: its manual and completions are written by hand.
func TestFlagsOfTheAppAreDocumented(t *testing.T) {
	const at = "packaging/linux/"
	flags := []string{"help"}
	for _, m := range regexp.MustCompile(`f\.\w+Var\(&o\.\w+, "([a-z-]+)"`).FindAllStringSubmatch(read(t, "cmd", "tuber-app", "options.go"), -1) {
		flags = append(flags, m[1])
		if man := `\-\-` + strings.ReplaceAll(m[1], "-", `\-`); !strings.Contains(read(t, at+"tuber-app.1.in"), man) {
			t.Errorf("the manual page lacks --%s", m[1])
		}
	}
	if len(flags) < 7 {
		t.Fatalf("the flags of options.go are %q", flags)
	}
	for _, flag := range flags {
		for file, want := range map[string]string{
			"tuber-app.bash": "--" + flag, "_tuber-app": "'--" + flag + "[", "tuber-app.fish": "-l " + flag + " ",
		} {
			if !strings.Contains(read(t, at+"completions", file), want) {
				t.Errorf("%s lacks --%s", file, flag)
			}
		}
	}
	for typed, want := range map[string]string{"--hi": "--hidden", "--ver": "--verbose\n--version", "tuber:": ""} {
		out, err := exec.Command("bash", "-c", `source "$1"; COMP_WORDS=(tuber-app "$2"); COMP_CWORD=1; _tuber_app; printf '%s\n' "${COMPREPLY[@]}"`,
			"bash", "../linux/completions/tuber-app.bash", typed).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("bash completes %q to %q, %v, want %q", typed, got, err, want)
		}
	}
}

// TestEveryPackageHasATarget: what builds a package is run by one make target.
func TestEveryPackageHasATarget(t *testing.T) {
	for target, script := range map[string]string{
		"package-linux": "packaging/linux/build.sh", "package-windows": "packaging/windows/build.sh",
		"package-macos": "packaging/macos/bundle.sh", "package-headless": "packaging/headless.sh", "release": "packaging/release.sh",
	} {
		cmd := exec.Command("make", "--dry-run", target)
		cmd.Dir = filepath.Join("..", "..")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), script) {
			t.Errorf("make %s: got %q, %v, want %s", target, out, err, script)
		}
		if !strings.Contains(read(t, "Makefile"), "\n"+target+": ## ") || !strings.Contains(read(t, "packaging", "README.md"), "| `"+target) {
			t.Errorf("%s is in no table", target)
		}
	}
}

// keys reads a property list: each key with the first text or truth behind it.
func keys(t *testing.T, r io.Reader) map[string]string {
	t.Helper()
	all := map[string]string{}
	key, in := "", ""
	for d := xml.NewDecoder(r); ; {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			in = v.Name.Local
			if in == "true" || in == "false" {
				all[key] = in
			}
		case xml.CharData:
			text := strings.TrimSpace(string(v))
			if in == "key" && text != "" {
				key = text
			} else if in == "string" && text != "" && all[key] == "" {
				all[key] = text
			}
		}
	}
}

// TestScriptsAreShell: no script ends for its syntax alone.
func TestScriptsAreShell(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("..", "*", "*.sh"))
	if err != nil || len(scripts) < 6 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, script := range scripts {
		if out, err := exec.Command("bash", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", script, out)
		}
	}
}
