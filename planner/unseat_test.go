package planner

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// Peers that only the origin may feed, because all others accused them, keep no
// partition from the others, in whatever order the accusations came.
func TestThoseWhomNobodyFeedsStarveNobody(t *testing.T) {
	c := testContent("/live.m3u8", 4, 300e3)
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		h := newHistory(swarm(900e3, c, nil, repeat(10, 1.2e6)))
		outcast := map[tuber.PeerID]bool{}
		for _, n := range rng.Perm(10)[:3] {
			outcast[h.st.Peers[1+n].ID] = true
		}
		for _, n := range rng.Perm(10) {
			h.now = h.now.Add(100 * time.Millisecond)
			h.becomes(1+n, shunning(h.st, h.st.Peers[1+n], outcast))
		}
		v := readPlan(t, h.st, h.plan)
		for _, p := range h.st.Peers[1:] {
			for k := range tuber.Partition(c.K) {
				if _, ok := v.parent[spot{c.ID, k, p.ID}]; !ok && !outcast[p.ID] {
					t.Fatalf("seed %d: partition %d does not come to a peer that others may feed", seed, k)
				}
			}
		}
	}
}

// shunning is p after it was accused by all, or accused these.
func shunning(st State, p Peer, outcast map[tuber.PeerID]bool) Peer {
	p.Avoid = nil
	for _, q := range st.Peers[1:] {
		if q.ID != p.ID && (outcast[p.ID] || outcast[q.ID]) {
			p.Avoid = append(p.Avoid, q.ID)
		}
	}
	slices.SortFunc(p.Avoid, func(a, b tuber.PeerID) int { return slices.Compare(a[:], b[:]) })
	return p
}
