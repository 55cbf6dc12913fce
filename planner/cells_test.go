package planner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// town is a root with its cells, and people who do as they are told.
type town struct {
	t        reporter
	r        *root
	now      time.Time
	contents []tuber.Content
	people   map[tuber.PeerID]*resident
	origin   tuber.PeerID
	made     int
	told     int // plans that were sent
}

// resident is one peer's end of its session, without a network.
type resident struct {
	town   *town
	join   wire.Join
	id     tuber.PeerID
	wants  []tuber.ContentID
	record tuber.BoosterRecord
	cell   *cell
	member *member
	plan   *tuber.PeerPlan     // as a peer keeps it: the newest
	learnt tuber.BitsPerSecond // what it is trusted with from the start; 0 leaves that to the planner
	gone   bool                // its session was ended by the planner
	heard  []wire.Message      // but plans
}

func (p *resident) Send(_ context.Context, m wire.Message) error {
	if pl, ok := m.(wire.Plan); ok {
		p.town.told++
		p.oneSourceEach(&pl.PeerPlan)
		if p.plan == nil || pl.Newer(p.plan) {
			p.plan = &pl.PeerPlan
		}
		return nil
	}
	p.heard = append(p.heard, m)
	return nil
}

// oneSourceEach: not even in passing is anybody told two senders of one thing.
func (p *resident) oneSourceEach(pp *tuber.PeerPlan) {
	had := map[tuber.ContentID]tuber.Partitions{}
	for _, s := range pp.Sources {
		if !s.Standby {
			if twice := had[s.Content] & s.Partitions; twice != 0 {
				p.town.t.Errorf("%s is told two senders of partitions %b", p.id, twice)
			}
			had[s.Content] |= s.Partitions
		}
	}
}

func (p *resident) Receive(ctx context.Context) (wire.Message, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (p *resident) Close() error { return nil }

func newTown(t reporter, bound int, upload tuber.BitsPerSecond, contents ...tuber.Content) *town {
	w := &town{t: t, now: epochStart, contents: contents, people: map[tuber.PeerID]*resident{}, origin: tuber.PublicKeyOf(testKey("origin")).PeerID()}
	w.begins(5, bound)
	w.joins("origin", tuber.RoleOrigin, upload)
	return w
}

// begins has a planner that knows nobody.
func (w *town) begins(epoch tuber.Epoch, bound int) {
	w.r = New(Config{Epoch: epoch, Origin: w.origin, MaxCell: bound, Now: func() time.Time { return w.now }}).root
	w.r.setContents(w.contents)
}

// joins lets somebody new in.
func (w *town) joins(name string, role tuber.Role, upload tuber.BitsPerSecond, change ...func(*resident)) *resident {
	key := tuber.PublicKeyOf(testKey(name))
	p := &resident{town: w, id: key.PeerID(), record: tuber.BoosterRecord{Upload: upload}}
	p.join = wire.Join{Key: key, Role: role, Means: tuber.Means{Upload: upload, Relay: true, Reach: tuber.ReachPunchable}}
	if role != tuber.RoleViewer {
		p.join.Means.Reach = tuber.ReachDialable
	}
	for _, f := range change {
		f(p)
	}
	p.enters()
	return p
}

func (p *resident) enters() {
	w := p.town
	if p.plan != nil {
		p.join.Plan = p.plan
	}
	p.gone = false
	c, m, refused := w.r.enter(arrival{join: p.join, conn: p, cancel: func(error) { p.gone = true }, record: p.record})
	if refused != nil {
		w.t.Fatalf("%s is refused: %v", p.join.Role, refused.Sentence)
	}
	p.cell, p.member, p.gone = c, m, false
	if p.learnt > 0 {
		m.ledger.learnt = p.learnt
	}
	w.people[p.id] = p
	if p.join.Role == tuber.RoleViewer {
		p.says(wire.Want{Contents: p.wants})
	}
}

func (p *resident) says(m wire.Message) {
	p.cell.hear(p.member, p, m)
	p.town.r.post(p.cell)
}

func (p *resident) leaves() {
	p.cell.leave(p.member, p)
	p.town.r.post(p.cell)
	delete(p.town.people, p.id)
}

// watches lets a viewer in.
func (w *town) watches(upload tuber.BitsPerSecond, wants ...tuber.ContentID) *resident {
	w.made++
	return w.joins(fmt.Sprint("viewer", w.made), tuber.RoleViewer, upload, func(p *resident) { p.wants = wants })
}

func (w *town) boosts(upload tuber.BitsPerSecond) *resident {
	w.made++
	return w.joins(fmt.Sprint("booster", w.made), tuber.RoleBooster, upload)
}

// plans lets the planner do what it has to, as Run does.
func (w *town) plans() {
	for range 20 {
		if !slices.ContainsFunc(w.r.all(), (*cell).isStale) {
			return
		}
		w.now = w.now.Add(200 * time.Millisecond)
		w.r.replan(w.now)
	}
	w.t.Fatalf("the cells do not come to rest")
}

// passes lets time go by, with everybody alive; who was sent away comes back.
func (w *town) passes(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(tickEvery)
		for _, id := range slices.SortedFunc(maps.Keys(w.people), comparePeers) {
			p := w.people[id]
			if p.gone {
				p.enters()
			}
			p.says(wire.Alive{})
		}
		w.r.expire(w.now)
		w.plans()
	}
}

