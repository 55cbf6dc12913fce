// Command plan times the planner: a whole plan of a swarm, and the plan after
// one viewer left and one joined. Past a cell's bound a swarm is many cells.
//
// Run it with `make bench-plan`. The ratio is the time per peer and partition of
// a whole plan at 1000 peers over the target of 100 ns.
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
	cellBound = 4000 // peers
	target    = 100  // nanoseconds per peer and partition
)

func main() {
	most := flag.Int("most", 100_000, "leave out larger swarms")
	runs := flag.Int("runs", 5, "plans of each kind in a swarm of one cell; the median counts")
	flag.Parse()
	fmt.Printf("%s, %d cores, K = %d, stream of %s\n\n", runtime.Version(), runtime.NumCPU(), crowd.K, crowd.Rate)
	fmt.Println("| peers | cells | whole plan ms | ns per peer and partition | leave + join ms | edges touched by a leave, median / most | depth mean / most | fully served | stranded slots |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	ratio := 0.0
	for _, n := range []int{1000, cellBound, 10_000, 100_000} {
		if n > *most {
			continue
		}
		r := measure(n, *runs)
		fmt.Println(r.row())
		if n == 1000 {
			ratio = r.perEdge() / target
		}
	}
	fmt.Printf("\nplan ratio %.2f\n", ratio)
}

// result is a swarm's: sums over its cells, or medians of the runs.
type result struct {
	peers, cells int
	whole        time.Duration
	change       time.Duration // of one cell
	touched      int           // median
	mostTouched  int
	shape        crowd.Shape
}

func (r result) perEdge() float64 { return float64(r.whole.Nanoseconds()) / float64(r.peers*crowd.K) }

func (r result) row() string {
	return fmt.Sprintf("| %d | %d | %.1f | %.0f | %.2f | %d / %d | %.1f / %d | %.2f %% | %d |", r.peers, r.cells,
		ms(r.whole), r.perEdge(), ms(r.change), r.touched, r.mostTouched, r.shape.Depth, r.shape.Deepest,
		100*float64(r.shape.Served)/float64(max(r.shape.Viewers, 1)), r.shape.Stranded())
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// measure plans n peers in cells of equal size, one after the other. Of many
// cells each is planned once; of one cell each time is the median of the runs.
func measure(n, runs int) result {
	r := result{cells: (n + cellBound - 1) / cellBound}
	if r.cells > 1 {
		runs = 1
	}
	var changes []time.Duration
	var touched []int
	for cell := range r.cells {
		c := crowd.New(uint64(cell+1), sized(n/r.cells))
		r.peers += len(c.State.Peers)
		whole, plan := timed(c, runs)
		r.whole += whole
		s := crowd.Read(&c.State, &plan)
		r.shape.Deepest = max(r.shape.Deepest, s.Deepest)
		r.shape.Depth += s.Depth / float64(r.cells)
		r.shape.Served += s.Served
		r.shape.Viewers += s.Viewers
		r.shape.Free += s.Stranded() // one cell's free slots are of no use to another
		r.shape.Unfed += s.Unfed
		for range changesOf(runs) {
			c.State.Previous = &plan
			c.Leave()
			begun := time.Now()
			after := planner.MakePlan(c.State, crowd.Now)
			took := time.Since(begun)
			touched = append(touched, crowd.Differ(&plan, &after))
			c.State.Previous = &after
			c.Join()
			begun = time.Now()
			plan = planner.MakePlan(c.State, crowd.Now)
			changes = append(changes, took+time.Since(begun))
		}
	}
	slices.Sort(changes)
	slices.Sort(touched)
	r.change = changes[len(changes)/2]
	r.touched, r.mostTouched = touched[len(touched)/2], touched[len(touched)-1]
	return r
}

// changesOf is how many viewers leave a cell: a few in each of many cells, more
// where there is one.
func changesOf(runs int) int { return 4*runs - 3 }

// sized is how many viewers make so many peers with their boosters.
func sized(peers int) int { return (peers - 1) * 40 / 41 }

// timed makes a whole plan so often and returns the median time with the plan.
func timed(c *crowd.Crowd, runs int) (time.Duration, tuber.Plan) {
	var all []time.Duration
	var plan tuber.Plan
	for range runs {
		runtime.GC() // of the run before
		begun := time.Now()
		plan = planner.MakePlan(c.State, crowd.Now)
		all = append(all, time.Since(begun))
	}
	slices.Sort(all)
	return all[len(all)/2], plan
}
