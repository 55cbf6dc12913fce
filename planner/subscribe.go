package planner

import (
	"cmp"
	"slices"

	"github.com/tubercdn/tuber"
)

// subscribe decides which partitions the boosters receive. One whose uplink
// carries a whole copy takes all, so that it can serve repair too; a smaller
// one takes what it will relay, and one without means nothing. A content that
// no viewer wants is pushed only where the origin's line has room to spare.
func (g *grove) subscribe(previous *tuber.Plan) {
	if g.origin == none {
		return
	}
	room := g.budget[g.origin]
	download := make([]float64, len(g.peers))
	for i := range g.peers {
		download[i] = float64(g.peers[i].Means.Download)
		if g.peers[i].Means.Download <= 0 {
			download[i] = float64(tuber.Unlimited)
		}
	}
	for _, f := range g.wantedFirst() {
		if f.viewers == 0 && room < 2*float64(f.Rate) {
			continue
		}
		room -= float64(f.Rate)
		g.subscribeTo(f, download, previous)
	}
}

// wantedFirst lists the forests by their viewers, then by the lower rate.
func (g *grove) wantedFirst() []*forest {
	out := slices.Clone(g.forests)
	slices.SortStableFunc(out, func(a, b *forest) int {
		return cmp.Or(cmp.Compare(b.viewers, a.viewers), cmp.Compare(a.Rate, b.Rate))
	})
	return out
}

func (g *grove) subscribeTo(f *forest, download []float64, previous *tuber.Plan) {
	var relays [tuber.MaxPartitions]int // boosters that have a partition
	var small []int32
	for i := range g.peers {
		p := &g.peers[i]
		if p.Role != tuber.RoleBooster || p.Means.Reach == tuber.ReachNone {
			continue
		}
		switch {
		case float64(p.Upload) < f.slot:
		case p.Upload >= f.Rate && download[i] >= float64(f.Rate):
			g.take(f, int32(i), tuber.AllPartitions(f.K), download, relays[:])
		default:
			small = append(small, int32(i))
		}
	}
	for _, i := range small {
		slots := int(useOfUplink * g.uplink(i) / f.slot)
		n := max(1, slots/max(f.viewers, 2)) // as few as give all its slots a child
		n = min(n, f.K, int(download[i]/f.slot))
		g.take(f, i, g.choosePartitions(f, i, n, relays[:], previous), download, relays[:])
	}
}

func (g *grove) take(f *forest, i int32, ps tuber.Partitions, download []float64, relays []int) {
	f.needs[i] = ps
	download[i] -= float64(ps.Len()) * f.slot
	for p := range f.K {
		if ps.Has(tuber.Partition(p)) {
			relays[p]++
		}
	}
}

// choosePartitions prefers what the booster has already, then what few have.
func (g *grove) choosePartitions(f *forest, i int32, n int, relays []int, previous *tuber.Plan) tuber.Partitions {
	var had tuber.Partitions
	if previous != nil && previous.Peers[g.peers[i].ID] != nil {
		for _, s := range previous.Peers[g.peers[i].ID].Sources {
			if s.Content == f.ID && !s.Standby {
				had |= s.Partitions
			}
		}
	}
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
	for _, p := range order[:max(0, n)] {
		out |= 1 << p
	}
	return out
}
