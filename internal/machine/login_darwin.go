package machine

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
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
	var args strings.Builder
	for _, arg := range l.Args {
		args.WriteString("    <string>")
		if err := xml.EscapeText(&args, []byte(arg)); err != nil {
			return err
		}
		args.WriteString("</string>\n")
	}
	return writeFile(path, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>`+l.ID+`</string>
  <key>ProgramArguments</key>
  <array>
`+args.String()+`  </array>
  <key>RunAtLoad</key>
  <true/>
</dict>
</plist>
`)
}

func (l Login) remove() error {
	path, err := l.agent()
	if err != nil {
		return err
	}
	return removeFile(path)
}
