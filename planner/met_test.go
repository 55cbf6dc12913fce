package planner

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// A viewer that has met its share is linked to nobody new, but to those it knows,
// to boosters and to the origin.
func TestOneThatMetItsShareMeetsNobodyNew(t *testing.T) {
	c := testContent("/live.m3u8", 4, 1e6)
	st := swarm(20e6, c, repeat(1, 2e6), repeat(30, 3e6))
	known := map[tuber.PeerID]bool{st.Peers[3].ID: true, st.Peers[4].ID: true}
	st.Peers[2].Met = []tuber.PeerID{st.Peers[3].ID, st.Peers[4].ID}
	plan := MakePlan(st, epochStart)
	v := checkPlan(t, st, plan)
	if partitions(plan.Peers[st.Peers[2].ID]) != tuber.AllPartitions(c.K) {
		t.Error("it is not served")
	}
	for id, pp := range plan.Peers {
		for _, in := range pp.Introductions {
			a, b := v.peers[id], v.peers[in.Peer]
			if b.ID == st.Peers[2].ID {
				a, b = b, a
			}
			if a.ID == st.Peers[2].ID && b.Role == tuber.RoleViewer && !known[b.ID] {
				t.Errorf("%s is introduced to one it has not met", a.ID)
			}
		}
	}
}

// However often its neighbours change, a viewer sees 120 an hour at most.
func TestAViewerSeesFewAddressesAnHour(t *testing.T) {
	m := newMember(arrival{}, epochStart)
	m.role = tuber.RoleViewer
	now := epochStart
	seen, start := map[tuber.PeerID]bool{}, now
	for round := 0; now.Sub(start) < metFor; round++ {
		now = now.Add(time.Minute)
		m.forget(now)
		m.forgetMet(now)
		pp := &tuber.PeerPlan{}
		if m.acquaintances() == nil {
			for i := range tuber.MaxLinks {
				h := sha256.Sum256([]byte(fmt.Sprint(round, i)))
				id := tuber.PeerID(h[:16])
				seen[id] = true
				pp.Introductions = append(pp.Introductions, tuber.Introduction{Peer: id, Role: tuber.RoleViewer})
			}
		}
		m.introduce(pp, 1, now)
	}
	if len(seen) > metAnHour || len(seen) < metAnHour-tuber.MaxLinks {
		t.Errorf("it saw %d, want %d at most and not far fewer", len(seen), metAnHour)
	}
	now = now.Add(metFor)
	m.forget(now)
	if !m.forgetMet(now) || m.acquaintances() != nil {
		t.Error("an hour later it may still meet nobody")
	}
}
