package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pelletier/go-toml/v2"
)

// maxFile bounds the settings file in bytes.
const maxFile = 1 << 20

// file is the settings file as a source of flags.
type file struct {
	path   string
	tables map[string]any
}

// readFile reads the file that --config or the environment names, or the one
// in the usual place if there is one.
func readFile(args []string) (*file, error) {
	path, named := configPath(args)
	if !named {
		usual, err := defaultFile()
		if err != nil {
			return &file{}, nil // there is none, which is fine
		}
		path = usual
	}
	f := &file{path: path}
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("--config: read %s: %w", path, err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("--config: %s is over %d bytes; that is no settings file", path, maxFile)
	}
	if err := toml.Unmarshal(b, &f.tables); err != nil {
		return nil, fmt.Errorf("--config: %s: %s", path, tomlSentence(err))
	}
	return f, nil
}

func tomlSentence(err error) string {
	var d *toml.DecodeError
	if !errors.As(err, &d) {
		return err.Error()
	}
	row, column := d.Position()
	return fmt.Sprintf("line %d, column %d: %s", row, column, strings.TrimPrefix(d.Error(), "toml: "))
}

// configPath finds --config before the arguments are parsed, because the file
// takes part in parsing them.
func configPath(args []string) (string, bool) {
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v, true
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1], true
		}
	}
	return os.LookupEnv("TUBER_CONFIG")
}

// Resolve is asked for each flag that the command line does not set.
func (f *file) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if inEnvironment(flag) || flag.Name == "config" {
		return nil, nil
	}
	at := f.tables
	for _, word := range strings.Fields(commandName(parent.Node())) {
		at, _ = at[word].(map[string]any)
	}
	v, ok := at[flag.Name]
	if !ok {
		return nil, nil
	}
	switch v := v.(type) {
	case string, bool, []any:
		return v, nil
	case int64, float64:
		return fmt.Sprint(v), nil
	}
	return nil, fmt.Errorf("%s: %s is neither text, number, true, false nor a list", f.path, flag.Name)
}

// Validate refuses keys and tables that no command knows.
func (f *file) Validate(app *kong.Application) error {
	return f.validate(app.Node, f.tables, "")
}

func (f *file) validate(n *kong.Node, table map[string]any, name string) error {
	known := map[string]bool{}
	for _, flag := range n.Flags {
		known[flag.Name] = flag.Name != "help" && flag.Name != "config"
	}
	children := map[string]*kong.Node{}
	for _, child := range n.Children {
		children[child.Name] = child
	}
	for key, v := range table {
		sub, isTable := v.(map[string]any)
		child := children[key]
		switch {
		case isTable && child != nil:
			if err := f.validate(child, sub, name+key+"."); err != nil {
				return err
			}
		case isTable:
			return fmt.Errorf("%s: no command is called %s%s; take the table out or correct its name", f.path, name, key)
		case !known[key]:
			return fmt.Errorf("%s: no setting is called %s%s; take it out or correct its name", f.path, name, key)
		}
	}
	return nil
}
