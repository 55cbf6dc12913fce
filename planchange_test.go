package tuber

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// anyPlan draws a plan over few peers, so that two have much in common.
func anyPlan(r *rand.Rand, v Version) *PeerPlan {
	p := &PeerPlan{Epoch: 7, Version: v, Cell: r.IntN(2)}
	peer := func() PeerID { return PeerID{byte(r.IntN(12))} }
	for range r.IntN(12) {
		p.Assignments = append(p.Assignments, Assignment{To: peer(), Partitions: Partitions(r.IntN(3)), Priority: Priority(r.IntN(2))})
		p.Sources = append(p.Sources, Source{From: peer(), Standby: r.IntN(2) == 0})
		p.Introductions = append(p.Introductions, Introduction{Peer: peer(), Role: RoleViewer})
	}
	for range r.IntN(3) {
		p.Holds = append(p.Holds, Hold{Content: ContentID{byte(r.IntN(3))}})
		p.Grants = append(p.Grants, Grant{Rate: BitsPerSecond(r.IntN(3))})
	}
	return p
}

// likeEach tells whether the lists hold the same, each as often.
func likeEach[T comparable](a, b []T) bool {
	count := map[T]int{}
	for _, x := range a {
		count[x]++
	}
	for _, x := range b {
		count[x]--
	}
	return len(a) == len(b) && !slices.ContainsFunc(b, func(x T) bool { return count[x] != 0 })
}

func TestAChangeMakesTheNextPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	changed := 0
	for range 2000 {
		old, next := anyPlan(r, 3), anyPlan(r, 5)
		if r.IntN(2) == 0 { // most changes are of little
			was := *old
			next = &was
			next.Version = 5
			next.Sources = append(slices.Clone(old.Sources[min(1, len(old.Sources)):]), Source{From: PeerID{99}})
		}
		before := *old
		c, out, ok := ChangePlan(old, next)
		if !ok {
			continue
		}
		changed++
		got, err := c.Apply(old)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*PeerPlan{out, got} {
			if p.Epoch != 7 || p.Version != 5 || p.Cell != next.Cell ||
				!likeEach(p.Assignments, next.Assignments) || !likeEach(p.Sources, next.Sources) || !likeEach(p.Holds, next.Holds) ||
				!likeEach(p.Introductions, next.Introductions) || !likeEach(p.Grants, next.Grants) {
				t.Fatalf("%+v\nchanged by %+v\nis %+v\nwant %+v", old, c, p, next)
			}
		}
		if !slices.Equal(out.Sources, got.Sources) || !slices.Equal(before.Sources, old.Sources) {
			t.Fatal("the sides do not have the same order, or the old plan was changed")
		}
	}
	if changed < 500 {
		t.Errorf("only %d of 2000 were told as changes", changed)
	}
}

func TestAChangeOfAnotherPlanIsRefused(t *testing.T) {
	old := &PeerPlan{Epoch: 7, Version: 3, Sources: []Source{{From: PeerID{1}}, {From: PeerID{2}}}}
	good := PlanChange{From: 3, Epoch: 7, Version: 4, Sources: Change[Source]{Less: []int{1}}}
	if p, err := good.Apply(old); err != nil || len(p.Sources) != 1 {
		t.Fatal(p, err)
	}
	for name, spoil := range map[string]func(*PlanChange){
		"another version": func(c *PlanChange) { c.From = 2 },
		"another epoch":   func(c *PlanChange) { c.Epoch = 8 },
		"behind the end":  func(c *PlanChange) { c.Sources.Less = []int{2} },
		"before the list": func(c *PlanChange) { c.Sources.Less = []int{-1} },
		"twice":           func(c *PlanChange) { c.Sources.Less = []int{0, 0} },
		"descending":      func(c *PlanChange) { c.Sources.Less = []int{1, 0} },
	} {
		c := good
		spoil(&c)
		if p, err := c.Apply(old); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if _, err := good.Apply(nil); err == nil {
		t.Error("a change of no plan was taken")
	}
}
