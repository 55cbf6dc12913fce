package planner

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tubercdn/tuber"
)

// whole reads the plans that everybody was told, of all cells, as one.
func (w *town) whole() view {
	st := State{Epoch: 5, Origin: w.origin, Contents: w.contents}
	plan := tuber.Plan{Peers: map[tuber.PeerID]*tuber.PeerPlan{}}
	for id, p := range w.people {
		peer := p.member.peer(w.now)
		st.Peers = append(st.Peers, peer)
		plan.Peers[id] = p.plan
		if p.plan == nil {
			plan.Peers[id] = &tuber.PeerPlan{}
		}
	}
	_, plan.Short = w.r.status()
	return readPlan(w.t, st, plan)
}

// check holds the cells together to what must be true of a plan, and each to its
// bound.
func (w *town) check() view {
	homes := map[tuber.PeerID]cellNumber{}
	for _, c := range w.r.all() {
		n := 0
		for id := range c.members {
			if other, twice := homes[id]; twice {
				w.t.Errorf("%s is in cells %d and %d", id, other, c.number)
			}
			homes[id] = c.number
			if id != w.origin {
				n++
			}
		}
		if n > w.r.cfg.MaxCell {
			w.t.Errorf("cell %d has %d members, at most %d", c.number, n, w.r.cfg.MaxCell)
		}
		for id, v := range c.visitors {
			if c.members[id] != nil || w.r.cell(v.home) == nil || w.r.cell(v.home).feeder != c.number {
				w.t.Errorf("%s of cell %d visits cell %d, which does not feed it", id, v.home, c.number)
			}
		}
	}
	if len(homes) != len(w.people) {
		w.t.Errorf("%d are in cells, %d are here", len(homes), len(w.people))
	}
	v := w.whole()
	v.checkBothSides(w.t)
	v.checkUplinks(w.t)
	v.checkLinks(w.t)
	w.checkFed(v)
	return v
}

// checkFed: who lacks something is listed.
func (w *town) checkFed(v view) {
	for _, c := range w.contents {
		unserved := 0
		for id, p := range w.people {
			if !slices.Contains(p.wants, c.ID) || p.join.Means.Reach == tuber.ReachNone {
				continue
			}
			for part := range tuber.Partition(c.K) {
				if !v.comes(w.t, spot{c.ID, part, id}) {
					unserved++
					break
				}
			}
		}
		at := slices.IndexFunc(v.plan.Short, func(s tuber.Shortage) bool { return s.Content == c.ID })
		if (unserved > 0) != (at >= 0) {
			w.t.Errorf("%d viewers are not served; short: %+v", unserved, v.plan.Short)
		}
	}
}

// comes tells whether a partition comes to somebody from the origin.
func (v view) comes(t reporter, s spot) bool {
	at := s
	for steps := 0; at.child != v.st.Origin; steps++ {
		parent, ok := v.parent[at]
		if !ok {
			return false
		}
		if steps > len(v.peers) {
			t.Fatalf("partition %d goes round in a circle above %s", s.p, s.child)
		}
		at.child = parent
	}
	return true
}

// copies is how often each content leaves the origin.
func (v view) copies(c tuber.Content) float64 {
	n := 0
	for s, parent := range v.parent {
		if s.content == c.ID && parent == v.st.Origin {
			n++
		}
	}
	return float64(n) / float64(c.K)
}

