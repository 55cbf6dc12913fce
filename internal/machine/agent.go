package machine

import (
	"encoding/xml"
	"strings"
)

// agentText is the property list of a launchd agent that starts the program at
// login. Nothing of it is macOS' own, so it is looked at everywhere.
func (l Login) agentText() (string, error) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
`)
	text := func(indent, s string) error {
		b.WriteString(indent + "<string>")
		err := xml.EscapeText(&b, []byte(s))
		b.WriteString("</string>\n")
		return err
	}
	if err := text("  ", l.ID); err != nil {
		return "", err
	}
	b.WriteString("  <key>ProgramArguments</key>\n  <array>\n")
	for _, arg := range l.Args {
		if err := text("    ", arg); err != nil {
			return "", err
		}
	}
	b.WriteString("  </array>\n  <key>RunAtLoad</key>\n  <true/>\n</dict>\n</plist>\n")
	return b.String(), nil
}
