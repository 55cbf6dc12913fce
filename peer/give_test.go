package peer

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// What a player waits for is asked for again once it was given up; what is looked out
// for stays as it is.
func TestNeed(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	v := ns.add("vic", tuber.RoleViewer)
	c := tuber.ContentID{1}
	s, err := v.swarm(ns.Site())
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	s.mu.Lock()
	s.wantsLocked(c).add(7, &want{due: later})
	s.mu.Unlock()
	if err := v.Need(ns.Site(), c, []tuber.ChunkNumber{7, 3}); err != nil {
		t.Fatal(err)
	}
	look := func() (seven, three *want, all int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w := s.wants[c]
		return w.m[7], w.m[3], len(w.m)
	}
	if seven, three, _ := look(); seven == nil || !seven.due.Equal(later) || three == nil {
		t.Errorf("got %+v and %+v, want the first as it was, and the second", seven, three)
	}
	many := make([]tuber.ChunkNumber, 2*maxWants)
	for i := range many {
		many[i] = tuber.ChunkNumber(i)
	}
	err = v.Need(ns.Site(), c, many)
	if _, _, all := look(); err != nil || all > maxWants {
		t.Errorf("%d are looked out for, want %d at most (%v)", all, maxWants, err)
	}
	if v.Need(tuber.PublicKey{9}, c, nil) == nil {
		t.Error("a swarm that it is not in")
	}
}
