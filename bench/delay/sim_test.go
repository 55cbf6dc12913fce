package main

import (
	"math"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
	"github.com/tubercdn/tuber/planner"
)

var rough = scenario{viewers: 80, seed: 3, length: 6, loss: 0.01, resent: 0.05, churn: 2, replan: 0.5}

// TestEachChunkComesOnceDownItsTree: conservation, and nothing before its cause.
func TestEachChunkComesOnceDownItsTree(t *testing.T) {
	s := newSim(rough)
	type arrival struct{ to, chunk int32 }
	seen := map[arrival]bool{}
	s.onTree = func(from, to, chunk int32, at float64) {
		if seen[arrival{to, chunk}] {
			t.Errorf("chunk %d came to peer %d twice through its tree", chunk, to)
		}
		seen[arrival{to, chunk}] = true
		if !s.has(from, chunk) {
			t.Fatalf("peer %d sent chunk %d before it had it", from, chunk)
		}
		way := chunkBits/s.nodes[from].rate + latency(from, to)
		if held := float64(s.got[chunk][from]); at < held+way-1e-4 {
			t.Errorf("chunk %d came to peer %d at %.4f s, its parent had it at %.4f and the way takes %.4f", chunk, to, at, held, way)
		}
	}
	s.run()
	if len(seen) == 0 || len(seen) != s.count.tree {
		t.Errorf("%d arrivals through trees, counted %d", len(seen), s.count.tree)
	}
	if s.count.repair == 0 {
		t.Error("nothing was repaired although chunks were lost")
	}
	var d delays
	if s.delays(&d); d.missing > 0 {
		t.Errorf("%d chunks never came to viewers who stayed", d.missing)
	}
}

// TestUplinksKeepTheirRate: nobody sends more than its line carries.
func TestUplinksKeepTheirRate(t *testing.T) {
	sc := rough
	sc.churn, sc.loss = 0, 0
	s := newSim(sc)
	sent := map[int32]float64{}
	s.onTree = func(from, _, _ int32, _ float64) { sent[from] += chunkBits }
	s.run()
	for from, bits := range sent {
		if most := s.nodes[from].rate * (sc.length + deadline); bits > most {
			t.Errorf("peer %d sent %.0f bits, its line carries %.0f", from, bits, most)
		}
	}
	if got, want := s.count.rootBytes, float64(len(s.cutAt)*tuber.ChunkSize); got != want {
		t.Errorf("the origin sent %.0f bytes, want one copy: %.0f", got, want)
	}
}

func TestTheSameSeedIsTheSameRun(t *testing.T) {
	a, b := newSim(rough), newSim(rough)
	a.run()
	b.run()
	if a.count != b.count {
		t.Errorf("two runs of one seed: %+v and %+v", a.count, b.count)
	}
	other := rough
	other.seed++
	c := newSim(other)
	c.run()
	if a.count == c.count {
		t.Errorf("two seeds count the same: %+v", a.count)
	}
}

// TestLossIsRepaired: without standbys and HTTP the lost chunks are missing.
func TestLossIsRepaired(t *testing.T) {
	sc := rough
	sc.churn, sc.loss = 0, 0.2
	s := newSim(sc)
	for i := range s.nodes {
		s.nodes[i].helpers = [crowd.K][]int32{}
		s.nodes[i].watches = false // asks nobody by HTTP
	}
	s.run()
	for i := range s.nodes {
		s.nodes[i].watches = s.nodes[i].p.Role == tuber.RoleViewer && s.nodes[i].p.Means.Reach != tuber.ReachNone
	}
	var d delays
	if s.delays(&d); d.missing == 0 {
		t.Error("a fifth of the chunks was lost, nobody repaired, and nothing is missing")
	}
}

func TestBoundIsTheSmallestCut(t *testing.T) {
	peer := func(role tuber.Role, payload float64, reach tuber.Reach) planner.Peer {
		const filled = 0.95 // of an uplink, as the planner has it
		return planner.Peer{Role: role, Upload: tuber.BitsPerSecond(payload/filled + 1), Means: tuber.Means{Reach: reach}}
	}
	const r = float64(crowd.Rate)
	origin := peer(tuber.RoleOrigin, r, tuber.ReachDialable)
	tests := map[string]struct {
		peers []planner.Peer
		want  float64
	}{
		"one viewer":       {[]planner.Peer{origin, peer(tuber.RoleViewer, 0, tuber.ReachPunchable)}, 1},
		"two, one copy":    {[]planner.Peer{origin, peer(tuber.RoleViewer, 0, tuber.ReachPunchable), peer(tuber.RoleViewer, 0, tuber.ReachPunchable)}, 0.5},
		"two, one gives":   {[]planner.Peer{origin, peer(tuber.RoleViewer, r, tuber.ReachPunchable), peer(tuber.RoleViewer, 0, tuber.ReachPunchable)}, 1},
		"behind symmetric": {[]planner.Peer{origin, peer(tuber.RoleViewer, 2*r, tuber.ReachPunchable), peer(tuber.RoleViewer, 0, tuber.ReachSymmetric), peer(tuber.RoleViewer, 0, tuber.ReachSymmetric)}, 2. / 3},
		"a booster's copy": {[]planner.Peer{origin, peer(tuber.RoleBooster, r, tuber.ReachDialable), peer(tuber.RoleViewer, 0, tuber.ReachPunchable), peer(tuber.RoleViewer, 0, tuber.ReachPunchable)}, 0.5},
	}
	for name, tt := range tests {
		if got := crowd.Bound(&planner.State{Peers: tt.peers}); math.Abs(got-tt.want) > 1e-5 {
			t.Errorf("%s: got %.3f, want %.3f", name, got, tt.want)
		}
	}
}
