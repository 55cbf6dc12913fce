package machine

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// The user's own Run key, and what the Task Manager keeps of entries that were
// switched off there: a first byte that is odd.
const (
	runKey      = `Software\Microsoft\Windows\CurrentVersion\Run`
	approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`
)

func (l Login) on() (bool, error) {
	text, err := value(runKey, l.Name, func(k registry.Key) (string, error) {
		s, _, err := k.GetStringValue(l.Name)
		return s, err
	})
	if err != nil || text == "" {
		return false, err
	}
	off, err := value(approvedKey, l.Name, func(k registry.Key) (bool, error) {
		b, _, err := k.GetBinaryValue(l.Name)
		return len(b) > 0 && b[0]&1 == 1, err
	})
	return !off, err
}

// value reads from a key of the user; what is not there is the zero value.
func value[T any](path, name string, read func(registry.Key) (T, error)) (out T, err error) {
	k, err := registry.OpenKey(registry.CURRENT_USER, path, registry.QUERY_VALUE)
	if err == nil {
		defer k.Close()
		out, err = read(k)
	}
	if errors.Is(err, registry.ErrNotExist) {
		err = nil
	}
	return out, err
}

func (l Login) add() error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer k.Close()
	var args []string
	for _, arg := range l.Args {
		args = append(args, windows.EscapeArg(arg))
	}
	if !strings.HasPrefix(args[0], `"`) {
		args[0] = `"` + args[0] + `"` // a path is quoted always
	}
	if err := k.SetStringValue(l.Name, strings.Join(args, " ")); err != nil {
		return err
	}
	return remove(approvedKey, l.Name)
}

func (l Login) remove() error {
	return errors.Join(remove(runKey, l.Name), remove(approvedKey, l.Name))
}

func remove(path, name string) error {
	k, err := registry.OpenKey(registry.CURRENT_USER, path, registry.SET_VALUE)
	if err == nil {
		defer k.Close()
		err = k.DeleteValue(name)
	}
	if errors.Is(err, registry.ErrNotExist) {
		err = nil
	}
	return err
}
