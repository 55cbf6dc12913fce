// Command plan times the real planner: a whole plan, and what one viewer's
// leaving or joining costs a plan that stands. Past a cell's bound a swarm is
// many cells, planned one after the other.
//
// Times are CPU time of the planning thread, so that what else runs on the
// machine counts only as far as it takes away caches. To decide is who sends what
// to whom; to tell is to write down the parts of those for whom something
// changed, which is work for each peer that is told, as sending it is.
//
// Quality is what the partitions that come to viewers are worth after all the
// events (see crowd.Worth: the fewer hops the more, nothing if it does not come),
// over the same of a plan made afresh of the same peers.
//
// Run it with `make bench-plan`. The last lines are, for a full cell, the time per
// peer and partition of deciding, and of deciding and telling, a whole plan over
// the target of 100 ns, the p99 of a leave likewise over 100 us; and the worst
// quality of all sizes.
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
	cellBound    = planner.DefaultMaxCell // peers
	targetEdge   = 100                    // nanoseconds per peer and partition
	targetLeave  = 100 * time.Microsecond // p99
	improveAfter = 50                     // events between two background passes: 2 s at 20 % churn a minute in a full cell
)

func main() {
	most := flag.Int("most", 1_000_000, "leave out larger swarms")
	events := flag.Int("events", 100_000, "leaves and joins in each swarm")
	flag.Parse()
	runtime.LockOSThread()
	fmt.Printf("%s, %d cores, K = %d, stream of %s, %d leaves and joins in all, a background pass every %d of a cell's\n\n",
		runtime.Version(), runtime.NumCPU(), crowd.K, crowd.Rate, *events, improveAfter)
	fmt.Println("| peers | cells | whole plan ms | ns per peer and partition: decide + tell | leave decided us, p50 / p99 | and told | join and told us, p50 / p99 | told of a leave, p50 / p99 | pass us, p50 / p99 | quality | fed / fresh | depth, fresh | bytes per peer |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	full, quality := result{}, 1.0
	for _, n := range []int{1000, cellBound, 10_000, 100_000, 1_000_000} {
		if n > *most {
			continue
		}
		r := measure(n, *events)
		fmt.Println(r.row())
		quality = min(quality, r.quality())
		if n == cellBound {
			full = *r
		}
	}
	fmt.Printf("\ndecide ratio %.2f\nplan ratio %.2f\nleave-decide ratio %.2f\nleave ratio %.2f\nquality ratio %.3f\n",
		full.perEdge(full.decide)/targetEdge, full.perEdge(full.decide+full.tell)/targetEdge,
		float64(at(full.decided, 0.99))/float64(targetLeave), float64(at(full.leaves, 0.99))/float64(targetLeave), quality)
}

// result is a swarm's: sums over its cells, and all its events.
type result struct {
	peers, cells           int
	decide, tell           time.Duration // of a whole plan
	decided, leaves, joins []time.Duration
	passes                 []time.Duration
	told                   []time.Duration // peers told of a leave, as if nanoseconds
	now, fresh             crowd.Shape     // sums
	bytes                  uint64
}

func (r *result) perEdge(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / float64(r.peers*crowd.K)
}

func (r *result) quality() float64 { return r.now.Worth / r.fresh.Worth }

func (r *result) fed() float64 {
	return float64(r.now.Viewers*crowd.K-r.now.Unfed) / float64(max(1, r.fresh.Viewers*crowd.K-r.fresh.Unfed))
}

func (r *result) row() string {
	pair := func(all []time.Duration) string {
		return fmt.Sprintf("%.0f / %.0f", us(at(all, 0.5)), us(at(all, 0.99)))
	}
	return fmt.Sprintf("| %d | %d | %.1f | %.0f + %.0f | %s | %s | %s | %d / %d | %s | %.3f | %.4f | %.2f, %.2f | %d |",
		r.peers, r.cells, us(r.decide+r.tell)/1000, r.perEdge(r.decide), r.perEdge(r.tell), pair(r.decided), pair(r.leaves), pair(r.joins),
		at(r.told, 0.5), at(r.told, 0.99), pair(r.passes), r.quality(), r.fed(),
		r.now.Depth/float64(r.cells), r.fresh.Depth/float64(r.cells), r.bytes/uint64(r.peers))
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
	r.wholePlan(c)
	before := heap()
	stand, _ := planner.NewStanding(c.State, crowd.Now)
	r.bytes += heap() - before
	for n := range events {
		if n%2 == 0 {
			gone := planner.Change{Gone: []tuber.PeerID{c.Leave().ID}}
			begun := cpu()
			stand.Take(gone, crowd.Now)
			r.decided = append(r.decided, cpu()-begun)
			delta := stand.Tell()
			r.leaves = append(r.leaves, cpu()-begun)
			r.told = append(r.told, time.Duration(len(delta.Peers)))
		} else {
			come := planner.Change{Peers: []planner.Peer{c.Join()}}
			begun := cpu()
			stand.Apply(come, crowd.Now)
			r.joins = append(r.joins, cpu()-begun)
		}
		if n%improveAfter == improveAfter-1 {
			begun := cpu()
			stand.Improve(crowd.Now)
			r.passes = append(r.passes, cpu()-begun)
		}
	}
	last := stand.Plan()
	r.now = sum(r.now, crowd.Read(&c.State, &last))
	fresh := planner.MakePlan(c.State, crowd.Now)
	r.fresh = sum(r.fresh, crowd.Read(&c.State, &fresh))
}

// wholePlan adds the time of a plan made at once: the best of three, for the first
// ones pay for memory that is used again.
func (r *result) wholePlan(c *crowd.Crowd) {
	var decide, tell time.Duration
	for n := range 3 {
		runtime.GC() // of the run before
		begun := cpu()
		draft := planner.Decide(c.State, crowd.Now)
		decided := cpu()
		draft.Plan()
		if told := cpu(); n == 0 || told-begun < decide+tell {
			decide, tell = decided-begun, told-decided
		}
	}
	r.decide, r.tell = r.decide+decide, r.tell+tell
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func sum(a, b crowd.Shape) crowd.Shape {
	a.Viewers, a.Unfed, a.Depth, a.Worth = a.Viewers+b.Viewers, a.Unfed+b.Unfed, a.Depth+b.Depth, a.Worth+b.Worth
	a.Deepest = max(a.Deepest, b.Deepest)
	return a
}
