// Command bundle makes web/dist from web/src with esbuild, and, with -tests DIR,
// the tests of web/test for Node in DIR. With -from DIR it takes DIR/src instead
// and writes DIR/dist, so that a test can bundle altered sources. Its output
// depends on the sources alone.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tubercdn/tuber/web/bundle/bundler"
)

func main() {
	tests := flag.String("tests", "", "write the tests, bundled for Node, into this folder instead")
	from := flag.String("from", "", "the folder that holds src (default: this module's web)")
	flag.Parse()
	if err := run(*from, *tests); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(dir, tests string) error {
	if dir == "" {
		dir = home()
	}
	if tests != "" {
		files, err := bundler.Tests(dir)
		return write(tests, files, err)
	}
	files, err := bundler.Browser(dir)
	return write(filepath.Join(dir, "dist"), files, err)
}

// home is web: go generate runs in it, everything else in the folder above.
func home() string {
	if _, err := os.Stat("src"); err != nil {
		return "web"
	}
	return "."
}

func write(out string, files map[string][]byte, err error) error {
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