func comparePeers(a, b tuber.PeerID) int { return slices.Compare(a[:], b[:]) }

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

func TestWhateverHappensCellsStaySound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var contents []tuber.Content
		for i := range rapid.IntRange(1, 2).Draw(t, "contents") {
			k := rapid.SampledFrom([]int{1, 4, 8}).Draw(t, "k")
			contents = append(contents, testContent(fmt.Sprint("/c", i), k, tuber.BitsPerSecond(rapid.IntRange(200e3, 2e6).Draw(t, "rate"))))
		}
		w := newTown(t, rapid.IntRange(1, 20).Draw(t, "bound"), rapid.SampledFrom(someUplinks).Draw(t, "origin"), contents...)
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

// happens draws something that may happen to cells.
func (w *town) happens(t *rapid.T) {
	upload := func() tuber.BitsPerSecond { return rapid.SampledFrom(someUplinks).Draw(t, "upload") }
	some := func() *resident {
		ids := slices.SortedFunc(maps.Keys(w.people), comparePeers)
		return w.people[rapid.SampledFrom(ids).Draw(t, "who")]
	}
	switch what := rapid.IntRange(0, 11).Draw(t, "what"); {
	case what < 5:
		var wants []tuber.ContentID
		for _, c := range w.contents {
			if rapid.IntRange(0, 3).Draw(t, "wants") > 0 {
				wants = append(wants, c.ID)
			}
		}
		w.made++
		reach := rapid.SampledFrom(someReaches).Draw(t, "reach")
		links := rapid.SampledFrom([]int{0, 0, 4, 6, 12}).Draw(t, "links")
		up := upload()
		w.joins(fmt.Sprint("viewer", w.made), tuber.RoleViewer, up, func(p *resident) {
			p.wants, p.learnt, p.join.Means.Reach, p.join.Means.Links = wants, up, reach, links
		})
	case what < 7:
		w.boosts(upload())
	case what < 9:
		if p := some(); p.id != w.origin {
			p.leaves()
		}
	case what == 9: // the session breaks and is taken up again
		p := some()
		p.cell.exit(p.member, p)
		w.r.post(p.cell)
		w.plans()
		p.enters()
	case what == 10:
		w.passes(time.Duration(rapid.IntRange(1, 15).Draw(t, "seconds")) * time.Second)
	default:
		p := some()
		p.says(wire.Means{Means: tuber.Means{Upload: upload(), Relay: true, Reach: p.join.Means.Reach, Links: p.join.Means.Links}})
	}
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
