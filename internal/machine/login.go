package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Login starts a program when its user logs in.
type Login struct {
	ID   string   // of the program, such as io.github.tubercdn.tuber
	Name string   // as people know it
	Args []string // of the start, the program first, by its whole path
}

// On tells whether the program is started at login.
func (l Login) On() (bool, error) { return l.on() }

// Set turns it on or off.
func (l Login) Set(on bool) error {
	var err error
	if on {
		err = l.add()
	} else {
		err = l.remove()
	}
	if err != nil {
		return fmt.Errorf("change what starts at login: %w", err)
	}
	return nil
}

const maxLoginFile = 64 << 10 // bytes

// readFile reads what of it is there, empty if nothing.
func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxLoginFile) {
		err = fmt.Errorf("%s is not what this program wrote", path)
	}
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(path)
	return string(b), err
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
