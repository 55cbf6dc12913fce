package planner

import "github.com/tubercdn/tuber"

// forgo takes from boosters, where means are short, what they pass on to nobody:
// what does not come to them, and as many of the others as viewers lack. A
// partition that a booster keeps for repair costs a slot that would feed a viewer,
// and nobody has to be moved for it. It tells whether something was taken.
func (g *grove) forgo() bool {
	done := false
	for _, f := range g.forests {
		if !g.settled || f.viewers == 0 || g.plenty(f) {
			continue
		}
		left := f.lacking
		for _, i := range g.boosters {
			idle := f.needs[i] &^ f.feeds[i]
			if idle == f.needs[i] && idle != 0 {
				idle &= idle - 1 // it may get children yet
			}
			if g.shares[i].traits&isAway != 0 || g.peers[i].Upload < f.Rate {
				idle = 0 // what those with less take, subscribeTo says
			}
			for ; idle != 0; idle &= idle - 1 {
				p := first(idle)
				if f.fed[i]&(1<<p) != 0 {
					if left == 0 {
						continue
					}
					left--
				}
				g.drop(f, p, i)
				g.need(f, i, f.needs[i]&^(1<<p))
				g.forgone, done = true, true
			}
		}
	}
	return done
}

// copyFor is what booster i takes of a content of which it could take all: all, or
// what it has where it forgoes some and means are no more plentiful than they were.
func (g *grove) copyFor(f *forest, i int32, previous *tuber.Plan) tuber.Partitions {
	all := tuber.AllPartitions(f.K)
	had := g.had(f, i, previous)
	if had == 0 || had == all || f.viewers == 0 || g.plenty(f) {
		return all
	}
	g.forgone = true
	return had
}

// plenty tells whether the slots of all peers are more than enough for a whole
// copy for each viewer and booster.
func (g *grove) plenty(f *forest) bool {
	const spare = 16 // one in so many is to be left
	have, need := 0, (f.viewers+len(g.boosters))*f.K
	for i := range g.shares {
		if s := &g.shares[i]; s.traits&isAway == 0 && int32(i) != g.origin {
			have += int(s.base / f.slot)
		}
	}
	return have >= need+need/spare
}
