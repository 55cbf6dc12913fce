package planner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// accuse lets somebody say that another sent a bad chunk.
func (g *guest) accuse(other *guest) {
	g.say(wire.Report{Report: tuber.Report{Interval: tuber.ReportEvery, Links: []tuber.LinkReport{
		{Peer: other.id, Bad: true, Blame: &tuber.Blame{Content: g.h.content.ID, Number: 7}},
	}}})
}

// crowd lets viewers without means come and want, each met by a plan of its own.
func (h *house) crowd(n int) []*guest {
	h.content.Rate = 400e3
	h.planner.SetContents([]tuber.Content{h.content})
	var out []*guest
	for i := range n {
		v := h.must("viewer"+string(rune('a'+i)), tuber.RoleViewer, func(j *wire.Join) { j.Means.Upload = 0 })
		v.want()
		passes(time.Second)
		out = append(out, v)
	}
	return out
}

func TestTwoViewersDoNotBanButThreeDo(t *testing.T) {
	story(t, func(h *house) {
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		vs := h.crowd(4)
		for _, v := range vs {
			if !v.knows(b) {
				t.Fatal("the booster is not introduced to everybody, so nothing is tested")
			}
		}
		vs[0].accuse(b)
		vs[0].accuse(b)
		passes(time.Second)
		if vs[0].knows(b) {
			t.Error("the pair is not split")
		}
		vs[1].accuse(b)
		passes(time.Second)
		if len(got[wire.Quarantine](vs[3])) != 0 || sources(vs[3].lastPlan(), b.id) == 0 {
			t.Error("two viewers' word banned a booster")
		}
		vs[2].accuse(b)
		<-b.done
		<-b.served
		if b.last() != wire.CodeQuarantine {
			t.Errorf("after the third: got %q, want %q", b.last(), wire.CodeQuarantine)
		}
		if _, err := h.join("bob", tuber.RoleBooster); refusal(err) != wire.CodeQuarantine {
			t.Errorf("joined again: %v", err)
		}
		if r, _, _ := h.book.Booster(b.id); r.Bad {
			t.Error("viewers' word alone barred a booster for good")
		}
		for _, g := range append(vs, o) {
			_ = g.hangUp()
		}
	})
}

// knows tells whether its last plan links it to another.
func (g *guest) knows(other *guest) bool {
	for _, in := range g.lastPlan().Introductions {
		if in.Peer == other.id {
			return true
		}
	}
	return false
}

// Viewers that came together, met by one plan, are one voice.
func TestThoseWhoCameTogetherAreOneVoice(t *testing.T) {
	story(t, func(h *house) {
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		var vs []*guest
		for _, n := range []string{"a", "b", "c", "d"} {
			v := h.must(n, tuber.RoleViewer)
			v.want()
			vs = append(vs, v)
		}
		passes(time.Second)
		for _, v := range vs {
			v.accuse(b)
		}
		passes(time.Second)
		if b.last() != "" {
			t.Errorf("the booster was told %q", b.last())
		}
		for _, g := range append(vs, o, b) {
			_ = g.hangUp()
		}
	})
}

// The word of one who is accused is worth nothing.
func TestTheAccusedAreNotBelieved(t *testing.T) {
	story(t, func(h *house) {
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		vs := h.crowd(3)
		h.planner.root.first().mu.Lock()
		h.planner.root.first().accusers[vs[0].id] = map[tuber.PeerID]tuber.Version{{7}: 1}
		h.planner.root.first().mu.Unlock()
		for _, v := range vs {
			v.accuse(b)
		}
		passes(time.Second)
		if b.last() != "" {
			t.Errorf("the booster was told %q", b.last())
		}
		for _, g := range append(vs, o, b) {
			_ = g.hangUp()
		}
	})
}

