// Command delay simulates, event by event, how long chunks take from the origin
// to every viewer down the trees that the real planner makes: homes' uplinks of
// several classes, each serialising what it sends, 5 to 45 ms between any two,
// chunks lost and repaired from standbys, viewers that come and go, NATs.
//
// Run it with `make bench-delay`. The ideal is K x chunk / rate + depth x
// latency: a peer that feeds as many as its uplink carries sends the last of
// them a chunk after K x chunk / rate, whatever the uplink. The delay ratio is the
// largest of p99 over the ideal among the swarms that nobody leaves, the growth
// ratio the p99 of the largest of them over that of the smallest.
//
// Every swarm is one cell here, however large: feeds from cell to cell, a hop or
// two more, are not simulated. With churn the plan stands and takes in what
// happens, as in a host.
package main

import (
	"flag"
	"fmt"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
)

const meanLatency = 0.025 // one way, seconds

func main() {
	most := flag.Int("most", 50_000, "leave out larger swarms")
	length := flag.Float64("seconds", 6, "of stream")
	flag.Parse()
	fmt.Printf("stream of %s, K = %d, chunks of %d KiB, 0.1 %% of the chunks lost on an edge, 2 %% sent again\n\n",
		crowd.Rate, crowd.K, tuber.ChunkSize>>10)
	fmt.Println("| viewers | churn a minute | p50 ms | p99 ms | ideal ms | p99 / ideal | depth | fully served / bound | origin copies | repaired | by HTTP | never came | plans |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	worst, least, last := 0.0, 0.0, 0.0
	for _, n := range []int{100, 1000, 10_000, 50_000} {
		if n > *most {
			continue
		}
		for _, churn := range []float64{0, 0.2} {
			r := measure(scenario{viewers: n, length: *length, loss: 0.001, resent: 0.02, churn: churn, replan: replanEvery})
			fmt.Println(r.row(n, churn))
			if churn == 0 {
				worst, last = max(worst, r.p99/r.ideal), r.p99
				if least == 0 {
					least = last
				}
			}
		}
	}
	fmt.Printf("\ngrowth ratio %.2f\ndelay ratio %.2f\n", last/least, worst)
}

// replanEvery is the planner's rhythm: what happens between two plans is taken in
// at once.
const replanEvery = 0.25 // seconds

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
func seeds(viewers int) int { return max(1, min(12, 12_000/viewers)) }

// measure runs a scenario in several swarms and puts their chunks together.
func measure(sc scenario) result {
	var r result
	var all delays
	var sum counts
	n := seeds(sc.viewers)
	chunks := 0
	for seed := range n {
		sc.seed = uint64(seed + 1)
		s := newSim(sc)
		s.run()
		s.delays(&all)
		chunks += len(s.cutAt)
		sum.add(s.count)
		plan := s.stand.Plan()
		shape := crowd.Read(&s.crowd.State, &plan)
		r.shape.Deepest = max(r.shape.Deepest, shape.Deepest)
		r.shape.Depth += shape.Depth / float64(n)
		r.shape.Served += shape.Served
		r.shape.Viewers += shape.Viewers
		r.bound += crowd.Bound(&s.crowd.State) / float64(n)
	}
	r.p50, r.p99, r.missing = all.at(0.50), all.at(0.99), all.missing
	r.ideal = crowd.K*chunkBits/float64(crowd.Rate) + float64(r.shape.Deepest)*meanLatency
	came := float64(sum.tree + sum.repair + sum.http)
	r.repaired, r.http, r.plans = float64(sum.repair)/came, float64(sum.http)/came, sum.plans
	r.copies = (sum.rootBytes + sum.httpBytes) / float64(chunks*tuber.ChunkSize)
	return r
}

// delays counts how long chunks took, in steps of a tenth of a millisecond: there
// are tens of millions.
type delays struct {
	count   [100_000]int
	came    int
	missing int // chunks that never came
}

const delayStep = 1e-4 // seconds

func (d *delays) add(seconds float64) {
	d.count[min(len(d.count)-1, int(seconds/delayStep))]++
	d.came++
}

// at is a quantile, in seconds.
func (d *delays) at(q float64) float64 {
	rest := int(q * float64(d.came))
	for n, count := range d.count {
		if rest -= count; rest < 0 {
			return float64(n) * delayStep
		}
	}
	return 0
}

// delays looks at the chunks cut after the warm-up, at every viewer that was
// there, past its own start, and stayed. What never came is counted apart.
func (s *sim) delays(d *delays) {
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
				d.add(float64(s.got[n][i]) - at)
			} else {
				d.missing++
			}
		}
	}
}

func (c *counts) add(o counts) {
	c.tree, c.repair, c.http, c.twice = c.tree+o.tree, c.repair+o.repair, c.http+o.http, c.twice+o.twice
	c.rootBytes, c.httpBytes, c.plans = c.rootBytes+o.rootBytes, c.httpBytes+o.httpBytes, c.plans+o.plans
}
