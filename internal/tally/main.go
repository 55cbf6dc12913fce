// Command tally adds up what the test runners wrote: streams of `go test -json`
// and TAP of `node --test`. It prints what failed and was skipped, ends with
// the line 'N passed, N failed, N skipped', and fails if anything failed, if
// nothing ran, or, with TUBER_REQUIRE=all, if anything was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type tally struct {
	passed, failed, skipped int
	words                   []string
	telling                 bool // of a test of node's that failed
}

func main() {
	var t tally
	for _, name := range os.Args[1:] {
		if err := t.read(name); err != nil {
			t.failed++
			t.words = append(t.words, fmt.Sprintf("FAIL %s: %v", name, err))
		}
	}
	for _, w := range t.words {
		fmt.Println(w)
	}
	strict := os.Getenv("TUBER_REQUIRE") == "all"
	if strict && t.skipped > 0 {
		fmt.Printf("TUBER_REQUIRE=all: %d skipped tests count as failures\n", t.skipped)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	if t.failed > 0 || t.passed == 0 || strict && t.skipped > 0 {
		os.Exit(1)
	}
}

func (t *tally) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	before := t.passed + t.failed + t.skipped
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	line := t.tap
	if strings.HasSuffix(name, ".json") {
		events := goEvents{tally: t, output: map[string][]string{}}
		line = events.line
	}
	for lines.Scan() {
		line(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if t.passed+t.failed+t.skipped == before {
		return fmt.Errorf("no test ran")
	}
	return nil
}

// goEvents reads `go test -json`; see `go doc test2json`.
type goEvents struct {
	*tally
	output map[string][]string
}

func (g *goEvents) line(text string) {
	var e struct{ Action, Package, Test, Output, ImportPath string }
	if json.Unmarshal([]byte(text), &e) != nil {
		return
	}
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "output":
		g.output[key] = append(g.output[key], e.Output)
	case e.Action == "build-output":
		g.words = append(g.words, strings.TrimRight(e.Output, "\n"))
	case e.Action == "fail":
		// A package fails with its tests; alone it failed to build or died.
		g.failed++
		g.words = append(g.words, "FAIL "+key, strings.Join(g.output[key], ""))
	case e.Test == "":
	case e.Action == "pass":
		g.passed++
		delete(g.output, key)
	case e.Action == "skip":
		g.skipped++
		g.words = append(g.words, "SKIP "+key, strings.Join(g.output[key], ""))
	}
}

// tap reads the TAP of node's test runner (subtests are indented). A file is a
// test of its own there; only what it holds counts, unless it failed as a whole.
// What it says of a failure, between lines of --- and ..., is passed on.
func (t *tally) tap(text string) {
	line := strings.TrimSpace(text)
	switch {
	case t.telling:
		t.words = append(t.words, text)
		t.telling = line != "..."
	case strings.HasPrefix(line, "not ok "):
		t.failed++
		t.words = append(t.words, "FAIL "+line)
		t.telling = true
	case strings.HasPrefix(line, "ok ") && strings.Contains(line, "# SKIP"):
		t.skipped++
		t.words = append(t.words, "SKIP "+line)
	case strings.HasPrefix(line, "ok "):
		t.passed++
	}
}
