package planner

import (
	"testing"

	"github.com/tubercdn/tuber"
)

// TestSlotsAreUsedWhereLinksAreShort: the slots suffice for all, but those who
// have them run out of links before they have given them all away.
func TestSlotsAreUsedWhereLinksAreShort(t *testing.T) {
	c := testContent("/live.m3u8", 8, 4e6)
	st := swarm(4.3e6, c, repeat(1, 40e6), append(repeat(104, 0), repeat(100, 9e6)...))
	plan := MakePlan(st, epochStart)
	checkPlan(t, st, plan)
	if len(plan.Short) != 0 {
		t.Errorf("short: %+v", plan.Short)
	}
	if got := copies(st, plan, c); got != 1 {
		t.Errorf("the origin sends %.2f copies, want 1", got)
	}
	tight := 0
	for _, pp := range plan.Peers {
		links := map[tuber.PeerID]bool{}
		for _, s := range pp.Sources {
			if !s.Standby {
				links[s.From] = true
			}
		}
		for _, a := range pp.Assignments {
			links[a.To] = true
		}
		if len(links) >= tuber.MaxLinks-tuber.StandbyLinks {
			tight++
		}
	}
	if tight == 0 {
		t.Error("nobody's links are all in use: this swarm shows nothing")
	}
}
