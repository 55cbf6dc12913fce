package desk

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
)

func open(t *testing.T, dir string) *Desk {
	t.Helper()
	d, err := Open(Options{Dir: dir, Engine: filepath.Join(dir, "engine"), ID: "io.github.tubercdn.tuber", Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var some = tuber.AppSettings{
	StartHidden: true, Language: "de", Agreed: []tuber.PublicKey{{1}, {2}},
	Hosting: tuber.HostSetup{Folder: "/srv/videos", Uplink: 10e6},
}

func TestSettingsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "app")
	d := open(t, dir)
	if got := d.Settings(); !reflect.DeepEqual(got, tuber.AppSettings{}) || d.Trouble() != "" {
		t.Errorf("at first: got %+v, %q, want the usual ones", got, d.Trouble())
	}
	if err := d.SetSettings(some); err != nil {
		t.Fatal(err)
	}
	d = open(t, dir)
	if got := d.Settings(); !reflect.DeepEqual(got, some) || d.Trouble() != "" {
		t.Errorf("got %+v, %q, want %+v", got, d.Trouble(), some)
	}
	if info, err := os.Stat(filepath.Join(dir, "app.json")); err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("got %v, %v, want mode 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*new*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

func TestDamagedSettingsAreKeptAside(t *testing.T) {
	for name, text := range map[string]string{
		"cut short": `{"startHidden": tr`, "empty": "", "zeros": strings.Repeat("\x00", 100), "another kind": `[1, 2]`,
		"a wrong type": `{"quiet": "yes"}`, "two files": `{} {}`, "enormous": `{"language": "` + strings.Repeat("x", maxSettings) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "app.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			d := open(t, dir)
			if got := d.Settings(); !reflect.DeepEqual(got, tuber.AppSettings{}) {
				t.Errorf("got %+v, want the usual ones", got)
			}
			aside, _ := filepath.Glob(path + ".damaged-*")
			if len(aside) != 1 || !strings.Contains(d.Trouble(), aside[0]) {
				t.Fatalf("kept aside: %q, said: %q", aside, d.Trouble())
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || string(kept) != text {
				t.Errorf("what is kept aside differs: %v", err)
			}
			if err := d.SetSettings(some); err != nil {
				t.Error(err)
			}
			if d = open(t, dir); !reflect.DeepEqual(d.Settings(), some) || d.Trouble() != "" {
				t.Errorf("afterwards: got %+v, %q", d.Settings(), d.Trouble())
			}
		})
	}
}

// What cannot be read is not replaced: a folder in its place stands for it.
func TestUnreadSettingsAreNotReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "app.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	if !strings.Contains(d.Trouble(), "cannot be read") {
		t.Errorf("said %q", d.Trouble())
	}
	if err := d.SetSettings(some); err == nil {
		t.Error("settings were written over what could not be read")
	}
}

func TestSettingsThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "app")
	d := open(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := d.SetSettings(some); err == nil || !strings.Contains(err.Error(), "settings") {
		t.Errorf("got %v, want what failed", err)
	}
	if got := d.Settings(); !reflect.DeepEqual(got, tuber.AppSettings{}) {
		t.Errorf("got %+v: in force, but not kept", got)
	}
	d.file.path = filepath.Join(t.TempDir(), "app.json")
	if err := d.SetSettings(tuber.AppSettings{Language: strings.Repeat("x", maxSettings)}); err == nil {
		t.Error("a file was written that would not be read")
	}
}
