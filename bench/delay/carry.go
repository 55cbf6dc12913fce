package main

import (
	"bytes"
	"maps"
	"slices"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
	"github.com/tubercdn/tuber/planner"
)

// forward queues a chunk for those whom the plan names.
func (s *sim) forward(from, chunk int32, now float64) {
	for _, k := range s.nodes[from].kids[int(chunk)%crowd.K] {
		if k.from <= now {
			s.enqueue(from, send{to: k.to, chunk: chunk, how: byTree, priority: k.priority}, now)
		}
	}
}

// enqueue adds a chunk, or makes the one that waits more urgent. A tree brings a
// chunk once, so only what somebody asked for can be there twice.
func (s *sim) enqueue(from int32, x send, now float64) {
	n := &s.nodes[from]
	at := -1
	if x.how == byRepair || n.repairs > 0 {
		at = slices.IndexFunc(n.queue, func(y send) bool { return y.to == x.to && y.chunk == x.chunk })
	}
	switch {
	case at < 0:
		n.queue.push(x)
		n.repairs += repairs(x)
	case n.queue[at].priority < x.priority:
		n.repairs += repairs(x) - repairs(n.queue[at])
		n.queue[at] = x
		n.queue.up(at)
	}
	s.next(from, now)
}

func repairs(x send) int {
	if x.how == byRepair {
		return 1
	}
	return 0
}

// next begins to send the most urgent chunk, if the line is free.
func (s *sim) next(from int32, now float64) {
	n := &s.nodes[from]
	for n.alive && !n.busy && len(n.queue) > 0 && n.rate > 0 {
		x := n.queue.pop()
		n.repairs -= repairs(x)
		if !s.nodes[x.to].alive || s.has(x.to, x.chunk) || now-s.cutAt[x.chunk] > deadline {
			continue
		}
		n.busy = true
		done := now + chunkBits/n.rate
		s.push(event{at: done, kind: free, from: from})
		if from == 0 {
			s.count.rootBytes += tuber.ChunkSize
		}
		chance := s.rng.Float64()
		if chance < s.loss {
			continue
		}
		way := latency(from, x.to)
		if chance < s.loss+s.resent {
			way *= 3
		}
		s.push(event{at: done + way, kind: arrive, how: x.how, from: from, to: x.to, chunk: x.chunk})
	}
}

func (s *sim) arrive(e event) {
	n := &s.nodes[e.to]
	if !n.alive {
		return
	}
	if s.has(e.to, e.chunk) {
		s.count.twice++
		return
	}
	switch e.how {
	case byTree:
		s.count.tree++
		if way := s.nodes[e.from].way + latency(e.from, e.to); n.way == 0 || way < n.way {
			n.way = way
		}
		if s.onTree != nil {
			s.onTree(e.from, e.to, e.chunk, e.at)
		}
	case byRepair:
		s.count.repair++
	case byHTTP:
		s.count.http++
	}
	s.put(e.to, e.chunk, e.at)
	s.forward(e.to, e.chunk, e.at)
}

// look has everybody who lacks a late chunk ask the next helper, and the origin
// by HTTP when the deadline is near.
func (s *sim) look(e event) {
	first := s.lack[e.chunk] == nil
	if first {
		for i := range s.nodes {
			if n := &s.nodes[i]; !s.has(int32(i), e.chunk) && n.joined <= s.cutAt[e.chunk] && n.p.Role != tuber.RoleOrigin {
				s.lack[e.chunk] = append(s.lack[e.chunk], int32(i))
			}
		}
	}
	age := e.at - s.cutAt[e.chunk] - lateAfter
	part := tuber.Partition(int(e.chunk) % crowd.K)
	late := s.lack[e.chunk][:0]
	for _, to := range s.lack[e.chunk] {
		n := &s.nodes[to]
		if !n.alive || s.has(to, e.chunk) {
			continue
		}
		if n.watches && age >= deadline-httpAhead-lateAfter {
			if !n.askedHTTP[e.chunk] {
				n.askedHTTP[e.chunk] = true
				s.count.httpBytes += tuber.ChunkSize
				s.push(event{at: e.at + 2*latency(0, to), kind: arrive, how: byHTTP, to: to, chunk: e.chunk})
			}
			continue
		}
		late = append(late, to)
		if age < n.way {
			continue
		}
		if helper := s.helper(n, part, e.chunk); helper >= 0 {
			s.push(event{at: e.at + latency(helper, to), kind: asked, from: helper, to: to, chunk: e.chunk})
		}
	}
	s.lack[e.chunk] = late
	if len(late) > 0 && age < deadline-lateAfter {
		s.push(event{at: e.at + askEvery, kind: look, chunk: e.chunk})
	}
}