// One who accuses everybody is fed by those whom the owner trusts, sends to
// nobody, and its word is void.
func TestWhoAccusesManyIsDoubted(t *testing.T) {
	story(t, func(h *house) {
		o, b, liar, accused := h.accuser()
		p := h.as(liar)
		if p.Upload != 0 || p.Means.Relay {
			t.Errorf("it sends %v, relays: %v", p.Upload, p.Means.Relay)
		}
		if !liar.knows(b) && !liar.knows(o) {
			t.Error("nobody feeds it")
		}
		for n, a := range accused {
			if liar.knows(a) {
				t.Errorf("it is linked to the %d. that it accused", n+1)
			}
			if got := h.weight(a); got != 0 {
				t.Errorf("its word counts %d against the %d.", got, n+1)
			}
		}
		for _, g := range append(accused, o, b, liar) {
			_ = g.hangUp()
		}
	})
}

// One who accused many of whom some are proven bad afterwards was among liars.
func TestWhoWasRightIsBelievedAgain(t *testing.T) {
	story(t, func(h *house) {
		o, b, witness, accused := h.accuser()
		b.accuse(accused[0])
		<-accused[0].done
		<-accused[0].served
		passes(time.Second)
		if p := h.as(witness); p.Upload == 0 || !p.Means.Relay {
			t.Errorf("it sends %v, relays: %v", p.Upload, p.Means.Relay)
		}
		if got := h.weight(accused[1]); got != 1 {
			t.Errorf("its word counts %d", got)
		}
		for _, g := range append(accused[1:], o, b, witness) {
			_ = g.hangUp()
		}
	})
}

// accuser lets a viewer accuse more others than one may without proof.
func (h *house) accuser() (origin, booster, by *guest, accused []*guest) {
	h.t.Helper()
	origin, booster = h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
	vs := h.crowd(accusedMost + 2)
	by, accused = vs[0], vs[1:]
	by.say(wire.Means{Means: tuber.Means{Upload: 5e6, Relay: true, Reach: tuber.ReachDialable}})
	passes(time.Second)
	if h.as(by).Upload == 0 {
		h.t.Fatal("void: it sends nothing anyway")
	}
	c := h.planner.root.first()
	c.mu.Lock()
	for _, a := range accused { // they met, at one time or another
		c.members[by.id].known[a.id] = acquaintance{by: 1}
		c.members[booster.id].known[a.id] = acquaintance{by: 1}
	}
	c.mu.Unlock()
	for _, a := range accused {
		by.accuse(a)
	}
	passes(time.Second)
	return origin, booster, by, accused
}

// as is a guest as a plan sees it.
func (h *house) as(g *guest) Peer {
	c := h.planner.root.first()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[g.id].peer(c.now())
}

// weight is how many voices count against a guest.
func (h *house) weight(g *guest) int {
	c := h.planner.root.first()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.weightLocked(g.id)
}

// A booster that the origin or another booster proved bad is barred in the book.
func TestAProvenBoosterIsBarredForGood(t *testing.T) {
	story(t, func(h *house) {
		o, b, c := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster), h.must("carl", tuber.RoleBooster)
		v := h.must("ann", tuber.RoleViewer)
		v.want()
		passes(time.Second)
		bad, by := b, c
		if !c.knows(b) {
			bad, by = b, o
		}
		by.accuse(bad)
		<-bad.done
		<-bad.served
		synctest.Wait()
		if r, _, _ := h.book.Booster(bad.id); !r.Bad {
			t.Error("the book does not say so")
		}
		for _, g := range []*guest{o, c, v} {
			_ = g.hangUp()
		}
	})
}

func TestATrustedPeerBansAndTheOriginIsNeverBanned(t *testing.T) {
	story(t, func(h *house) {
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		v := h.must("ann", tuber.RoleViewer)
		v.want()
		passes(time.Second)
		b.accuse(o)
		synctest.Wait()
		if len(got[wire.Quarantine](v)) != 0 {
			t.Error("the origin was banned")
		}
		b.accuse(v)
		<-v.done
		<-v.served
		if v.last() != wire.CodeQuarantine {
			t.Errorf("got %q, want %q", v.last(), wire.CodeQuarantine)
		}
		_ = o.hangUp()
		_ = b.hangUp()
	})
}

