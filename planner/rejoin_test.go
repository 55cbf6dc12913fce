package planner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// fails lets somebody say that its link to another broke.
func (g *guest) fails(other *guest) {
	g.say(wire.Report{Report: tuber.Report{Interval: tuber.ReportEvery, Links: []tuber.LinkReport{{Peer: other.id, Failed: true}}}})
}

func TestALeaveOfASupersededSessionLeavesTheNewerOne(t *testing.T) {
	story(t, func(h *house) {
		old := h.must("ann", tuber.RoleViewer)
		m := h.planner.root.first().members[old.id]
		conn := m.conn
		newer := h.must("ann", tuber.RoleViewer)
		<-old.done
		<-old.served
		if err := h.planner.leave(session{conn, h.planner.root.first(), m}, wire.Leave{}); err != nil { // it was on its way already
			t.Error(err)
		}
		newer.say(wire.Alive{})
		synctest.Wait()
		if len(got[wire.Alive](newer)) != 1 {
			t.Error("the newer session is not served")
		}
		_ = newer.hangUp()
	})
}

// A page that is reloaded leaves and joins again; its neighbours' reports of the
// links that ended come between or after.
func TestAReloadIsPlannedAtOnce(t *testing.T) {
	for name, away := range map[string]time.Duration{"before the next plan": 20 * time.Millisecond, "just after it": 90 * time.Millisecond, "later": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			story(t, func(h *house) {
				o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
				v := h.must("ann", tuber.RoleViewer)
				v.want()
				passes(5 * time.Second)
				v.say(wire.Leave{})
				<-v.done
				<-v.served
				b.fails(v)
				passes(away)
				back := h.must("ann", tuber.RoleViewer)
				b.fails(back)
				passes(debounce + planRest + debounce)
				back.want()
				passes(time.Second)
				if len(got[wire.Plan](back)) == 0 {
					t.Error("no plan came")
				}
				for _, p := range got[wire.Plan](back) {
					if n := sources(&p.PeerPlan, b.id); n != tuber.AllPartitions(h.content.K) {
						t.Errorf("a plan gave it partitions %b from the booster that fed it", n)
					}
				}
				for _, g := range []*guest{o, b, back} {
					_ = g.hangUp()
				}
			})
		})
	}
}

// The first offer of a page that is back is passed on though no plan was made since.
func TestARejoinedPageMaySignalAtOnce(t *testing.T) {
	story(t, func(h *house) {
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		v := h.must("ann", tuber.RoleViewer)
		v.want()
		passes(5 * time.Second)
		v.say(wire.Leave{})
		<-v.done
		<-v.served
		back := h.must("ann", tuber.RoleViewer)
		if len(back.lastPlan().Introductions) == 0 {
			t.Fatal("the plan in force does not come with the welcome")
		}
		back.say(wire.Signal{Peer: b.id, Kind: wire.SignalOffer, Attempt: 1, Data: "offer"})
		synctest.Wait()
		if n := len(got[wire.Signal](b)); n != 1 {
			t.Errorf("%d signals came through, want 1", n)
		}
		for _, g := range []*guest{o, b, back} {
			_ = g.hangUp()
		}
	})
}

// A pair whose link fails is still kept apart when neither began afresh.
func TestAFailureSplitsAPair(t *testing.T) {
	story(t, func(h *house) {
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		v := h.must("ann", tuber.RoleViewer)
		v.want()
		passes(time.Second)
		if sources(v.lastPlan(), b.id) == 0 {
			t.Fatal("the booster does not feed the viewer, so nothing is tested")
		}
		v.fails(b)
		passes(time.Second)
		if sources(v.lastPlan(), b.id) != 0 {
			t.Error("the pair is not split")
		}
		for _, g := range []*guest{o, b, v} {
			_ = g.hangUp()
		}
	})
}