// helper is the next one who holds the chunk. Nobody is asked twice in a round,
// and between rounds there is a rest.
func (s *sim) helper(n *node, part tuber.Partition, chunk int32) int32 {
	all := n.helpers[part]
	for range all {
		turn := n.asked[chunk] % (len(all) + restFor)
		if turn >= len(all) {
			break
		}
		n.asked[chunk]++
		if h := all[turn]; s.nodes[h].alive && s.has(h, chunk) && s.nodes[h].rate > 0 {
			return h
		}
	}
	n.asked[chunk]++
	return -1
}

// people lets viewers leave and join as the churn has it. The plan stands and
// takes them in, and now and then it is improved.
func (s *sim) people(now float64) {
	n := s.churn * float64(s.viewers) * s.replan / 60
	k := int(n)
	if s.rng.Float64() < n-float64(k) {
		k++
	}
	var c planner.Change
	for range k {
		gone := s.crowd.Leave()
		i := s.index[gone.ID]
		s.nodes[i].alive, s.nodes[i].queue = false, nil
		c.Gone = append(c.Gone, gone.ID)
		come := s.crowd.Join()
		s.enter(come, now)
		c.Peers = append(c.Peers, come)
	}
	if k > 0 {
		s.adopt(s.stand.Apply(c, crowd.Now), now)
	}
	if now >= s.improveAt {
		s.improveAt = now + improveEvery
		s.adopt(s.stand.Improve(crowd.Now), now)
	}
}

// begin makes the first plan; its links are open.
func (s *sim) begin() {
	stand, plan := planner.NewStanding(s.crowd.State, crowd.Now)
	s.stand = stand
	s.adopt(plan, 0)
}

// adopt carries out what a plan says anew. Links that are new need their
// handshakes first; those at the very start are open.
func (s *sim) adopt(plan tuber.Plan, now float64) {
	s.count.plans++
	for _, id := range inOrder(plan.Peers) {
		pp := plan.Peers[id]
		i := s.index[id]
		n := &s.nodes[i]
		n.kids, n.helpers = [crowd.K][]kid{}, [crowd.K][]int32{}
		for _, in := range pp.Introductions {
			s.open(i, s.index[in.Peer], now)
		}
		for p := range tuber.Partition(crowd.K) {
			for _, a := range pp.Assignments {
				if j := s.index[a.To]; a.Partitions.Has(p) {
					n.kids[p] = append(n.kids[p], kid{j, int16(a.Priority), s.open(i, j, now)})
				}
			}
			for _, standby := range []bool{true, false} {
				for _, src := range pp.Sources {
					if src.Standby == standby && src.Partitions.Has(p) {
						n.helpers[p] = append(n.helpers[p], s.index[src.From])
					}
				}
			}
		}
	}
}

// inOrder lists the peers of a plan, always the same way.
func inOrder(peers map[tuber.PeerID]*tuber.PeerPlan) []tuber.PeerID {
	return slices.SortedFunc(maps.Keys(peers), func(a, b tuber.PeerID) int { return bytes.Compare(a[:], b[:]) })
}

func (s *sim) open(a, b int32, now float64) float64 {
	key := [2]int32{min(a, b), max(a, b)}
	at, ok := s.opened[key]
	if !ok {
		if s.count.plans > 1 {
			at = now + handshakes*2*latency(a, b)
		}
		s.opened[key] = at
	}
	return at
}
