package planner

import (
	"github.com/tubercdn/tuber"
)

// reporter is what *testing.T and *rapid.T share.
type reporter interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// view is a plan read back from its words.
type view struct {
	st     State
	plan   tuber.Plan
	peers  map[tuber.PeerID]*Peer
	parent map[spot]tuber.PeerID
}

type spot struct {
	content tuber.ContentID
	p       tuber.Partition
	child   tuber.PeerID
}

func readPlan(t reporter, st State, plan tuber.Plan) view {
	t.Helper()
	v := view{st, plan, map[tuber.PeerID]*Peer{}, map[spot]tuber.PeerID{}}
	for i := range st.Peers {
		v.peers[st.Peers[i].ID] = &st.Peers[i]
	}
	for id, pp := range plan.Peers {
		for _, s := range pp.Sources {
			if from := v.peers[s.From]; from != nil && from.visits() {
				t.Errorf("peer %s is to get something from %s, which only visits", id, s.From)
			}
			for p := range tuber.Partition(tuber.MaxPartitions) {
				if !s.Partitions.Has(p) || s.Standby {
					continue
				}
				if other, twice := v.parent[spot{s.Content, p, id}]; twice {
					t.Errorf("peer %s has partition %d from %s and %s", id, p, other, s.From)
				}
				v.parent[spot{s.Content, p, id}] = s.From
			}
		}
	}
	return v
}

// checkPlan holds a plan to everything that must be true of every plan.
func checkPlan(t reporter, st State, plan tuber.Plan) view {
	t.Helper()
	v := readPlan(t, st, plan)
	v.checkBothSides(t)
	v.checkWays(t)
	v.checkUplinks(t)
	v.checkLinks(t)
	v.checkServed(t)
	return v
}

// checkBothSides: what a sender is told is what its receiver is told.
func (v view) checkBothSides(t reporter) {
	t.Helper()
	n := 0
	for id, pp := range v.plan.Peers {
		for _, a := range pp.Assignments {
			for p := range tuber.Partition(tuber.MaxPartitions) {
				if a.Partitions.Has(p) {
					n++
					if got := v.parent[spot{a.Content, p, a.To}]; got != id {
						t.Errorf("%s sends partition %d to %s, which expects it from %s", id, p, a.To, got)
					}
				}
			}
		}
	}
	if n != len(v.parent) {
		t.Errorf("%d partitions are sent, %d expected", n, len(v.parent))
	}
}

// checkWays: every way leads to the origin.
func (v view) checkWays(t reporter) {
	t.Helper()
	for s := range v.parent {
		at := s
		for steps := 0; at.child != v.st.Origin; steps++ {
			parent, ok := v.parent[at]
			if !ok || steps > len(v.peers) {
				t.Fatalf("partition %d of %s does not come from the origin (after %d steps)", s.p, s.child, steps)
			}
			at.child = parent
		}
	}
}

func (v view) checkUplinks(t reporter) {
	t.Helper()
	for id, pp := range v.plan.Peers {
		var sum float64
		for _, a := range pp.Assignments {
			sum += float64(a.Rate)
		}
		if peer := v.peers[id]; sum > float64(peer.Upload)+8 {
			t.Errorf("%s %s sends %.0f bit/s of its %d", peer.Role, id, sum, peer.Upload)
		}
	}
}

// checkLinks: links are few, allowed, possible, and introduced to both sides.
func (v view) checkLinks(t reporter) {
	t.Helper()
	offers := map[[2]tuber.PeerID]int{}
	for id, pp := range v.plan.Peers {
		peer := v.peers[id]
		active, standby := peer.links()
		if len(pp.Introductions) > active+standby {
			t.Errorf("%s has %d links, at most %d", id, len(pp.Introductions), active+standby)
		}
		met := map[tuber.PeerID]bool{}
		for _, in := range pp.Introductions {
			other := v.peers[in.Peer]
			if other == nil || !canLink(peer, other) || in.Peer == id || met[in.Peer] {
				t.Fatalf("%s is introduced to %s, which cannot be", id, in.Peer)
			}
			met[in.Peer] = true
			if in.Offer {
				offers[[2]tuber.PeerID{id, in.Peer}]++
				offers[[2]tuber.PeerID{in.Peer, id}]++
				if peer.permanent() && !other.permanent() {
					t.Errorf("%s offers to a viewer", id)
				}
			} else {
				offers[[2]tuber.PeerID{id, in.Peer}] += 0
			}
		}
		for _, a := range pp.Assignments {
			if !met[a.To] {
				t.Errorf("%s sends to %s without an introduction", id, a.To)
			}
		}
		for _, s := range pp.Sources {
			if !met[s.From] {
				t.Errorf("%s has %s as a source without an introduction", id, s.From)
			}
		}
	}
	for pair, n := range offers {
		if n != 1 {
			t.Errorf("%s and %s: %d offers, want 1", pair[0], pair[1], n)
		}
	}
}

// checkServed: a viewer has every partition, or its content is listed as short.
func (v view) checkServed(t reporter) {
	t.Helper()
	short := map[tuber.ContentID]int{}
	for _, s := range v.plan.Short {
		short[s.Content] = s.Viewers
	}
	for _, c := range v.st.Contents {
		unserved := 0
		for id, peer := range v.peers {
			if peer.visits() {
				continue // its own cell says so
			}
			needs := peer.needs(&c)
			for p := range tuber.Partition(c.K) {
				if !needs.Has(p) {
					continue
				}
				if _, ok := v.parent[spot{c.ID, p, id}]; !ok {
					unserved++
					break
				}
			}
		}
		if unserved != short[c.ID] {
			t.Errorf("%d viewers are not served, the plan says %d", unserved, short[c.ID])
		}
	}
}
