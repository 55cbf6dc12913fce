package planner

import (
	"testing"
)

// TestPlansAreToldAsChanges: in a swarm that grows, those who understand changes
// are sent those, the others whole plans, and both end up with what is in force.
func TestPlansAreToldAsChanges(t *testing.T) {
	c := testContent("/live.m3u8", 8, 4e6)
	w := newTown(t, 0, 20e6, c)
	w.boosts(40e6)
	w.plans()
	const viewers = 40
	for n := range viewers {
		p := w.watches(8e6, c.ID)
		if n%2 == 0 { // an older page
			p.join.Changes = false
			p.enters()
		}
		w.plans()
	}
	if told := w.told - viewers; w.changes < told/4 {
		t.Errorf("of %d plans beyond the first ones, %d were told as changes", told, w.changes)
	}
	for id, p := range w.people {
		inForce := p.cell.plan.Peers[id]
		for name, same := range map[string]bool{
			"assignments":   sameSet(p.plan.Assignments, inForce.Assignments),
			"sources":       sameSet(p.plan.Sources, inForce.Sources),
			"introductions": sameSet(p.plan.Introductions, inForce.Introductions),
			"grants":        sameSet(p.plan.Grants, inForce.Grants),
			"holds":         sameSet(p.plan.Holds, inForce.Holds),
		} {
			if !same || p.plan.Version != inForce.Version {
				t.Errorf("%s %s: %s of version %d are not those in force, of %d", p.join.Role, id, name, p.plan.Version, inForce.Version)
			}
		}
	}
}

// sameSet tells whether two lists hold the same, in any order.
func sameSet[T comparable](a, b []T) bool {
	in := make(map[T]bool, len(a))
	for _, x := range a {
		in[x] = true
	}
	for _, x := range b {
		if !in[x] {
			return false
		}
	}
	return len(a) == len(b)
}
