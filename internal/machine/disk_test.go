package machine

import (
	"path/filepath"
	"testing"
)

func TestFreeDisk(t *testing.T) {
	dir := t.TempDir()
	here, err := FreeDisk(dir)
	if err != nil || here == 0 {
		t.Fatalf("got %d, %v", here, err)
	}
	if below, err := FreeDisk(filepath.Join(dir, "not", "there", "yet")); err != nil || below == 0 {
		t.Errorf("got %d, %v, want about %d", below, err, here)
	}
	if _, err := FreeDisk("a\x00b"); err == nil {
		t.Error("a folder that cannot be was looked at")
	}
}
