// Command efficiency searches the highest rate of a stream at which the real
// planner still serves every viewer everything, and sets it against the class
// bound: the highest rate at which, for every set of classes of viewers, the
// uplinks that can reach the set carry what the set needs. Uplinks count in
// payload, as far as plans may fill them; beside it, the bound of the planner
// itself, which counts the whole slots that an uplink has at that rate.
//
// Run it with `make bench-efficiency`. The ratios are the lowest of all swarms.
package main

import (
	"flag"
	"fmt"
	"slices"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
	"github.com/tubercdn/tuber/planner"
)

const (
	slowest, fastest = 100e3, 50e6 // bits per second, of the search
	step             = 0.005       // of the bound
	swarms           = 5           // of each size
)

func main() {
	most := flag.Int("most", 2000, "leave out larger swarms")
	flag.Parse()
	fmt.Printf("K = %d; the median of %d swarms of a size, and the lowest\n\n", crowd.K, swarms)
	fmt.Println("| viewers | the planner serves all at Mbit/s | class bound Mbit/s | ratio, median | ratio, lowest | bound in slots Mbit/s | ratio, median | ratio, lowest |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	lowest, lowestSlots := 1.0, 1.0
	for _, n := range []int{20, 100, 500, 2000} {
		if n > *most {
			continue
		}
		var ratios, served, bounds, slots, slotRatios []float64
		for seed := range uint64(swarms) {
			c := crowd.New(seed+1, n)
			reachable(&c.State)
			bound := highest(&c.State)
			whole := fits(bound, func(rate float64) bool { return inSlots(&c.State, rate) })
			got := fits(bound, func(rate float64) bool { return serves(&c.State, rate) })
			served, bounds, ratios = append(served, got/1e6), append(bounds, bound/1e6), append(ratios, got/bound)
			slots, slotRatios = append(slots, whole/1e6), append(slotRatios, got/whole)
		}
		fmt.Printf("| %d | %.2f | %.2f | %.3f | %.3f | %.2f | %.3f | %.3f |\n", n, median(served), median(bounds), median(ratios), slices.Min(ratios),
			median(slots), median(slotRatios), slices.Min(slotRatios))
		lowest, lowestSlots = min(lowest, slices.Min(ratios)), min(lowestSlots, slices.Min(slotRatios))
	}
	fmt.Printf("\nslots ratio %.3f\nefficiency ratio %.3f\n", lowestSlots, lowest)
}

// reachable takes away those whom nobody can be linked to: they are served by
// HTTP at any rate.
func reachable(st *planner.State) {
	st.Peers = slices.DeleteFunc(st.Peers, func(p planner.Peer) bool { return p.Means.Reach == tuber.ReachNone })
}

// highest is the class bound in bits per second.
func highest(st *planner.State) float64 {
	low, high := float64(slowest), float64(fastest)
	for high/low > 1+step {
		if mid := (low + high) / 2; carries(st, mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// fits is the highest rate below the bound at which something holds. Whole slots
// fit some rates better than others: no bisection.
func fits(bound float64, holds func(rate float64) bool) float64 {
	rate := bound
	for rate > bound/2 && !holds(rate) {
		rate -= step * bound
	}
	return rate
}

// inSlots tells whether the planner's own bound leaves room for the rate.
func inSlots(st *planner.State, rate float64) bool {
	state := *st
	state.Contents = []tuber.Content{crowd.Content()}
	state.Contents[0].Rate = tuber.BitsPerSecond(rate)
	return planner.ClassBound(state, state.Contents[0].ID).Missing == 0
}

// serves tells whether a fresh plan gives every viewer the whole content.
func serves(st *planner.State, rate float64) bool {
	state := *st
	state.Contents = []tuber.Content{crowd.Content()}
	state.Contents[0].Rate = tuber.BitsPerSecond(rate)
	plan := planner.MakePlan(state, crowd.Now)
	has := map[tuber.PeerID]int{}
	for _, e := range crowd.Edges(&plan) {
		has[e.To]++
	}
	return !slices.ContainsFunc(st.Peers, func(p planner.Peer) bool { return p.Role == tuber.RoleViewer && has[p.ID] < crowd.K })
}

// carries tells whether the class bound leaves room for the rate. Boosters
// count less what they must be given so that they can fill their uplinks.
func carries(st *planner.State, rate float64) bool {
	viewers := 0
	for i := range st.Peers {
		if st.Peers[i].Role == tuber.RoleViewer {
			viewers++
		}
	}
	classes := []tuber.Reach{tuber.ReachDialable, tuber.ReachPunchable, tuber.ReachSymmetric}
	for set := 1; set < 1<<len(classes); set++ {
		supply, need := 0.0, 0.0
		for i := range st.Peers {
			p := &st.Peers[i]
			reaches := false
			for c, reach := range classes {
				in := set&(1<<c) != 0
				reaches = reaches || in && crowd.Links(p.Means.Reach, reach)
				if in && p.Role == tuber.RoleViewer && p.Means.Reach == reach {
					need += rate
				}
			}
			if !reaches {
				continue
			}
			gives := crowd.Gives(p, rate)
			if supply += gives; p.Role == tuber.RoleBooster {
				supply -= min(rate, gives/float64(viewers))
			}
		}
		if supply < need {
			return false
		}
	}
	return true
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
