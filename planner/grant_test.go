package planner

import (
	"testing"

	"github.com/tubercdn/tuber"
)

// Three renditions, two viewers without an upload of their own: what they are
// granted is told by the line of the origin alone.
func TestGrantsMoveViewers(t *testing.T) {
	low, mid, high := testContent("low", 4, 300_000), testContent("mid", 4, 800_000), testContent("high", 4, 1_500_000)
	for _, tt := range []struct {
		name   string
		origin tuber.BitsPerSecond
		plays  tuber.Content
		want   tuber.BitsPerSecond // the least that is granted; 0 if nothing is
	}{
		{"all fit, from the lowest", 20_000_000, low, 0},
		{"the highest is never held back where it fits", 4_000_000, high, 0},
		{"the middle one fits", 2_200_000, low, 1_600_000},
		{"nothing more fits", 1_000_000, low, 480_000},
		{"short of the one it plays", 2_000_000, high, 1_280_000},
		{"short of the lowest", 150_000, low, 0},
	} {
		st := swarm(tt.origin, tt.plays, nil, repeat(2, 0))
		st.Contents = []tuber.Content{low, mid, high}
		plan := MakePlan(st, epochStart)
		var got tuber.BitsPerSecond
		for _, p := range st.Peers[1:] {
			for _, g := range plan.Peers[p.ID].Grants {
				if got == 0 || g.Rate < got {
					got = g.Rate
				}
			}
		}
		if got != tt.want {
			t.Errorf("%s: got a grant of %d bit/s, want %d", tt.name, got, tt.want)
		}
	}
}