func TestABoosterLeavesForGood(t *testing.T) {
	story(t, func(h *house) {
		b := h.must("bob", tuber.RoleBooster)
		b.say(wire.Leave{Forget: true})
		<-b.done
		<-b.served
		passes(2 * saveEvery)
		if _, ok, _ := h.book.Booster(b.id); ok {
			t.Error("its key is still in the book")
		}
		c := h.must("carl", tuber.RoleBooster)
		if err := h.planner.Remove(c.id); err != nil {
			t.Fatal(err)
		}
		<-c.done
		<-c.served
		if c.last() != wire.CodeUnknown {
			t.Errorf("got %q, want %q", c.last(), wire.CodeUnknown)
		}
	})
}

func TestABoostersHistoryIsSaved(t *testing.T) {
	story(t, func(h *house) {
		o, b, v := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster), h.must("ann", tuber.RoleViewer)
		v.want()
		passes(time.Minute, o, b, v)
		v.say(wire.Report{Report: tuber.Report{Interval: tuber.ReportEvery, HTTP: 1000, Links: []tuber.LinkReport{{Peer: b.id, Received: 3000}}}})
		b.say(wire.Report{Report: tuber.Report{Interval: tuber.ReportEvery, Links: []tuber.LinkReport{{Peer: o.id, Received: 1000}, {Peer: v.id, Sent: 9e9}}}})
		passes(2*saveEvery, o, b, v)
		r, _, _ := h.book.Booster(b.id)
		if r.Delivered != 3000 || r.Online < time.Minute {
			t.Errorf("got %+v, want what its receivers confirmed, and over a minute", r)
		}
		if got, want := h.planner.Share(), (Share{Peers: 3000, HTTP: 1000}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for _, g := range []*guest{o, b, v} {
			_ = g.hangUp()
		}
	})
}

// After the planner's restart peers rejoin one by one, and nothing that they
// carry out is taken from them.
func TestRestartMovesNobody(t *testing.T) {
	story(t, func(h *house) {
		names := map[string]tuber.Role{"origin": tuber.RoleOrigin, "bob": tuber.RoleBooster, "ann": tuber.RoleViewer, "eve": tuber.RoleViewer, "joe": tuber.RoleViewer}
		order := []string{"origin", "bob", "ann", "eve", "joe"}
		here := map[string]*guest{}
		for _, n := range order {
			here[n] = h.must(n, names[n])
			if names[n] == tuber.RoleViewer {
				here[n].want()
			}
		}
		passes(5 * time.Second)
		h.close()
		before := map[string]*tuber.PeerPlan{}
		for n, g := range here {
			<-g.done
			<-g.served
			before[n] = g.lastPlan()
		}
		h.start(2)
		for i := len(order) - 1; i >= 0; i-- { // the origin last
			n := order[i]
			here[n] = h.must(n, names[n], func(j *wire.Join) { j.Plan = before[n] })
			passes(2 * time.Second)
		}
		for n, g := range here {
			if got := g.lastPlan(); got.Epoch != 2 || !sameWays(got, before[n]) {
				t.Errorf("%s: got %+v, want what it had: %+v", n, got, before[n])
			}
		}
		all := []*guest{}
		for _, g := range here {
			all = append(all, g)
		}
		passes(adoptFor+10*time.Second, all...)
		for _, g := range all {
			_ = g.hangUp()
		}
	})
}

// sameWays compares who sends what.
func sameWays(a, b *tuber.PeerPlan) bool {
	ways := func(p *tuber.PeerPlan) map[tuber.PeerID][2]tuber.Partitions {
		m := map[tuber.PeerID][2]tuber.Partitions{}
		for _, x := range p.Assignments {
			w := m[x.To]
			w[0] |= x.Partitions
			m[x.To] = w
		}
		for _, x := range p.Sources {
			if !x.Standby {
				w := m[x.From]
				w[1] |= x.Partitions
				m[x.From] = w
			}
		}
		return m
	}
	x, y := ways(a), ways(b)
	if len(x) != len(y) {
		return false
	}
	for id, w := range x {
		if y[id] != w {
			return false
		}
	}
	return true
}
