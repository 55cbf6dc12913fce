// Command bundle makes web/dist from web/src with esbuild, and, with -tests,
// web/.tests from web/test for Node. Its output depends on the sources alone.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tubercdn/tuber/web/bundle/bundler"
)

func main() {
	tests := flag.Bool("tests", false, "bundle the tests for Node instead")
	dir := flag.String("dir", "", "the web folder (default: here, or ./web)")
	flag.Parse()
	if err := run(*dir, *tests); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(dir string, tests bool) error {
	if dir == "" {
		dir = "."
		if _, err := os.Stat(filepath.Join(dir, "src")); err != nil {
			dir = "web"
		}
	}
	files, out, err := bundle(dir, tests)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", out, err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
	}
	return nil
}

func bundle(dir string, tests bool) (map[string][]byte, string, error) {
	if tests {
		files, err := bundler.Tests(dir)
		return files, filepath.Join(dir, ".tests"), err
	}
	files, err := bundler.Browser(dir)
	return files, filepath.Join(dir, "dist"), err
}
