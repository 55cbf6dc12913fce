package peer

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// A change of the plan takes a viewer from the origin and gives it to a booster
// whose link does not open for a while: the origin goes on until the booster brings
// what it sent, and no longer.
func TestMakeBeforeBreak(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, b, v := ns.add("origin", tuber.RoleOrigin), ns.add("ben", tuber.RoleBooster), ns.add("vic", tuber.RoleViewer)
	lost := true
	ns.mute = func(from tuber.PeerID, s wire.Signal) bool { // under the script's lock
		return lost && (from == v.ID() && s.Peer == b.ID() || from == b.ID() && s.Peer == v.ID())
	}
	st := newStream(t, ns.site, 4)
	plan := func(parent *node) {
		fed := []tuber.Assignment{assign(st, b)}
		met := []tuber.Introduction{b.intro(false)}
		ofB := tuber.PeerPlan{Sources: []tuber.Source{source(st, o, false)}, Introductions: []tuber.Introduction{o.intro(true)}}
		if parent == o {
			fed, met = append(fed, assign(st, v)), append(met, v.intro(false))
		} else {
			ofB.Assignments = []tuber.Assignment{assign(st, v)}
			ofB.Introductions = append(ofB.Introductions, v.intro(false))
		}
		ns.plan(o, tuber.PeerPlan{Assignments: fed, Introductions: met})
		ns.plan(b, ofB)
		ns.plan(v, tuber.PeerPlan{Sources: []tuber.Source{source(st, parent, false)}, Introductions: []tuber.Introduction{parent.intro(true)}})
	}
	plan(o)
	before := linked(t, ns, o, v)
	linked(t, ns, o, b)
	publish(t, o, ns.Site(), st.segment(40))
	v.has(t, st.content.ID, 40)
	plan(b)
	eventually(t, "the origin has its new plan", func() bool {
		s, err := o.swarm(ns.Site())
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.sends) == 4
	})
	publish(t, o, ns.Site(), st.segment(40))
	v.has(t, st.content.ID, 80)
	if before.ctx.Err() != nil {
		t.Fatal("the link of before has ended, and the one after it is not there")
	}

	ns.script.mu.Lock()
	lost = false
	ns.script.mu.Unlock()
	linked(t, ns, b, v)
	publish(t, o, ns.Site(), st.segment(40))
	v.has(t, st.content.ID, 120)
	eventually(t, "the origin is told that the viewer has enough", func() bool { // by time alone it never is
		s, err := o.swarm(ns.Site())
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, r := range s.sends {
			if r.enough {
				return true
			}
		}
		return false
	})
	select {
	case <-before.ctx.Done():
	case <-time.After(patience):
		t.Fatal("the link of before goes on")
	}
	publish(t, o, ns.Site(), st.segment(40))
	v.has(t, st.content.ID, 160)
	st.same(v)
	if s, _ := v.swarm(ns.Site()); len(s.allLinks()) != 1 {
		t.Errorf("%d links, want the booster's alone", len(s.allLinks()))
	}
}

func TestOverlap(t *testing.T) {
	c, now := tuber.ContentID{1}, time.Now()
	a, b := tuber.PeerID{1}, tuber.PeerID{2}
	s := &swarm{
		sends: legs{}, gets: legs{}, links: map[tuber.PeerID]*link{a: {in: tuber.Introduction{Peer: a}}},
		contents: map[tuber.ContentID]tuber.Content{c: {ID: c, Target: 2000}}, ks: map[tuber.ContentID]int{c: 4},
	}
	send := func(ps tuber.Partitions, to tuber.PeerID) tuber.Assignment {
		return tuber.Assignment{Content: c, Partitions: ps, To: to}
	}
	old := &tuber.PeerPlan{
		Assignments: []tuber.Assignment{send(0b0111, a), send(0b1000, b)},
		Sources:     []tuber.Source{{Content: c, Partitions: 0b0011, From: a}, {Content: c, Partitions: 0b0100, From: a, Standby: true}},
	}
	next := &tuber.PeerPlan{Assignments: []tuber.Assignment{send(0b0100, a)}, Sources: []tuber.Source{{Content: c, Partitions: 0b0001, From: b}}}
	s.overlapLocked(nil, old, now)
	s.overlapLocked(old, next, now)
	if len(s.sends) != 2 || len(s.gets) != 2 {
		t.Fatalf("%d and %d legs go on, want two each: not those that the plan has, nor without a link", len(s.sends), len(s.gets))
	}
	s.plan, s.peer, s.means = next, &Peer{cfg: Config{Role: tuber.RoleViewer}}, tuber.Means{Upload: 1e6, Relay: true}
	if got := len(s.duties(nil, c)); got != 3 {
		t.Errorf("%d duties, want what the plan has and what goes on", got)
	}
	for _, means := range []tuber.Means{{Upload: 1e6}, {Relay: true}} {
		if s.means = means; len(s.duties(nil, c)) != 1 {
			t.Errorf("with %+v it goes on though its owner gives nothing any more", means)
		}
	}
	if from, ok := s.succeededLocked(leg{a, c, 1}, now); !ok || from != 0 {
		t.Errorf("nobody is to send the partition: %d, %v", from, ok)
	}
	if _, ok := s.succeededLocked(leg{a, c, 0}, now); ok {
		t.Error("its successor has no link")
	}
	successor := &link{flows: map[tuber.ContentID]*flow{c: {}}}
	s.links[b] = successor
	if _, ok := s.succeededLocked(leg{a, c, 0}, now); ok {
		t.Error("its successor has sent nothing")
	}
	successor.flows[c].brings[0].add(8, goesOnFor, now, true)
	if from, ok := s.succeededLocked(leg{a, c, 0}, now.Add(2*time.Second)); !ok || from != 8 {
		t.Errorf("its successor brings it since 8: %d, %v", from, ok)
	}
	s.overlapLocked(next, old, now)
	if len(s.sends) != 0 || len(s.gets) != 1 {
		t.Errorf("%d and %d legs go on, want what the plan took from the other one", len(s.sends), len(s.gets))
	}
}

