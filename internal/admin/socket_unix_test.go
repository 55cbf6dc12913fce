//go:build !windows

package admin

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSocketModes(t *testing.T) {
	dir, err := os.MkdirTemp("", "admin") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("got %v, %v, want a socket of mode 0600", info.Mode(), err)
	}
	if _, err := Listen(filepath.Join(dir, strings.Repeat("long", 40))); err == nil || !strings.Contains(err.Error(), "--state") {
		t.Errorf("a long path: got %v, want what to change", err)
	}
}
