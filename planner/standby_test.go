package planner

import (
	"slices"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// deputies are whom the origin stands by for, by partition.
func deputies(t *testing.T, st State, plan tuber.Plan) (out [tuber.MaxPartitions]tuber.PeerID) {
	t.Helper()
	for id, pp := range plan.Peers {
		for _, s := range pp.Sources {
			if s.From != st.Origin || !s.Standby {
				continue
			}
			for p := range tuber.Partition(tuber.MaxPartitions) {
				switch {
				case !s.Partitions.Has(p):
				case out[p] != tuber.PeerID{}:
					t.Errorf("the origin stands by for two with partition %d", p)
				default:
					out[p] = id
				}
			}
		}
	}
	return out
}

// Where all lean on one booster, one of them can ask the origin when it goes, and
// the others ask that one.
func TestOneOfARootsChildrenHasTheOriginBehindIt(t *testing.T) {
	c := testContent("/live.m3u8", 4, 300e3)
	h := newHistory(swarm(900e3, c, []tuber.BitsPerSecond{5e6}, repeat(6, 1e6)))
	booster := h.st.Peers[1].ID
	before := deputies(t, h.st, h.plan)
	for p := range c.K {
		if before[p] == (tuber.PeerID{}) || before[p] == booster {
			t.Fatalf("nobody has the origin behind it in partition %d", p)
		}
		for _, peer := range h.st.Peers[2:] {
			if peer.ID == before[p] {
				continue
			}
			stands := false
			for _, s := range h.plan.Peers[peer.ID].Sources {
				stands = stands || s.Standby && s.From != booster
			}
			if !stands {
				t.Errorf("%s has nobody but the booster to ask", peer.ID)
			}
		}
	}
	if again := MakePlan(State{Epoch: h.st.Epoch, Origin: h.st.Origin, Contents: h.st.Contents, Peers: h.st.Peers, Previous: &h.plan}, h.now); deputies(t, h.st, again) != before {
		t.Error("it was another one in a plan made afresh")
	}
	goes := map[string]func(n int, p Peer){
		"went away": func(n int, p Peer) { p.Away = true; h.becomes(n, p) },
		"left":      func(n int, _ Peer) { h.leaves(n) },
	}
	for _, how := range []string{"went away", "left"} {
		before := deputies(t, h.st, h.plan)
		n := slices.IndexFunc(h.st.Peers, func(p Peer) bool { return p.ID == before[0] })
		h.now = h.now.Add(time.Second)
		goes[how](n, h.st.Peers[n])
		for p, id := range deputies(t, h.st, h.plan) {
			if p < c.K && (id == tuber.PeerID{} || id == before[0]) {
				t.Errorf("after it %s, nobody has the origin behind it in partition %d", how, p)
			}
		}
	}
}
