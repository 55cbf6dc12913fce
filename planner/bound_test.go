package planner

import (
	"testing"

	"github.com/tubercdn/tuber"
)

// Worked out by hand. The stream has 1 Mbit/s in 4 slots of 250 kbit/s; of an
// uplink 0.95 counts, in whole slots.
func TestClassBound(t *testing.T) {
	c := testContent("/live.m3u8", 4, 1e6)
	reach := func(r tuber.Reach, st State, which ...int) State {
		for _, i := range which {
			st.Peers[i].Means.Reach = r
		}
		return st
	}
	alone := func(st State, which ...int) State {
		for _, i := range which {
			st.Peers[i].Means.Relay = false
		}
		return st
	}
	tests := map[string]struct {
		st   State
		want Bound
	}{
		"nobody watches": {swarm(5e6, c, nil, nil), Bound{}},
		// 1.9 Mbit/s of the origin's are 7 slots; one viewer can use 4.
		"one viewer, fed by the origin": {swarm(2e6, c, nil, repeat(1, 0)), Bound{1e6, 1e6, 0, 1}},
		// 475 kbit/s are 1 slot; its own uplink is of no use to a viewer.
		"one viewer that cannot feed itself": {swarm(0.5e6, c, nil, repeat(1, 9e6)), Bound{1e6, 0.25e6, 0.75e6, 1}},
		// 7 slots of the origin and 3 of each viewer, for 4 x 4.
		"four viewers feed each other": {swarm(2e6, c, nil, repeat(4, 0.9e6)), Bound{4e6, 4.75e6, 0, 4}},
		// 4 slots and none.
		"three viewers without means": {swarm(1.1e6, c, nil, repeat(3, 0)), Bound{3e6, 1e6, 2e6, 3}},
		// 4 slots; the booster has 15, which 4 viewers can take, less the 4 that it is given.
		"a booster must be fed too": {swarm(1.1e6, c, repeat(1, 4e6), repeat(4, 0)), Bound{4e6, 3.75e6, 0.25e6, 4}},
		// The two at a symmetric NAT have the origin's 4 slots only; the other two could give 16.
		"symmetric viewers": {reach(tuber.ReachSymmetric, swarm(1.1e6, c, nil, repeat(4, 9e6)), 1, 2), Bound{2e6, 1e6, 1e6, 2}},
		// A dialable viewer may send 2 Mbit/s, 7 slots of it in use.
		"a dialable viewer reaches them": {reach(tuber.ReachDialable, reach(tuber.ReachSymmetric, swarm(1.1e6, c, nil, []tuber.BitsPerSecond{0, 9e6}), 1), 2), Bound{2e6, 2e6, 0, 2}},
		// Two that take no part in links between viewers have the origin only.
		"viewers without relay": {alone(swarm(1.1e6, c, nil, repeat(4, 9e6)), 1, 2), Bound{2e6, 1e6, 1e6, 2}},
		"nobody can be reached": {reach(tuber.ReachNone, swarm(1.1e6, c, nil, repeat(1, 0)), 1), Bound{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ClassBound(tt.st, c.ID); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// What a shortage says is missing is enough by the bound once a booster brings it.
func TestMissingIsWhatABoosterMustBring(t *testing.T) {
	c := testContent("/live.m3u8", 4, 1e6)
	for name, st := range map[string]State{
		"viewers without means":   swarm(2e6, c, nil, repeat(6, 0)),
		"viewers with little":     swarm(1.2e6, c, nil, repeat(20, 0.6e6)),
		"a booster that is small": swarm(2e6, c, repeat(1, 3e6), repeat(12, 0)),
	} {
		t.Run(name, func(t *testing.T) {
			short := MakePlan(st, epochStart).Short
			if len(short) != 1 {
				t.Fatalf("short: %v, want one content", short)
			}
			b := testPeer("new", tuber.RoleBooster, short[0].Missing)
			b.Means.Reach = tuber.ReachDialable
			st.Peers = append(st.Peers, b)
			if left := ClassBound(st, c.ID); left.Missing != 0 {
				t.Errorf("%s more, and the bound is short by %s still", short[0].Missing, left.Missing)
			}
			// With not one slot to spare the trees may strand a few.
			if left := MakePlan(st, epochStart).Short; len(left) != 0 && left[0].Viewers > 1 {
				t.Errorf("%s more, and still %v", short[0].Missing, left)
			}
		})
	}
}