// Enough ends what goes on from a number on, and only that.
func TestEnough(t *testing.T) {
	st, now := newStream(t, newKey(t), 4), time.Now()
	c := st.content.ID
	l := &link{in: tuber.Introduction{Peer: tuber.PeerID{1}}, s: &swarm{sends: legs{}, ks: map[tuber.ContentID]int{c: 4}}}
	for n, chunk := range st.segment(12).Chunks {
		priority := overlapPriority
		if n == 8 {
			priority = 3
		}
		l.q.push(&item{chunk: chunk, priority: priority, deadline: now.Add(time.Hour), queued: now}, now)
	}
	l.onEnough(wire.Enough{Content: c, Partition: 0, From: 4})
	if len(l.q.heap) != 12 {
		t.Fatalf("%d wait, want all: nothing went on", len(l.q.heap))
	}
	x := leg{l.id(), c, 0}
	l.s.sends[x] = rest{until: now.Add(overlapFor)}
	l.onEnough(wire.Enough{Content: c, Partition: 0, From: 4})
	if len(l.q.heap) != 11 || l.q.held[chunkKey{c, 4}] != nil {
		t.Errorf("%d wait, want all but number 4: what the plan wants stays, and what is before", len(l.q.heap))
	}
	if r := l.s.sends[x]; !r.enough || r.until.After(now.Add(2*lingerLink)) {
		t.Errorf("the leg goes on: %+v", r)
	}
}

// Who cannot send in time what the plan wants takes nothing else on.
func TestAFullLineAnswersNoAsks(t *testing.T) {
	st := newStream(t, newKey(t), 1)
	p := st.segment(3)
	held := newMemory()
	held.AddManifest(p.Manifests[0])
	for _, chunk := range p.Chunks {
		if _, err := held.Put(chunk); err != nil {
			t.Fatal(err)
		}
	}
	c := st.content.ID
	l := &link{
		s:     &swarm{peer: &Peer{cfg: Config{Role: tuber.RoleViewer}}, m: Membership{Chunks: held}, contents: map[tuber.ContentID]tuber.Content{c: st.content}, ks: map[tuber.ContentID]int{c: 1}},
		flows: map[tuber.ContentID]*flow{},
	}
	ask := wire.Ask{Content: c, Within: 2000, Numbers: []tuber.ChunkNumber{1, 2}}
	l.s.full.Store(true)
	l.onAsk(ask)
	if len(l.q.heap) != 0 || len(l.ctl) != 1 || wire.Type(l.ctl[0][0]) != wire.TypeMissing {
		t.Fatalf("%d chunks wait behind %d frames, want none: the others are told to ask elsewhere", len(l.q.heap), len(l.ctl))
	}
	l.s.full.Store(false)
	l.onAsk(ask)
	if len(l.q.heap) != 2 {
		t.Errorf("%d chunks wait, want what was asked for", len(l.q.heap))
	}
}

// What the origin's own child has lost a moment ago is a first copy still; what others
// ask for, and what is older, is a repair.
func TestALostFirstCopyIsOneStill(t *testing.T) {
	st := newStream(t, newKey(t), 2)
	c, held := st.content.ID, newMemory()
	child := tuber.PeerID{1}
	s := &swarm{
		peer: &Peer{cfg: Config{Role: tuber.RoleOrigin}}, m: Membership{Chunks: held},
		contents: map[tuber.ContentID]tuber.Content{c: st.content}, ks: map[tuber.ContentID]int{c: 2},
		plan: &tuber.PeerPlan{Assignments: []tuber.Assignment{{Content: c, Partitions: 1, To: child}}},
	}
	l := &link{s: s, in: tuber.Introduction{Peer: child}}
	aside := lostWithin * s.underWay(c)
	for next := tuber.ChunkNumber(0); next < aside+10; {
		p := st.segment(32)
		held.AddManifest(p.Manifests[0])
		next = p.Manifests[0].Manifest().Next()
	}
	next := s.nextNumber(c) &^ 1
	for _, tt := range []struct {
		name string
		l    *link
		n    tuber.ChunkNumber
		want tuber.Class
	}{
		{"of its own partition", l, next - 2, tuber.ClassRoot},
		{"of another", l, next - 1, tuber.ClassRepair},
		{"too old", l, next - aside - 2, tuber.ClassRepair},
		{"of somebody who is no child", &link{s: s, in: tuber.Introduction{Peer: tuber.PeerID{2}}}, next - 2, tuber.ClassRepair},
	} {
		lost := tt.l.firstCopies(c)
		if got := lost.class(tt.n); got != tt.want {
			t.Errorf("%s: got class %d, want %d", tt.name, got, tt.want)
		}
	}
	s.peer = &Peer{cfg: Config{Role: tuber.RoleBooster}}
	lost := l.firstCopies(c)
	if got := lost.class(next - 2); got != tuber.ClassRepair {
		t.Errorf("a booster's answer has class %d, want a repair's", got)
	}
}
