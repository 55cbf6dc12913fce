package planner

import (
	"testing"
	"time"

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
		{"the middle one fits", 2_200_000, low, 1_950_000},
		{"nothing more fits", 1_000_000, low, 760_000},
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

// rateOf is what the plan grants the player of a viewer for a content.
func rateOf(plan tuber.Plan, viewer tuber.PeerID, content tuber.ContentID) tuber.BitsPerSecond {
	for _, g := range plan.Peers[viewer].Grants {
		if g.Content == content {
			return g.Rate
		}
	}
	return 0
}

// A line that is full makes room for who joins: those who receive the most come
// down, the newest of them first, and no more of them than it takes.
func TestThoseAtTheTopMakeRoom(t *testing.T) {
	low, mid, high := testContent("low", 4, 300_000), testContent("mid", 4, 800_000), testContent("high", 4, 1_500_000)
	st := swarm(3_400_000, high, nil, repeat(3, 0))
	st.Contents = []tuber.Content{low, mid, high}
	old, young, joins := &st.Peers[1], &st.Peers[2], &st.Peers[3]
	old.Since, young.Since, joins.Since = epochStart.Add(-time.Hour), epochStart.Add(-time.Minute), epochStart
	joins.Wants = []tuber.ContentID{low.ID}
	first := MakePlan(st, epochStart)
	st.Previous = &first
	plan := MakePlan(st, epochStart.Add(time.Second))
	if got := rateOf(plan, young.ID, high.ID); got != 1_280_000 {
		t.Errorf("the newest at the top is granted %v, want the middle one and a little", got)
	}
	if got := rateOf(plan, old.ID, high.ID); got != 0 {
		t.Errorf("the other is held back to %v, though one is enough", got)
	}
	if got := rateOf(plan, joins.ID, low.ID); got != 760_000 {
		t.Errorf("who joins is granted %v, want its own rendition and a little less than the next", got)
	}
}

// What a viewer has no grant for yet is not open to it either.
func TestGrantForWhatIsNotWantedYet(t *testing.T) {
	low, high := testContent("low", 4, 300_000), testContent("high", 4, 1_500_000)
	for _, tt := range []struct {
		name   string
		origin tuber.BitsPerSecond
		wants  []tuber.ContentID
		want   tuber.BitsPerSecond
	}{
		{"nothing yet, all fits", 20_000_000, nil, 0},
		{"nothing yet, the lower one fits", 1_200_000, nil, 1_950_000},
		{"nothing yet, nothing fits", 200_000, nil, 480_000},
		{"the lower one, and the higher does not fit", 1_200_000, []tuber.ContentID{low.ID}, 480_000},
		{"the higher one", 20_000_000, []tuber.ContentID{high.ID}, 0},
	} {
		st := swarm(tt.origin, low, nil, repeat(1, 0))
		st.Contents = []tuber.Content{low, high}
		st.Peers[1].Wants = tt.wants
		if got := rateOf(MakePlan(st, epochStart), st.Peers[1].ID, tuber.ContentID{}); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
