package planner

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	changes  int // of them, as changes
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
	told   *tuber.PeerPlan     // last, in this session
}

func (p *resident) Send(_ context.Context, m wire.Message) error {
	_, change := m.(wire.PlanChange)
	m, err := wire.WholePlan(m, &p.told)
	if err != nil {
		p.town.t.Errorf("%s: %v", p.id, err)
		return err
	}
	if change {
		p.town.changes++
		if !p.join.Changes {
			p.town.t.Errorf("%s does not understand changes and was sent one", p.id)
		}
	}
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
	p.join = wire.Join{Key: key, Role: role, Means: tuber.Means{Upload: upload, Relay: true, Reach: tuber.ReachPunchable}, Changes: true}
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
	p.gone, p.told = false, nil
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
		w.returns()
		for _, id := range slices.SortedFunc(maps.Keys(w.people), comparePeers) {
			w.people[id].says(wire.Alive{})
		}
		w.r.expire(w.now)
		w.plans()
	}
	w.returns()
	w.plans()
}

// returns lets those come back whom the planner sent to another cell.
func (w *town) returns() {
	for _, id := range slices.SortedFunc(maps.Keys(w.people), comparePeers) {
		if p := w.people[id]; p.gone {
			p.enters()
		}
	}
}

func comparePeers(a, b tuber.PeerID) int { return slices.Compare(a[:], b[:]) }

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
