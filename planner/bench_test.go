package planner

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/tubercdn/tuber"
)

// crowds are the swarms that plans are measured by: with means to spare, short,
// and with so little to spare that every slot is looked for.
func crowds() map[string]State {
	out := map[string]State{}
	for _, n := range []int{1000, 4000} {
		c := testContent("/live.m3u8", 8, 1.5e6)
		out[fmt.Sprint("enough/", n)] = swarm(20e6, c, repeat(4, 20e6), append(repeat(n/4, 0), repeat(n-n/4, 4e6)...))
		out[fmt.Sprint("short/", n)] = swarm(3e6, c, repeat(4, 20e6), append(repeat(n/2, 0), repeat(n-n/2, 1e6)...))
		out[fmt.Sprint("edge/", n)] = swarm(5e6, c, repeat(4, 20e6), append(repeat(n/2, 0), repeat(n-n/2, 3.1e6)...))
		out[fmt.Sprint("first/", n)] = swarm(20e6, c, repeat(4, 20e6), repeat(n, firstViewer))
		out[fmt.Sprint("nat/", n)] = behindNATs(swarm(20e6, c, repeat(8, 50e6), append(repeat(n/4, 0), repeat(n-n/4, 4e6)...)))
		out[fmt.Sprint("natshort/", n)] = behindNATs(swarm(20e6, c, repeat(8, 50e6), repeat(n, 1.2e6)))
		out[fmt.Sprint("renditions/", n)] = renditions(swarm(20e6, c, repeat(8, 50e6), repeat(n, 3e6)))
	}
	return out
}

// behindNATs has every fifth viewer behind a symmetric one, and one of ten dialable.
func behindNATs(st State) State {
	for i := range st.Peers {
		switch p := &st.Peers[i]; {
		case p.Role != tuber.RoleViewer:
		case i%5 == 0:
			p.Means.Reach = tuber.ReachSymmetric
		case i%10 == 1:
			p.Means.Reach = tuber.ReachDialable
		}
	}
	return st
}

// renditions spreads the viewers over three contents.
func renditions(st State) State {
	st.Contents = append(st.Contents, testContent("/low.m3u8", 8, 0.6e6), testContent("/high.m3u8", 8, 3e6))
	for i := range st.Peers {
		if p := &st.Peers[i]; p.Role == tuber.RoleViewer {
			p.Wants = []tuber.ContentID{st.Contents[i%3].ID}
		}
	}
	return st
}

func BenchmarkPlan(b *testing.B) {
	all := crowds()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		st := all[name]
		var plan tuber.Plan
		b.Run(name+"/fresh", func(b *testing.B) {
			for b.Loop() {
				plan = MakePlan(st, epochStart)
			}
			b.ReportMetric(float64(len(plan.Peers)-1), "peers")
		})
		b.Run(name+"/again", func(b *testing.B) {
			again := st
			again.Previous = &plan
			for b.Loop() {
				MakePlan(again, epochStart)
			}
		})
	}
}

// BenchmarkChange is one viewer's leave and another's join.
func BenchmarkChange(b *testing.B) {
	all := crowds()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		st := all[name]
		b.Run(name, func(b *testing.B) {
			s, _ := NewStanding(st, epochStart)
			here := slices.Clone(st.Peers[len(st.Peers)/2:])
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				at := n % len(here)
				s.Apply(Change{Gone: []tuber.PeerID{here[at].ID}}, epochStart)
				next := here[at]
				next.Key[0]++
				next.ID = next.Key.PeerID()
				here[at] = next
				s.Apply(Change{Peers: []Peer{next}}, epochStart)
				n++
			}
		})
	}
}
