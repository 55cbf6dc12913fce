package planner

import (
	"cmp"
	"slices"

	"github.com/tubercdn/tuber"
)

// subscribe decides which partitions the boosters receive. One whose uplink
// carries a whole copy takes all, so that it can serve repair too (but see forgo);
// a smaller one takes what it will relay, and one without means nothing. A content
// that no viewer wants is pushed only where the origin's line has room to spare.
func (g *grove) subscribe(previous *tuber.Plan) {
	if g.origin == none {
		return
	}
	g.small, g.forgone = false, false
	room := g.shares[g.origin].base.perSecond()
	download := make([]float64, len(g.boosters))
	for n, i := range g.boosters {
		download[n] = float64(g.peers[i].Means.Download)
		if g.peers[i].Means.Download <= 0 {
			download[n] = float64(tuber.Unlimited)
		}
	}
	for _, f := range g.wantedFirst() {
		if f.viewers == 0 && room < 2*float64(f.Rate) {
			for _, i := range g.boosters {
				g.subscribeOne(f, i, 0)
			}
			continue
		}
		room -= float64(f.Rate)
		g.subscribeTo(f, download, previous)
	}
}

// wantedFirst lists the forests by their viewers, then by the lower rate.
func (g *grove) wantedFirst() []*forest {
	if len(g.forests) < 2 {
		return g.forests
	}
	out := slices.Clone(g.forests)
	slices.SortStableFunc(out, func(a, b *forest) int {
		return cmp.Or(cmp.Compare(b.viewers, a.viewers), cmp.Compare(a.Rate, b.Rate))
	})
	return out
}

// subscribeTo subscribes the boosters to one content; download is what each can
// still take in, bits per second.
func (g *grove) subscribeTo(f *forest, download []float64, previous *tuber.Plan) {
	var relays [tuber.MaxPartitions]int // boosters that have a partition, or forgo it
	var small []int
	take := func(n int, ps, counted tuber.Partitions) {
		g.subscribeOne(f, g.boosters[n], ps)
		download[n] -= float64(counted.Len()) * f.slot.perSecond()
		for rest := counted; rest != 0; rest &= rest - 1 {
			relays[first(rest)]++
		}
	}
	for n, i := range g.boosters {
		p := &g.peers[i]
		switch {
		case p.Means.Reach == tuber.ReachNone || float64(p.Upload) < f.slot.perSecond():
			take(n, 0, 0)
		case p.Upload >= f.Rate && download[n] >= float64(f.Rate):
			take(n, g.copyFor(f, i, previous), tuber.AllPartitions(f.K)) // forgoing changes nobody else's choice
		default:
			small = append(small, n)
		}
	}
	g.small = g.small || len(small) > 0
	for _, n := range small {
		i := g.boosters[n]
		slots := int(g.shares[i].base / f.slot)
		most := max(1, slots/max(f.viewers, 2)) // as few as give all its slots a child
		most = min(most, f.K, int(download[n]/f.slot.perSecond()))
		ps := f.choosePartitions(most, relays[:], g.had(f, i, previous))
		take(n, ps, ps)
	}
}

// subscribeOne changes what a booster receives. While peers rejoin, it keeps what
// it had.
func (g *grove) subscribeOne(f *forest, i int32, ps tuber.Partitions) {
	old := f.needs[i]
	if !g.settled {
		ps |= old
	}
	for rest := old &^ ps; rest != 0; rest &= rest - 1 {
		g.drop(f, first(rest), i)
	}
	g.need(f, i, ps)
}

// had is what booster i receives so far.
func (g *grove) had(f *forest, i int32, previous *tuber.Plan) tuber.Partitions {
	had := f.needs[i]
	if previous != nil && previous.Peers[g.peers[i].ID] != nil {
		for _, s := range previous.Peers[g.peers[i].ID].Sources {
			if s.Content == f.ID && !s.Standby {
				had |= s.Partitions
			}
		}
	}
	return had
}

// choosePartitions prefers what the booster has already, then what few have.
func (f *forest) choosePartitions(most int, relays []int, had tuber.Partitions) tuber.Partitions {
	order := make([]int, f.K)
	for p := range order {
		order[p] = p
	}
	slices.SortStableFunc(order, func(a, b int) int {
		hadA, hadB := had.Has(tuber.Partition(a)), had.Has(tuber.Partition(b))
		if hadA != hadB {
			if hadA {
				return -1
			}
			return 1
		}
		return cmp.Compare(relays[a], relays[b])
	})
	var out tuber.Partitions
	for _, p := range order[:max(0, most)] {
		out |= 1 << p
	}
	return out
}
