// Command plan times the real planner: a whole plan, and what one viewer's
// leaving or joining costs a plan that stands. Past a cell's bound a swarm is
// many cells, planned one after the other.
//
// Times are CPU time of the planning thread, so that what else runs on the
// machine does not count. Quality is how many of the partitions that viewers need
// come to them after all the events, over a plan made afresh of the same peers;
// beside it stand the mean depths of both.
//
// Run it with `make bench-plan`. The last lines are the time per peer and
// partition of a whole plan at 4000 peers over the target of 100 ns, the p99 of a
// leave over 100 us, and the worst quality.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
	"github.com/tubercdn/tuber/planner"
)

const (
	cellBound    = 4000                   // peers
	targetEdge   = 100                    // nanoseconds per peer and partition
	targetLeave  = 100 * time.Microsecond // p99
	improveAfter = 50                     // events between two background passes: 2 s at 20 % churn a minute in a full cell
)

func main() {
	most := flag.Int("most", 1_000_000, "leave out larger swarms")
	events := flag.Int("events", 100_000, "leaves and joins in each swarm")
	flag.Parse()
	runtime.LockOSThread()
	fmt.Printf("%s, %d cores, K = %d, stream of %s, %d leaves and joins, a background pass every %d\n\n",
		runtime.Version(), runtime.NumCPU(), crowd.K, crowd.Rate, *events, improveAfter)
	fmt.Println("| peers | cells | whole plan ms | ns per peer and partition | leave us, p50 / p99 | join us, p50 / p99 | told of a leave, p50 / p99 | pass us, p50 / p99 | fed / fresh | depth, fresh | bytes per peer |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	perEdge, leave, quality := 0.0, 0.0, 1.0
	for _, n := range []int{1000, cellBound, 10_000, 100_000, 1_000_000} {
		if n > *most {
			continue
		}
		r := measure(n, *events)
		fmt.Println(r.row())
		if n == cellBound {
			perEdge = r.perEdge() / targetEdge
		}
		leave = max(leave, float64(at(r.leaves, 0.99))/float64(targetLeave))
		quality = min(quality, r.fed())
	}
	fmt.Printf("\nplan ratio %.2f\nleave ratio %.2f\nquality ratio %.3f\n", perEdge, leave, quality)
}

// result is a swarm's: sums over its cells, and all its events.
type result struct {
	peers, cells          int
	whole                 time.Duration
	leaves, joins, passes []time.Duration
	told                  []time.Duration // peers told of a leave, as if nanoseconds
	now, fresh            crowd.Shape     // sums; depths weighted by cells
	bytes                 uint64
}

func (r *result) perEdge() float64 {
	return float64(r.whole.Nanoseconds()) / float64(r.peers*crowd.K)
}

func (r *result) fed() float64 {
	return float64(r.now.Viewers*crowd.K-r.now.Unfed) / float64(max(1, r.fresh.Viewers*crowd.K-r.fresh.Unfed))
}

func (r *result) row() string {
	pair := func(all []time.Duration) string {
		return fmt.Sprintf("%.1f / %.1f", us(at(all, 0.5)), us(at(all, 0.99)))
	}
	return fmt.Sprintf("| %d | %d | %.1f | %.0f | %s | %s | %d / %d | %s | %.4f | %.2f, %.2f | %d |",
		r.peers, r.cells, us(r.whole)/1000, r.perEdge(), pair(r.leaves), pair(r.joins), at(r.told, 0.5), at(r.told, 0.99), pair(r.passes),
		r.fed(), r.now.Depth/float64(r.cells), r.fresh.Depth/float64(r.cells), r.bytes/uint64(r.peers))
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// at is a quantile of times.
func at(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

// measure plans n peers in cells of equal size and lets viewers come and go.
func measure(n, events int) *result {
	r := &result{cells: (n + cellBound - 1) / cellBound}
	for cell := range r.cells {
		r.cell(crowd.New(uint64(cell+1), sized(n/r.cells)), events/r.cells)
	}
	return r
}

// sized is how many viewers make so many peers with their boosters.
func sized(peers int) int { return (peers - 1) * 40 / 41 }

// cell measures one cell from its first plan to the last event.
func (r *result) cell(c *crowd.Crowd, events int) {
	r.peers += len(c.State.Peers)
	r.whole += wholePlan(c)
	before := heap()
	stand, _ := planner.NewStanding(c.State, crowd.Now)
	r.bytes += heap() - before
	now := crowd.Now
	for n := range events {
		if n%2 == 0 {
			gone := planner.Change{Gone: []tuber.PeerID{c.Leave().ID}}
			begun := cpu()
			delta := stand.Apply(gone, now)
			r.leaves = append(r.leaves, cpu()-begun)
			r.told = append(r.told, time.Duration(len(delta.Peers)))
		} else {
			come := planner.Change{Peers: []planner.Peer{c.Join()}}
			begun := cpu()
			stand.Apply(come, now)
			r.joins = append(r.joins, cpu()-begun)
		}
		if n%improveAfter == improveAfter-1 {
			begun := cpu()
			stand.Improve(now)
			r.passes = append(r.passes, cpu()-begun)
		}
	}
	last := stand.Plan()
	r.now = sum(r.now, crowd.Read(&c.State, &last))
	fresh := planner.MakePlan(c.State, crowd.Now)
	r.fresh = sum(r.fresh, crowd.Read(&c.State, &fresh))
}

// wholePlan is the time of a plan made at once: the best of three, for the first
// ones pay for memory that is used again.
func wholePlan(c *crowd.Crowd) time.Duration {
	best := time.Duration(0)
	for n := range 3 {
		runtime.GC() // of the run before
		begun := cpu()
		planner.MakePlan(c.State, crowd.Now)
		if took := cpu() - begun; n == 0 || took < best {
			best = took
		}
	}
	return best
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func sum(a, b crowd.Shape) crowd.Shape {
	a.Viewers, a.Unfed, a.Depth = a.Viewers+b.Viewers, a.Unfed+b.Unfed, a.Depth+b.Depth
	a.Deepest = max(a.Deepest, b.Deepest)
	return a
}
