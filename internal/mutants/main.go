// Mutants tells the stories of internal/swarmtest with a mechanism switched off
// each time, and fails unless the story that is about it goes red. The files of
// the repository stay as they are: the changed ones are laid over them.
//
// Run it with `make mutants`; an argument picks the stories that contain it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if err := run(strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(pick string) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var alive []string
	fmt.Println("| story | without | |\n|---|---|---|")
	for _, m := range mutants {
		if !strings.Contains(m.story, pick) {
			continue
		}
		red, err := m.kill(dir)
		if err != nil {
			return fmt.Errorf("%s without %s: %w", m.story, m.without.name, err)
		}
		verdict := "red"
		if !red {
			verdict = "**green**"
			alive = append(alive, m.story)
		}
		fmt.Printf("| %s | %s | %s |\n", m.story, m.without.name, verdict)
	}
	if len(alive) > 0 {
		return fmt.Errorf("these stories are green without what they are about: %s", strings.Join(alive, ", "))
	}
	return nil
}

// rounds is how often a story is told: some faults show in most runs only.
const rounds = 2

// kill tells the story without its mechanism until it goes red.
func (m *mutant) kill(dir string) (red bool, err error) {
	overlay, err := m.without.overlay(dir)
	if err != nil {
		return false, err
	}
	program := filepath.Join(dir, "stories.test")
	if out, err := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", program, "./internal/swarmtest").CombinedOutput(); err != nil {
		return false, fmt.Errorf("it does not compile: %w\n%s", err, out)
	}
	name := "^TestStories$/^of_a_swarm$/^" + regexp.QuoteMeta(strings.ReplaceAll(m.story, " ", "_")) + "$"
	for range rounds {
		test := exec.Command(program, "-test.run", name, "-test.v")
		test.Dir = filepath.FromSlash("internal/swarmtest")
		out, err := test.CombinedOutput()
		var failed *exec.ExitError
		switch {
		case errors.As(err, &failed) && !strings.Contains(string(out), "void:") && !strings.Contains(string(out), "panic:"):
			return true, nil
		case errors.As(err, &failed):
			return false, fmt.Errorf("it failed before it could show anything:\n%s", out)
		case err != nil:
			return false, err
		case !strings.Contains(string(out), "--- PASS: TestStories/of_a_swarm/"):
			return false, errors.New("no such story was told")
		}
		for line := range strings.Lines(string(out)) {
			if _, seen, ok := strings.Cut(line, "_test.go:"); ok {
				fmt.Fprintf(os.Stderr, "%s without %s: %s", m.story, m.without.name, seen)
			}
		}
	}
	return false, nil
}

// overlay writes the changed file and what `go test -overlay` reads.
func (m *mechanism) overlay(dir string) (string, error) {
	text, err := m.apply(".")
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, b, 0o600)
}

// apply is the file without the mechanism.
func (m *mechanism) apply(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(b), m.old); n != 1 {
		return "", fmt.Errorf("%s has this %d times, not once: %q", m.file, n, m.old)
	}
	return strings.Replace(string(b), m.old, m.new, 1), nil
}
