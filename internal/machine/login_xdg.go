//go:build !windows && !darwin

package machine

import (
	"os"
	"path/filepath"
	"strings"
)

// entry is a file of the Desktop Application Autostart Specification.
func (l Login) entry() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "autostart", l.ID+".desktop"), err
}

func (l Login) on() (bool, error) {
	path, err := l.entry()
	if err != nil {
		return false, err
	}
	text, err := readFile(path)
	if err != nil || text == "" {
		return false, err
	}
	for line := range strings.Lines(text) {
		switch strings.ReplaceAll(strings.TrimSpace(line), " ", "") {
		case "Hidden=true", "X-GNOME-Autostart-enabled=false": // switched off by the desktop's own settings
			return false, nil
		}
	}
	return true, nil
}

func (l Login) add() error {
	path, err := l.entry()
	if err != nil {
		return err
	}
	var exec []string
	for _, arg := range l.Args {
		exec = append(exec, quoteExec(arg))
	}
	return writeFile(path, `[Desktop Entry]
Type=Application
Name=`+l.Name+`
Exec=`+strings.Join(exec, " ")+`
Icon=`+l.ID+`
Terminal=false
NoDisplay=true
X-GNOME-Autostart-enabled=true
`)
}

func (l Login) remove() error {
	path, err := l.entry()
	if err != nil {
		return err
	}
	return removeFile(path)
}

// quoteExec writes an argument of Exec by the rules of the Desktop Entry
// Specification: quoted, then escaped once more as every string value is.
func quoteExec(arg string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(arg)
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`, `%`, `%%`).Replace(`"` + quoted + `"`)
}
