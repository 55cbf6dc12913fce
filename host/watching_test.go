package host

import (
	"slices"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestWantsOutliveThePlanner(t *testing.T) {
	a, b := tuber.ContentID{1}, tuber.ContentID{2}
	var w wants
	for _, step := range []struct {
		name string
		now  []tuber.ContentID
		age  time.Duration
		want []tuber.ContentID
	}{
		{"a viewer wants one", []tuber.ContentID{a}, time.Hour, []tuber.ContentID{a}},
		{"the planner is stopped", nil, 0, []tuber.ContentID{a}},
		{"stopped for long", nil, 0, []tuber.ContentID{a}},
		{"a new planner knows nobody yet", nil, time.Second, []tuber.ContentID{a}},
		{"one rejoined and wants another", []tuber.ContentID{b}, 30 * time.Second, []tuber.ContentID{a, b}},
		{"all that are left rejoined", []tuber.ContentID{b}, rejoining, []tuber.ContentID{b}},
		{"nobody is left", nil, time.Hour, nil},
	} {
		w = w.next(step.now, step.age)
		if !slices.Equal(w.contents, step.want) {
			t.Errorf("%s: %v, want %v", step.name, w.contents, step.want)
		}
	}
}
