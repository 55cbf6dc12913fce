package origin

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestSiteKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "site.key")
	first, err := LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreateKey(path)
	if err != nil || !first.Equal(again) {
		t.Errorf("second start: got another key, or %v", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); runtime.GOOS != "windows" && got != 0o600 {
		t.Errorf("mode: got %04o want 0600", got)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("folder: got %d files (%v) want the key alone", len(entries), err)
	}
}

func TestSiteKeyOfManyStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.key")
	keys := make([]ed25519.PrivateKey, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = LoadOrCreateKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, k := range keys {
		if !keys[0].Equal(k) {
			t.Errorf("start %d has another key", i)
		}
	}
}

func TestSiteKeyIsRefused(t *testing.T) {
	good := filepath.Join(t.TempDir(), "site.key")
	if _, err := LoadOrCreateKey(good); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"group can read":    {string(text), 0o640, "chmod 600"},
		"world can read":    {string(text), 0o604, "chmod 600"},
		"group can write":   {string(text), 0o620, "chmod 600"},
		"empty":             {"", 0o600, "damaged"},
		"cut short":         {string(text[:len(text)-9]), 0o600, "damaged"},
		"another header":    {"x" + string(text), 0o600, "damaged"},
		"not base64url":     {keyHeader + "\n" + strings.Repeat("+", 43) + "\n", 0o600, "damaged"},
		"more than a key":   {string(text) + "more\n", 0o600, "damaged"},
		"far more":          {strings.Repeat("x", 1<<20), 0o600, "damaged"},
		"zeros after crash": {strings.Repeat("\x00", len(text)), 0o600, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && row.mode != 0o600 {
				return // there modes say nothing
			}
			path := filepath.Join(t.TempDir(), "site.key")
			if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, row.mode); err != nil {
				t.Fatal(err)
			}
			_, err := LoadOrCreateKey(path)
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v want an error that names %s and says %q", err, path, row.want)
			}
			if now, _ := os.ReadFile(path); string(now) != row.text {
				t.Error("the file was changed")
			}
		})
	}
	if _, err := LoadOrCreateKey(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: got %v", err)
	}
}
