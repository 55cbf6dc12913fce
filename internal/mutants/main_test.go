package main

import "testing"

// Each mutant still fits the code that it changes.
func TestMutantsFit(t *testing.T) {
	for _, m := range mutants {
		if _, err := m.apply("../.."); err != nil {
			t.Errorf("%s without %s: %v", m.story, m.mechanism, err)
		}
	}
}
