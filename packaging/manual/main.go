// Command manual writes what documents tuber's commands outside of --help: the
// manual page tuber.1 and completions for bash, zsh and fish. All of it follows
// from internal/config, so it cannot say another thing than the program.
//
//	manual VERSION DIR
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tubercdn/tuber/internal/config"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "manual: write manual VERSION DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

func run(version, dir string) error {
	tuber, err := config.Describe()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"tuber.1":    manPage(tuber, version),
		"tuber.bash": bash(tuber),
		"_tuber":     zsh(tuber),
		"tuber.fish": fish(tuber),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// walk calls f for every command below d, with the words that lead to it.
func walk(d config.Described, words []string, f func(words []string, d config.Described)) {
	for _, c := range d.Commands {
		at := append(words[:len(words):len(words)], c.Name)
		f(at, c)
		walk(c, at, f)
	}
}

// names are the ways in which a flag is written.
func names(f config.DescribedFlag) []string {
	if f.Negatable {
		return []string{"--" + f.Name, "--no-" + f.Name}
	}
	return []string{"--" + f.Name}
}
