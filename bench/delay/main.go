// Command delay simulates, event by event, how long chunks take from the origin
// to every viewer down the trees that the real planner makes: homes' uplinks of
// several classes, each serialising what it sends, 5 to 45 ms between any two,
// chunks lost and repaired from standbys, viewers that come and go, NATs.
//
// Run it with `make bench-delay`. The ideal is K x chunk / rate + depth x
// latency: a peer that feeds as many as its uplink carries sends the last of
// them a chunk after K x chunk / rate, whatever the uplink. The ratio is the
// largest of p99 over the ideal among the swarms that nobody leaves.
package main

import (
	"flag"
	"fmt"
	"slices"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
)

const meanLatency = 0.025 // one way, seconds

func main() {
	most := flag.Int("most", 4000, "leave out larger swarms")
	length := flag.Float64("seconds", 12, "of stream")
	flag.Parse()
	fmt.Printf("stream of %s, K = %d, chunks of %d KiB, 0.1 %% of the chunks lost on an edge, 2 %% sent again\n\n",
		crowd.Rate, crowd.K, tuber.ChunkSize>>10)
	fmt.Println("| viewers | churn a minute | p50 ms | p99 ms | ideal ms | p99 / ideal | depth | fully served / bound | origin copies | repaired | by HTTP | never came | plans |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	worst := 0.0
	for _, n := range []int{100, 1000, 4000} {
		if n > *most {
			continue
		}
		for _, churn := range []float64{0, 0.2} {
			r := measure(scenario{viewers: n, length: *length, loss: 0.001, resent: 0.02, churn: churn, replan: replanEvery(n)})
			fmt.Println(r.row(n, churn))
			if churn == 0 {
				worst = max(worst, r.p99/r.ideal)
			}
		}
	}
	fmt.Printf("\ndelay ratio %.2f\n", worst)
}

// replanEvery is the planner's rhythm, slower where a plan takes longer.
func replanEvery(viewers int) float64 {
	if viewers > 1000 {
		return 1
	}
	return 0.25
}

type result struct {
	p50, p99, ideal float64 // seconds
	shape           crowd.Shape
	bound           float64 // share of the viewers
	copies          float64 // of the stream, HTTP included
	repaired, http  float64 // share of all chunks that came
	missing         int     // chunks that never came
	plans           int
}

func (r result) row(n int, churn float64) string {
	served := float64(r.shape.Served) / float64(max(r.shape.Viewers, 1))
	return fmt.Sprintf("| %d | %.0f %% | %.0f | %.0f | %.0f | %.2f | %.1f / %d | %.3f | %.2f | %.2f %% | %.3f %% | %d | %d |",
		n, 100*churn, 1000*r.p50, 1000*r.p99, 1000*r.ideal, r.p99/r.ideal, r.shape.Depth, r.shape.Deepest,
		served/r.bound, r.copies, 100*r.repaired, 100*r.http, r.missing, r.plans)
}

// seeds is how many swarms of a size are looked at together: in a small one the
// fate of a few chunks near the root is everybody's.
func seeds(viewers int) int { return max(1, min(8, 3000/viewers)) }

// measure runs a scenario in several swarms and puts their chunks together.
func measure(sc scenario) result {
	var r result
	var delays []float64
	var sum counts
	n := seeds(sc.viewers)
	chunks := 0
	for seed := range n {
		sc.seed = uint64(seed + 1)
		s := newSim(sc)
		s.run()
		d, missing := s.delays()
		delays, r.missing, chunks = append(delays, d...), r.missing+missing, chunks+len(s.cutAt)
		sum.add(s.count)
		shape := crowd.Read(&s.crowd.State, &s.plan)
		r.shape.Deepest = max(r.shape.Deepest, shape.Deepest)
		r.shape.Depth += shape.Depth / float64(n)
		r.shape.Served += shape.Served
		r.shape.Viewers += shape.Viewers
		r.bound += crowd.Bound(&s.crowd.State) / float64(n)
	}
	slices.Sort(delays)
	if len(delays) > 0 {
		r.p50, r.p99 = delays[len(delays)/2], delays[len(delays)*99/100]
	}
	r.ideal = crowd.K*chunkBits/float64(crowd.Rate) + float64(r.shape.Deepest)*meanLatency
	all := float64(sum.tree + sum.repair + sum.http)
	r.repaired, r.http, r.plans = float64(sum.repair)/all, float64(sum.http)/all, sum.plans
	r.copies = (sum.rootBytes + sum.httpBytes) / float64(chunks*tuber.ChunkSize)
	return r
}

// delays looks at the chunks cut after the warm-up, at every viewer that was
// there, past its own start, and stayed. What never came is counted apart.
func (s *sim) delays() (out []float64, missing int) {
	for n, at := range s.cutAt {
		if at < warmUp {
			continue
		}
		for i := range s.nodes {
			v := &s.nodes[i]
			if !v.watches || !v.alive || v.joined > 0 && at < v.joined+warmUp {
				continue
			}
			if s.has(int32(i), int32(n)) {
				out = append(out, float64(s.got[n][i])-at)
			} else {
				missing++
			}
		}
	}
	return out, missing
}

func (c *counts) add(o counts) {
	c.tree, c.repair, c.http, c.twice = c.tree+o.tree, c.repair+o.repair, c.http+o.http, c.twice+o.twice
	c.rootBytes, c.httpBytes, c.plans = c.rootBytes+o.rootBytes, c.httpBytes+o.httpBytes, c.plans+o.plans
}
