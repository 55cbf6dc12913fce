package planner

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// taken is how many partitions the boosters of a plan are to receive.
func taken(st State, plan tuber.Plan) int {
	n := 0
	for _, p := range st.Peers {
		if p.Role != tuber.RoleBooster {
			continue
		}
		for _, s := range plan.Peers[p.ID].Sources {
			if !s.Standby {
				n += s.Partitions.Len()
			}
		}
	}
	return n
}

// TestBoostersForgoCopiesWhereMeansAreShort: 8 x 60 slots are needed, and 480 + 16
// are there; four whole copies for boosters would be 16 too many.
func TestBoostersForgoCopiesWhereMeansAreShort(t *testing.T) {
	c := testContent("/live.m3u8", 8, 4e6)
	viewers := append(repeat(24, 0), repeat(36, 5e6)...) // of 9 slots
	short := swarm(4.3e6, c, repeat(4, 22.5e6), viewers) // of 42
	plan := MakePlan(short, epochStart)
	checkPlan(t, short, plan)
	if len(plan.Short) != 0 {
		t.Errorf("short: %+v", plan.Short)
	}
	if n := taken(short, plan); n < 4 || n > 16+8 {
		t.Errorf("boosters take %d partitions, want at most what is left", n)
	}
	short.Previous = &plan
	if again := MakePlan(short, epochStart); again.Version != plan.Version {
		t.Error("the plan changed although nothing else did")
	}

	few := short
	few.Peers = append(short.Peers[:5:5], short.Peers[25:]...) // 20 of those with nothing to give leave
	back := MakePlan(few, epochStart.Add(time.Minute))
	checkPlan(t, few, back)
	if n := taken(few, back); n != 4*8 {
		t.Errorf("boosters take %d partitions where means are plenty, want 32", n)
	}
}
