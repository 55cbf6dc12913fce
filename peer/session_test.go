package peer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

// The planner goes away and comes back: the links carry on, and the peer says
// what it still has.
func TestPlannerGoesAway(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 2)
	ns.chain(st, o, a)
	l := linked(t, ns, o, a)
	publish(t, o, ns.Site(), st.segment(4))
	a.has(t, st.content.ID, 4)

	ns.setAway(true)
	eventually(t, "ann has noticed", func() bool { return !a.Stats()[ns.Site()].Connected })
	publish(t, o, ns.Site(), st.segment(4))
	a.has(t, st.content.ID, 8)
	ns.setAway(false)
	ns.until("both are back", func() bool { return ns.conns[a.ID()] != nil && ns.conns[o.ID()] != nil })
	if linked(t, ns, o, a) != l {
		t.Error("the link did not live on")
	}
	ns.mu.Lock()
	j := ns.joins[a.ID()][1]
	ns.mu.Unlock()
	if len(j.Links) != 1 || j.Links[0] != o.ID() {
		t.Errorf("rejoined with links %v, want the origin's", j.Links)
	}
	if len(j.Ranges) != 1 || j.Ranges[0].Next != 8 {
		t.Errorf("rejoined with ranges %v, want numbers up to 8", j.Ranges)
	}
	if j.Plan == nil || len(j.Plan.Sources) != 1 {
		t.Errorf("rejoined with plan %v, want the last one", j.Plan)
	}
	publish(t, o, ns.Site(), st.segment(4))
	a.has(t, st.content.ID, 12)
	st.same(a)
}

func TestOlderPlansAreIgnored(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 2)
	ns.chain(st, o, a)
	l := linked(t, ns, o, a)
	ns.say(a, wire.Plan{PeerPlan: tuber.PeerPlan{Epoch: 1, Version: 1}})
	ns.say(a, wire.Plan{PeerPlan: tuber.PeerPlan{Epoch: 0, Version: 99}})
	publish(t, o, ns.Site(), st.segment(4))
	a.has(t, st.content.ID, 4)
	if linked(t, ns, o, a) != l {
		t.Error("an older plan closed the link")
	}
	ns.plan(a, tuber.PeerPlan{})
	<-l.ctx.Done() // and a newer one that introduces nobody does
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		code  wire.Code
		final bool
	}{
		{wire.CodeVersion, true}, {wire.CodeInvite, true}, {wire.CodeUnknown, true}, {wire.CodeSuperseded, true},
		{wire.CodeQuarantine, true}, {wire.CodeOff, true},
		{wire.CodeFull, false}, {wire.CodeTicket, false}, {wire.CodeProof, false},
	}
	for _, tt := range tests {
		t.Run(string(tt.code), func(t *testing.T) {
			t.Parallel()
			ns := newNodes(t)
			n := ns.bare("ann", tuber.RoleBooster)
			asked := make(chan struct{}, 8)
			ns.refuse = func(wire.Join) *wire.Refused {
				asked <- struct{}{}
				return &wire.Refused{Code: tt.code, Sentence: "no"}
			}
			ctx, cancel := context.WithCancel(ns.ctx)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- n.Join(ctx, Membership{Site: ns.Site(), Chunks: n.chunks, Dial: ns.dial}) }()
			<-asked
			if !tt.final {
				<-asked // it tries again
				cancel()
			}
			err := <-done
			var refused *control.RefusedError
			if got := errors.As(err, &refused) && refused.Code == tt.code; got != tt.final {
				t.Errorf("got %v, want final %v", err, tt.final)
			}
		})
	}
}

func TestRefusedLater(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	a := ns.add("ann", tuber.RoleBooster)
	ns.say(a, wire.Refused{Code: wire.CodeSuperseded, Sentence: "the same peer joined elsewhere"})
	var refused *control.RefusedError
	if err := <-a.left; !errors.As(err, &refused) || refused.Code != wire.CodeSuperseded {
		t.Errorf("got %v, want superseded", err)
	}
	if err := a.SetMeans(ns.Site(), tuber.Means{}); !errors.Is(err, ErrNotJoined) {
		t.Errorf("got %v, want ErrNotJoined", err)
	}
}

func TestJoinTwice(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	a := ns.add("ann", tuber.RoleBooster)
	err := a.Join(ns.ctx, Membership{Site: ns.Site(), Chunks: a.chunks, Dial: ns.dial})
	if !errors.Is(err, ErrJoined) {
		t.Errorf("got %v, want ErrJoined", err)
	}
	if err := a.SetMeans(ns.Site(), tuber.Means{Upload: 77}); err != nil {
		t.Fatal(err)
	}
	ns.until("the planner knows the means", func() bool { return ns.means[a.ID()].Upload == 77 })
}

// The secret of an invite goes with the first join only.
func TestSecretIsSentOnce(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	n := ns.bare("ann", tuber.RoleBooster)
	joined := make(chan struct{}, 4)
	ns.wg.Go(func() {
		_ = n.Join(ns.ctx, Membership{
			Site: ns.Site(), Chunks: n.chunks, Dial: ns.dial, Secret: []byte("secret"),
			Joined: func() { joined <- struct{}{} },
		})
	})
	<-joined
	ns.until("the planner knows ann", func() bool { return ns.conns[n.ID()] != nil })
	ns.setAway(true)
	ns.setAway(false)
	<-joined
	ns.until("ann has joined again", func() bool { return len(ns.joins[n.ID()]) == 2 })
	ns.mu.Lock()
	defer ns.mu.Unlock()
	j := ns.joins[n.ID()]
	if string(j[0].Secret) != "secret" || len(j[1].Secret) != 0 {
		t.Errorf("got secrets %q and %q, want the first alone", j[0].Secret, j[1].Secret)
	}
}

func TestFinalCodes(t *testing.T) {
	t.Parallel()
	if final("a code of a later version") {
		t.Error("an unknown code ends a membership")
	}
}

func TestBackoffIsBounded(t *testing.T) {
	t.Parallel()
	for range 1000 {
		if d := jitter(lastBackoff); d < lastBackoff/2 || d >= lastBackoff*3/2 || d > tuber.Lease {
			t.Fatalf("got a wait of %v", d)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	begun := time.Now()
	pause(ctx, time.Hour)
	if time.Since(begun) > time.Minute {
		t.Error("a pause outlived its context")
	}
}
