package main

import (
	"math/rand/v2"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
	"github.com/tubercdn/tuber/planner"
)

// scenario is one simulated swarm. Times are seconds.
type scenario struct {
	viewers int
	seed    uint64
	length  float64 // of the stream
	loss    float64 // share of the chunks that an edge loses for good
	resent  float64 // share of the chunks that arrive one round trip later
	churn   float64 // share of the viewers that leave, and join, in a minute
	replan  float64 // between two plans while people come and go
}

// The rules of links and repair, as package peer has them.
const (
	chunkBits    = tuber.ChunkSize * 8
	lateAfter    = 0.5  // after its manifest came, which waits in no queue
	askEvery     = 0.15 // the next helper is asked
	restFor      = 7    // times askEvery, once all were: then a new round begins
	deadline     = 6.0  // behind the live edge: then HTTP must have answered
	httpAhead    = 1.0  // of the deadline, HTTP is asked
	handshakes   = 7    // round trips until a new link carries chunks
	warmUp       = 2.0  // first seconds, in which links open, not counted
	improveEvery = 2.0  // the planner's background pass
)

// how a chunk came
const (
	byTree = iota
	byRepair
	byHTTP
)

type kind uint8

const (
	cut    kind = iota // the origin has chunk n
	arrive             // chunk n is at peer to
	free               // peer from can send its next chunk
	look               // who lacks chunk n asks somebody
	asked              // peer from hears that to lacks chunk n
	people             // churn and a new plan
)

type event struct {
	at       float64
	kind     kind
	how      uint8
	from, to int32
	chunk    int32
	order    uint64 // of making: ties are decided the same way every time
}

// before says which of two events comes first.
func (e *event) before(f *event) bool {
	if e.at != f.at {
		return e.at < f.at
	}
	return e.order < f.order
}

// send is one chunk that waits at an uplink.
type send struct {
	to, chunk int32
	how       uint8
	priority  int16
}

// before orders as package peer does: priority, then number; here also by
// receiver, so that a run is the same every time.
func (x *send) before(y *send) bool {
	switch {
	case x.priority != y.priority:
		return x.priority > y.priority
	case x.chunk != y.chunk:
		return x.chunk < y.chunk
	}
	return x.to < y.to
}

const askPriority = 256

// node is one peer of the simulation.
type node struct {
	p         planner.Peer
	rate      float64 // bits per second
	alive     bool
	joined    float64
	busy      bool
	queue     heap[send, *send]
	repairs   int // of the queue
	kids      [crowd.K][]kid
	helpers   [crowd.K][]int32 // standbys, then parents
	watches   bool             // a viewer that can be linked to
	way       float64          // of manifests, from the origin
	asked     map[int32]int    // by chunk: turns of asking
	askedHTTP map[int32]bool   // by chunk
}

type kid struct {
	to       int32
	priority int16
	from     float64 // the link is open from then on
}

// sim is one run.
type sim struct {
	scenario
	crowd     *crowd.Crowd
	rng       *rand.Rand
	stand     *planner.Standing
	nodes     []node
	index     map[tuber.PeerID]int32
	opened    map[[2]int32]float64 // when a link can carry chunks
	queue     heap[event, *event]
	made      uint64
	gap       float64 // between chunks
	improveAt float64
	cutAt     []float64   // by chunk
	got       [][]float32 // by chunk and node: when, 0 for not yet
	lack      [][]int32   // by chunk: who was late the last time
	count     counts
	onTree    func(from, to, chunk int32, at float64) // of a test; nil for none
}

// counts are what a run adds up.
type counts struct {
	tree, repair, http, twice int
	rootBytes, httpBytes      float64
	plans                     int
}

func newSim(sc scenario) *sim {
	s := &sim{
		scenario: sc, crowd: crowd.New(sc.seed, sc.viewers), rng: rand.New(rand.NewPCG(sc.seed, 2)),
		index: map[tuber.PeerID]int32{}, opened: map[[2]int32]float64{}, gap: chunkBits / float64(crowd.Rate),
	}
	for _, p := range s.crowd.State.Peers {
		s.enter(p, 0)
	}
	s.begin()
	for n := range int(sc.length / s.gap) {
		s.cutAt = append(s.cutAt, float64(n)*s.gap)
		s.got = append(s.got, make([]float32, len(s.nodes)))
		s.lack = append(s.lack, nil)
		s.push(event{at: s.cutAt[n], kind: cut, chunk: int32(n)})
	}
	if sc.churn > 0 {
		for at := sc.replan; at < sc.length; at += sc.replan {
			s.push(event{at: at, kind: people})
		}
	}
	return s
}

func (s *sim) push(e event) {
	s.made++
	e.order = s.made
	s.queue.push(e)
}

func (s *sim) enter(p planner.Peer, at float64) {
	s.index[p.ID] = int32(len(s.nodes))
	s.nodes = append(s.nodes, node{
		p: p, rate: float64(p.Upload), alive: true, joined: at, asked: map[int32]int{}, askedHTTP: map[int32]bool{},
		watches: p.Role == tuber.RoleViewer && p.Means.Reach != tuber.ReachNone,
	})
}

func (s *sim) run() {
	for len(s.queue) > 0 {
		switch e := s.queue.pop(); e.kind {
		case cut:
			s.put(0, e.chunk, e.at)
			s.forward(0, e.chunk, e.at)
			s.push(event{at: e.at + lateAfter, kind: look, chunk: e.chunk})
		case arrive:
			s.arrive(e)
		case free:
			s.nodes[e.from].busy = false
			s.next(e.from, e.at)
		case look:
			s.look(e)
		case asked:
			s.enqueue(e.from, send{to: e.to, chunk: e.chunk, how: byRepair, priority: askPriority}, e.at)
		case people:
			s.people(e.at)
		}
	}
}

func (s *sim) put(at, chunk int32, now float64) {
	for int(at) >= len(s.got[chunk]) {
		s.got[chunk] = append(s.got[chunk], 0)
	}
	s.got[chunk][at] = float32(now) + tiny
}

// tiny tells a chunk cut at 0 from one that did not come.
const tiny = 1e-6

func (s *sim) has(at, chunk int32) bool {
	return int(at) < len(s.got[chunk]) && s.got[chunk][at] > 0
}

// latency is one way between two peers, 5 to 45 ms, always the same.
func latency(a, b int32) float64 {
	x := uint64(min(a, b))<<32 | uint64(max(a, b))
	x ^= x >> 31
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	return 0.005 + 0.040*float64(x%1001)/1000
}
