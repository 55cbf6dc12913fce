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

func TestOneViewerDoesNotBan(t *testing.T) {
	story(t, func(h *house) {
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		v, w := h.must("ann", tuber.RoleViewer), h.must("eve", tuber.RoleViewer)
		v.want()
		w.want()
		passes(time.Second)
		if sources(v.lastPlan(), b.id) == 0 {
			t.Fatal("the booster does not feed the viewer, so nothing is tested")
		}
		v.accuse(b)
		v.accuse(b)
		passes(time.Second)
		if sources(v.lastPlan(), b.id) != 0 {
			t.Error("the pair is not split")
		}
		if len(got[wire.Quarantine](w)) != 0 || sources(w.lastPlan(), b.id) == 0 {
			t.Error("one viewer's word banned a booster")
		}
		w.accuse(b)
		<-b.done
		<-b.served
		if b.last() != wire.CodeQuarantine {
			t.Errorf("after the second: got %q, want %q", b.last(), wire.CodeQuarantine)
		}
		if _, err := h.join("bob", tuber.RoleBooster); refusal(err) != wire.CodeQuarantine {
			t.Errorf("joined again: %v", err)
		}
		for _, g := range []*guest{o, v, w} {
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
		if got, want := h.planner.Share(), (Share{Peers: 3000, Origin: 1000, HTTP: 1000}); got != want {
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
