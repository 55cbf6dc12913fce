package peer

import (
	"context"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// maxIntros is how many neighbours one plan may introduce.
const maxIntros = 1024

// obey carries out one message of the planner.
func (s *swarm) obey(m wire.Message) {
	switch m := m.(type) {
	case wire.Plan:
		s.apply(&m.PeerPlan)
	case wire.Signal:
		s.onSignal(m)
	case wire.Alive:
		if s.m.Confirmed != nil {
			s.m.Confirmed(m.Confirmed)
		}
	case wire.Contents:
		s.onContents(m.Contents)
	case wire.Quarantine:
		for _, id := range m.Peers {
			s.quarantine(id)
			if l := s.link(id); l != nil {
				l.condemned.Store(true)
				s.part(l.current(), wire.ByeBadChunk, "quarantined by the planner", errGone)
			}
		}
	case wire.Withdraw:
		for _, c := range m.Contents {
			s.withdraw(c)
		}
	}
}

func (s *swarm) onContents(contents []tuber.Content) {
	s.mu.Lock()
	s.contents = make(map[tuber.ContentID]tuber.Content, len(contents))
	for _, c := range contents {
		s.contents[c.ID] = c
		if s.ks[c.ID] == 0 && slices.Contains([]int{1, 2, 4, 8}, c.K) {
			s.ks[c.ID] = c.K
		}
	}
	s.mu.Unlock()
	s.setHolds()
	if s.m.Contents != nil {
		s.m.Contents(contents)
	}
}

func (s *swarm) withdraw(c tuber.ContentID) {
	s.mu.Lock()
	delete(s.contents, c)
	delete(s.wants, c)
	delete(s.ks, c)
	delete(s.pulled, c)
	s.mu.Unlock()
	for _, l := range s.allLinks() {
		l.forget(c)
	}
	s.m.Chunks.Drop(c)
}

// apply carries out a plan if it is newer than the one before.
func (s *swarm) apply(p *tuber.PeerPlan) {
	s.mu.Lock()
	if s.plan != nil && !p.Newer(s.plan) {
		s.mu.Unlock()
		return
	}
	s.overlapLocked(s.plan, p, time.Now())
	s.plan = p
	s.beat.Wake()
	intros := make(map[tuber.PeerID]tuber.Introduction, len(p.Introductions))
	for _, in := range p.Introductions {
		if in.Peer == in.Key.PeerID() && in.Peer != s.peer.id && len(intros) < maxIntros {
			intros[in.Peer] = in
		}
	}
	s.intros = intros
	for id := range s.offered {
		if _, ok := intros[id]; !ok {
			delete(s.offered, id)
		}
	}
	early := s.early
	s.early = nil
	s.keepLocked()
	ended := s.unneededLocked()
	s.mu.Unlock()
	for _, l := range ended {
		s.dismiss(l, "not needed any more")
	}
	for _, sig := range early {
		s.onSignal(sig)
	}
	s.setHolds()
	for _, l := range s.allLinks() {
		s.start(l)
		for _, src := range p.Sources {
			if src.From == l.id() {
				s.askPast(l, src.Content)
			}
		}
	}
	if s.m.Planned != nil {
		s.m.Planned(p)
	}
}

// keepLocked starts and ends the keepers of the links that this side offers.
func (s *swarm) keepLocked() {
	for id, stop := range s.keepers {
		if in, ok := s.intros[id]; !ok || !in.Offer {
			stop()
			delete(s.keepers, id)
		}
	}
	for id, in := range s.intros {
		_, bad := s.quarantined[id]
		if !in.Offer || bad || s.keepers[id] != nil || s.ctx.Err() != nil {
			continue
		}
		ctx, stop := context.WithCancel(s.ctx)
		s.keepers[id] = stop
		s.tasks.Go(func() { s.keep(ctx, in) })
	}
}

func (s *swarm) setHolds() {
	s.mu.Lock()
	ks := make(map[tuber.ContentID]int, len(s.ks))
	for c, k := range s.ks {
		ks[c] = k
	}
	var holds []tuber.Hold
	if s.plan != nil {
		holds = s.plan.Holds
	}
	s.mu.Unlock()
	s.m.Chunks.SetHolds(ks, holds)
}
