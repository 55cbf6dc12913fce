// Command licences prints the licences of all that is linked into Go programs:
// of Go itself, of each module, and of what Tuber embeds. Packages carry the
// text, as those licences ask.
//
//	licences PROGRAM...
//
// It is run in the module's folder: the texts come from the module cache.
package main

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// embedded are files of others in this repository, and where their licence is.
var embedded = map[string]string{"hls.js (in tuber demo)": "internal/demo/site/hls.LICENSE"}

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, programs []string) error {
	if len(programs) == 0 {
		return fmt.Errorf("name the programs")
	}
	modules := map[string]bool{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return err
		}
		for _, m := range info.Deps {
			modules[m.Path+"@"+m.Version] = true
		}
	}
	fmt.Fprintln(w, "Tuber is made of these works of others, under their licences.")
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go: %w", err)
	}
	if err := printTexts(w, "Go, the language and its library", strings.TrimSpace(string(root))); err != nil {
		return err
	}
	for _, module := range sorted(modules) {
		path, _, _ := strings.Cut(module, "@")
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
		if err != nil {
			return fmt.Errorf("find %s: %w", module, err)
		}
		if err := printTexts(w, module, strings.TrimSpace(string(dir))); err != nil {
			return err
		}
	}
	for _, name := range sorted(embedded) {
		if err := printFile(w, name, embedded[name]); err != nil {
			return err
		}
	}
	return nil
}

var licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-._].*)?$`)

// printTexts prints the licence files of a folder, and of what C code it brings along.
func printTexts(w io.Writer, name, dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := 0
	for _, f := range files {
		if f.Type().IsRegular() && licenceName.MatchString(f.Name()) {
			found++
			if err := printFile(w, name, filepath.Join(dir, f.Name())); err != nil {
				return err
			}
		}
	}
	// GLFW's Go binding carries GLFW itself one folder below.
	below, err := filepath.Glob(filepath.Join(dir, "glfw", "LICEN[CS]E*"))
	if err != nil {
		return err
	}
	for _, path := range below {
		found++
		if err := printFile(w, name+" (GLFW)", path); err != nil {
			return err
		}
	}
	if found == 0 {
		return fmt.Errorf("%s: no licence in %s", name, dir)
	}
	return nil
}

func printFile(w io.Writer, name, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s\n%s\n%s\n\n%s\n", strings.Repeat("=", 78), name, strings.Repeat("=", 78), strings.TrimSpace(string(text)))
	return err
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
