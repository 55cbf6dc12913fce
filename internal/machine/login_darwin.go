package machine

import (
	"os"
	"path/filepath"
)

// agent is the file of a launchd agent; launchd reads it at the next login.
func (l Login) agent() (string, error) {
	home, err := os.UserHomeDir()
	return filepath.Join(home, "Library", "LaunchAgents", l.ID+".plist"), err
}

func (l Login) on() (bool, error) {
	path, err := l.agent()
	if err != nil {
		return false, err
	}
	text, err := readFile(path)
	return text != "", err
}

func (l Login) add() error {
	path, err := l.agent()
	if err != nil {
		return err
	}
	text, err := l.agentText()
	if err != nil {
		return err
	}
	return writeFile(path, text)
}

func (l Login) remove() error {
	path, err := l.agent()
	if err != nil {
		return err
	}
	return removeFile(path)
}