func TestCellsAreFedByEachOtherNotByTheOriginTwice(t *testing.T) {
	c := testContent("/live.m3u8", 4, 800e3)
	tests := map[string]struct {
		bound, boosters, viewers, cells int
		upload                          tuber.BitsPerSecond
	}{
		"one cell":                      {100, 2, 40, 1, 2e6},
		"two cells":                     {24, 2, 40, 2, 2e6},
		"ten cells":                     {24, 10, 200, 10, 2e6},
		"cells of six":                  {6, 3, 20, 4, 2e6},
		"without boosters":              {16, 0, 50, 4, 2e6},
		"a cell for one":                {16, 1, 16, 2, 2e6},
		"fewer boosters than cells":     {16, 1, 60, 5, 2e6},
		"more viewers than one can see": {40, 1, 400, 12, 2e6},
		"viewers who give nothing":      {16, 4, 60, 5, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, tt.bound, 20e6, c)
			for range tt.boosters {
				w.boosts(20e6)
			}
			for range tt.viewers {
				w.watches(tt.upload, c.ID)
				w.plans()
			}
			w.passes(70 * time.Second) // then nobody is new any more
			v := w.check()

			if got := v.copies(c); got != 1 {
				t.Errorf("the origin sends %.2f copies, want 1", got)
			}
			if len(v.plan.Short) != 0 {
				t.Errorf("short: %+v", v.plan.Short)
			}
			if got := len(w.r.all()); got != tt.cells {
				t.Errorf("%d cells, want %d", got, tt.cells)
			}
			told := w.told
			w.passes(time.Minute)
			if w.told != told {
				t.Errorf("%d plans were sent although nothing changed", w.told-told)
			}
		})
	}
}

// anyTown draws a planner with bounds, an origin and streams.
func anyTown(t *rapid.T) *town {
	var contents []tuber.Content
	for i := range rapid.IntRange(1, 2).Draw(t, "contents") {
		k := rapid.SampledFrom([]int{1, 4, 8}).Draw(t, "k")
		contents = append(contents, testContent(fmt.Sprint("/c", i), k, tuber.BitsPerSecond(rapid.IntRange(200e3, 2e6).Draw(t, "rate"))))
	}
	return newTown(t, rapid.IntRange(1, 20).Draw(t, "bound"), rapid.SampledFrom(someUplinks).Draw(t, "origin"), contents...)
}

func TestWhateverHappensCellsStaySound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := anyTown(t)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			w.happens(t)
			if rapid.Bool().Draw(t, "plans") {
				w.plans()
				w.check()
			}
		}
		w.plans()
		w.check()
		told := w.told
		w.r.replan(w.now)
		if w.told != told {
			t.Errorf("%d plans were sent although nothing happened", w.told-told)
		}
	})
}

// Cells and their boosters are not passed round for ever.
func TestWhateverHappensCellsComeToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := anyTown(t)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			w.happens(t)
		}
		w.passes(11 * time.Minute) // from then on nobody rises in rank by staying
		w.check()
		told := w.told
		w.passes(time.Minute)
		if w.told != told {
			t.Errorf("%d plans were sent although nothing happened", w.told-told)
		}
	})
}

// What a peer may have in its own cell and where it is fed is together no more
// than it may have; the outside that it has at home is none.
func TestLinksForTwoCellsAreNoMoreThanForOne(t *testing.T) {
	w := newTown(t, 1, 20e6)
	for _, role := range []tuber.Role{tuber.RoleViewer, tuber.RoleBooster} {
		for links := range 100 {
			w.made++
			p := w.joins(fmt.Sprint("peer", w.made), role, 1e6, func(p *resident) { p.join.Means.Links = links })
			if p.cell.number == firstCell {
				continue
			}
			alone, home, away := p.member.peer(w.now), p.cell.peerLocked(p.member, w.now), p.cell.visitorLocked(p.member, w.now)
			all := func(p Peer) int { active, standby := p.links(); return active + standby }
			switch fed := !slices.Contains(home.Avoid, outside); {
			case fed && all(home)+all(away) > all(alone), !fed && all(home) > all(alone):
				t.Errorf("%s with %d links: %d at home and %d away, fed from elsewhere: %v", role, all(alone), all(home), all(away), fed)
			case all(alone) >= 6 && (!fed || all(away) < 1):
				t.Errorf("%s with %d links cannot be fed from elsewhere", role, all(alone))
			}
		}
	}
}
