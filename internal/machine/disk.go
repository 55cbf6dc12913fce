package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FreeDisk is how many bytes this user may still write to the disk of folder,
// which need not be there yet.
func FreeDisk(folder string) (uint64, error) {
	at, err := filepath.Abs(folder)
	if err != nil {
		return 0, fmt.Errorf("look at the disk: %w", err)
	}
	for {
		_, err := os.Stat(at)
		if up := filepath.Dir(at); errors.Is(err, fs.ErrNotExist) && up != at {
			at = up
			continue
		}
		if err == nil {
			var free uint64
			if free, err = freeDisk(at); err == nil {
				return free, nil
			}
		}
		return 0, fmt.Errorf("look at the disk: %w", err)
	}
}
