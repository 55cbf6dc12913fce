package peer

import (
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	orphanAfter = 500 * time.Millisecond // without a link to a source its standby is asked
	pullEvery   = 500 * time.Millisecond // for each of the hops that a chunk may have to be pulled over
)

// pull is what this side gets by asking while the one who should send is gone
// and the planner has not yet found another.
type pull struct {
	since time.Time // when a source was first missing
	asked time.Time
}

// pull asks standbys for the partitions whose sources have no link, or went
// silent: without a source neither chunks nor the manifests that name them would
// come. It tells whether any partition is without one.
func (s *swarm) pull(now time.Time) (pulling bool) {
	type wish struct {
		l *link
		f wire.Past
	}
	var wishes []wish
	s.mu.Lock()
	orphaned, silent, probes := s.orphanedLocked(now)
	for c := range s.pulled {
		if orphaned[c] == 0 {
			delete(s.pulled, c)
		}
	}
	for c, parts := range orphaned {
		x := s.pulled[c]
		if x == nil {
			x = &pull{since: now}
			s.pulled[c] = x
		}
		if now.Sub(x.since) < orphanAfter {
			parts &= silent[c] // for those it was waited long enough
		}
		if parts == 0 || now.Sub(x.asked) < pullEvery {
			continue
		}
		x.asked = now
		for _, src := range s.plan.Sources {
			l := s.links[src.From]
			if src.Content != c || !src.Standby || src.Partitions&parts == 0 || l == nil || l.condemned.Load() {
				continue
			}
			wishes = append(wishes, wish{l, wire.Past{Content: c, Partitions: src.Partitions & parts}})
			parts &^= src.Partitions
		}
	}
	pulling = len(s.pulled) > 0
	s.mu.Unlock()
	for _, l := range probes {
		l.probe(now)
	}
	for _, w := range wishes {
		if w.f.From = s.gap(w.f.Content, w.f.Partitions); w.f.From == 0 {
			w.f.Partitions = 0 // nothing is known yet: the playlist first
		}
		w.l.send(w.f)
	}
	return pulling
}

// orphanedLocked are the partitions of each content that a source should send
// that has no link or went silent; the latter once more, and who is to be asked for
// a sign of life.
func (s *swarm) orphanedLocked(now time.Time) (orphaned, silent map[tuber.ContentID]tuber.Partitions, probes []*link) {
	if s.plan == nil {
		return nil, nil, nil
	}
	orphaned, silent = map[tuber.ContentID]tuber.Partitions{}, map[tuber.ContentID]tuber.Partitions{}
	for _, src := range s.plan.Sources {
		l := s.links[src.From]
		if src.Standby {
			continue
		}
		if l == nil || l.condemned.Load() {
			orphaned[src.Content] |= src.Partitions &^ s.stillLocked(src.Content, now)
			continue
		}
		gone, probe := l.silent(now)
		if gone {
			lacks := src.Partitions &^ s.stillLocked(src.Content, now)
			orphaned[src.Content] |= lacks
			silent[src.Content] |= lacks
		}
		if probe {
			probes = append(probes, l)
		}
	}
	return orphaned, silent, probes
}

// gap is the lowest number of these partitions that is missing.
func (s *swarm) gap(c tuber.ContentID, parts tuber.Partitions) tuber.ChunkNumber {
	from := s.nextNumber(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	w, k := s.wants[c], s.ks[c]
	if w == nil || k == 0 {
		return from
	}
	for n := range w.m {
		if parts.Has(n.Partition(k)) {
			from = min(from, n)
		}
	}
	return from
}
