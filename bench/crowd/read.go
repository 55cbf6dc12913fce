package crowd

import (
	"math/bits"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/planner"
)

// Edge is one partition's hop.
type Edge struct {
	From, To  tuber.PeerID
	Partition tuber.Partition
}

// Edges lists every hop of a plan.
func Edges(plan *tuber.Plan) []Edge {
	var out []Edge
	for id, pp := range plan.Peers {
		for _, a := range pp.Assignments {
			for p := range tuber.Partition(tuber.MaxPartitions) {
				if a.Partitions.Has(p) {
					out = append(out, Edge{id, a.To, p})
				}
			}
		}
	}
	return out
}

// Differ is the number of edges that only one of the plans has.
func Differ(a, b *tuber.Plan) int {
	had := map[Edge]bool{}
	for _, e := range Edges(a) {
		had[e] = true
	}
	n := 0
	for _, e := range Edges(b) {
		if had[e] {
			delete(had, e)
		} else {
			n++
		}
	}
	return n + len(had)
}

// Shape is what a plan comes to.
type Shape struct {
	Deepest int     // hops from the origin
	Depth   float64 // mean over viewers and partitions
	Copies  float64 // of the stream that the origin sends
	Viewers int     // who can be linked to at all
	Served  int     // of them, those with every partition
	Unfed   int     // partitions that viewers lack
	Free    int     // slots that nobody was given
	Worth   float64 // see Worth
}

// Hop is one way over a link, in seconds, taken for the mean.
const Hop = 0.025

// Worth is what a partition is worth that comes to a viewer by so many hops: the
// least time that a chunk must wait, K x chunk / rate, over that and the hops'.
// One that does not come is worth nothing.
func Worth(hops int) float64 {
	const wait = K * tuber.ChunkSize * 8 / float64(Rate)
	return wait / (wait + float64(hops)*Hop)
}

// Stranded is the slots that stay free while viewers lack partitions.
func (s Shape) Stranded() int { return min(s.Free, s.Unfed) }

// Read measures a plan of st.
func Read(st *planner.State, plan *tuber.Plan) Shape {
	var s Shape
	kids := map[Edge][]tuber.PeerID{} // To left empty
	sends := map[tuber.PeerID]int{}
	for _, e := range Edges(plan) {
		kids[Edge{From: e.From, Partition: e.Partition}] = append(kids[Edge{From: e.From, Partition: e.Partition}], e.To)
		sends[e.From]++
	}
	s.Copies = float64(sends[st.Origin]) / K
	has := map[tuber.PeerID]tuber.Partitions{}
	watches := map[tuber.PeerID]bool{}
	for i := range st.Peers {
		p := &st.Peers[i]
		watches[p.ID] = p.Role == tuber.RoleViewer && p.Means.Reach != tuber.ReachNone
	}
	hops, fed := 0, 0
	for p := range tuber.Partition(K) {
		level := []tuber.PeerID{st.Origin}
		for depth := 1; len(level) > 0; depth++ {
			var next []tuber.PeerID
			for _, id := range level {
				next = append(next, kids[Edge{From: id, Partition: p}]...)
			}
			for _, id := range next {
				has[id] |= 1 << p
				if watches[id] {
					s.Worth += Worth(depth)
				}
			}
			if len(next) > 0 {
				s.Deepest = max(s.Deepest, depth)
			}
			hops, fed, level = hops+depth*len(next), fed+len(next), next
		}
	}
	s.Depth = float64(hops) / float64(max(fed, 1))
	for i := range st.Peers {
		p := &st.Peers[i]
		s.Free += int(Gives(p, float64(Rate))/(float64(Rate)/K)) - sends[p.ID]
		if !watches[p.ID] {
			continue
		}
		s.Viewers++
		lacks := K - bits.OnesCount8(uint8(has[p.ID]))
		s.Unfed += lacks
		if lacks == 0 {
			s.Served++
		}
	}
	return s
}

// Bound is the most of the viewers that uplinks and NATs let anybody serve, as a
// share of those who can be linked to: the class bound. Supply is a coverage
// function of the set of classes served, so the largest number is the smallest,
// over all such sets, of what reaches the set plus everybody outside it.
func Bound(st *planner.State) float64 {
	classes := []tuber.Reach{tuber.ReachDialable, tuber.ReachPunchable, tuber.ReachSymmetric}
	var viewers [3]float64
	total, copies := 0.0, 0.0
	for i := range st.Peers {
		switch p := &st.Peers[i]; {
		case p.Role == tuber.RoleBooster:
			copies += float64(Rate) // it takes a whole one
		case p.Role == tuber.RoleViewer:
			for c, reach := range classes {
				if p.Means.Reach == reach {
					viewers[c]++
					total++
				}
			}
		}
	}
	best := total
	for set := 1; set < 1<<len(classes); set++ {
		supply, outside := 0.0, 0.0
		for i := range st.Peers {
			p := &st.Peers[i]
			for c, reach := range classes {
				if set&(1<<c) != 0 && Links(p.Means.Reach, reach) {
					supply += Gives(p, float64(Rate))
					break
				}
			}
		}
		for c := range classes {
			if set&(1<<c) == 0 {
				outside += viewers[c]
			}
		}
		best = min(best, max(0, supply-copies)/float64(Rate)+outside)
	}
	return best / max(total, 1)
}

// Links tells whether peers of these classes can be linked.
func Links(a, b tuber.Reach) bool {
	if a == tuber.ReachSymmetric || b == tuber.ReachSymmetric {
		return a == tuber.ReachDialable || b == tuber.ReachDialable
	}
	return a != tuber.ReachNone && b != tuber.ReachNone
}
