package main

import (
	"slices"
	"strings"
	"testing"
)

// What node says of a failed test is passed on, and nothing of it is counted.
func TestTAPFailureIsTold(t *testing.T) {
	var got tally
	for line := range strings.Lines(`ok 1 - sound
  ---
  duration_ms: 1
  ...
not ok 2 - broken
  ---
  error: |-
    not within 60 s
    ok 3 - is part of the message
  ...
ok 3 - left out # SKIP
`) {
		got.tap(strings.TrimRight(line, "\n"))
	}
	if got.passed != 1 || got.failed != 1 || got.skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped; want one each", got.passed, got.failed, got.skipped)
	}
	if !slices.Contains(got.words, "    not within 60 s") || slices.Contains(got.words, "  duration_ms: 1") {
		t.Errorf("told %q", got.words)
	}
}
