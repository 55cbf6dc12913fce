package main

import "testing"

// Each mutant still fits the code that it changes.
func TestMutantsFit(t *testing.T) {
	for _, m := range mutants {
		if _, err := m.without.apply("../.."); err != nil {
			t.Errorf("%s without %s: %v", m.story, m.without.name, err)
		}
	}
}
