package tuber

import (
	"fmt"
	"slices"
)

// PlanChange makes a peer's plan out of the one that it was told before.
type PlanChange struct {
	From          Version              `json:"from"` // of the plan that it changes, of the same epoch
	Epoch         Epoch                `json:"epoch"`
	Version       Version              `json:"version"`
	Assignments   Change[Assignment]   `json:"assignments,omitzero"`
	Sources       Change[Source]       `json:"sources,omitzero"`
	Holds         Change[Hold]         `json:"holds,omitzero"`
	Introductions Change[Introduction] `json:"introductions,omitzero"`
	Grants        Change[Grant]        `json:"grants,omitzero"`
	Cell          int                  `json:"cell,omitempty"`
}

// Change makes a list out of another one: without what stood at the places Less,
// and with More behind it.
type Change[T comparable] struct {
	Less []int `json:"less,omitempty"` // ascending
	More []T   `json:"more,omitempty"`
}

// ChangePlan tells how next comes out of old, and what it then is: next in another
// order. It returns false where that would be no shorter than next itself, or old
// is of another epoch.
func ChangePlan(old, next *PeerPlan) (PlanChange, *PeerPlan, bool) {
	if old.Epoch != next.Epoch {
		return PlanChange{}, nil, false
	}
	c := PlanChange{
		From: old.Version, Epoch: next.Epoch, Version: next.Version, Cell: next.Cell,
		Assignments:   changeOf(old.Assignments, next.Assignments),
		Sources:       changeOf(old.Sources, next.Sources),
		Holds:         changeOf(old.Holds, next.Holds),
		Introductions: changeOf(old.Introductions, next.Introductions),
		Grants:        changeOf(old.Grants, next.Grants),
	}
	if c.weight() >= next.weight() {
		return PlanChange{}, nil, false
	}
	out, err := c.Apply(old)
	return c, out, err == nil
}

// weight is about how long it is as JSON, in bytes.
func (p *PeerPlan) weight() int {
	return 60 + 140*len(p.Assignments) + 110*(len(p.Sources)+len(p.Holds)) + 140*len(p.Introductions) + 60*len(p.Grants)
}

func (c *PlanChange) weight() int {
	less := len(c.Assignments.Less) + len(c.Sources.Less) + len(c.Holds.Less) + len(c.Introductions.Less) + len(c.Grants.Less)
	more := PeerPlan{Assignments: c.Assignments.More, Sources: c.Sources.More, Holds: c.Holds.More, Introductions: c.Introductions.More, Grants: c.Grants.More}
	return more.weight() + 80 + 4*less
}

// Apply makes the plan that follows old, which it leaves alone. An error means that
// old is not the plan that c was made for.
func (c *PlanChange) Apply(old *PeerPlan) (*PeerPlan, error) {
	if old == nil || old.Epoch != c.Epoch || old.Version != c.From {
		return nil, fmt.Errorf("change of plan %d of epoch %d, which is not the one known here", c.From, c.Epoch)
	}
	p := &PeerPlan{Epoch: c.Epoch, Version: c.Version, Cell: c.Cell}
	ok := applyTo(&p.Assignments, old.Assignments, c.Assignments) &&
		applyTo(&p.Sources, old.Sources, c.Sources) &&
		applyTo(&p.Holds, old.Holds, c.Holds) &&
		applyTo(&p.Introductions, old.Introductions, c.Introductions) &&
		applyTo(&p.Grants, old.Grants, c.Grants)
	if !ok {
		return nil, fmt.Errorf("change of plan %d: it takes away what the plan does not have", c.From)
	}
	return p, nil
}

func changeOf[T comparable](old, next []T) Change[T] {
	var c Change[T]
	if slices.Equal(old, next) {
		return c
	}
	had := make(map[T]int, len(old))
	for _, x := range old {
		had[x]++
	}
	for _, x := range next {
		if had[x] > 0 {
			had[x]--
		} else {
			c.More = append(c.More, x)
		}
	}
	for i := len(old) - 1; i >= 0; i-- { // what is left over, the last of equal ones first
		if had[old[i]] > 0 {
			had[old[i]]--
			c.Less = append(c.Less, i)
		}
	}
	slices.Reverse(c.Less)
	return c
}

func applyTo[T comparable](out *[]T, old []T, c Change[T]) bool {
	if len(c.Less) == 0 && len(c.More) == 0 {
		*out = old // nobody writes into a plan
		return true
	}
	list := make([]T, 0, len(old)+len(c.More))
	from := 0
	for _, i := range c.Less {
		if i < from || i >= len(old) {
			return false
		}
		list = append(list, old[from:i]...)
		from = i + 1
	}
	list = append(list, old[from:]...)
	*out = append(list, c.More...)
	return true
}
