package peer

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// othersLocked are those beside l who may still send a chunk that somebody was asked
// for.
func (s *swarm) othersLocked(l *link, c tuber.ContentID, n tuber.ChunkNumber, x *want) (out []*link) {
	k := s.ks[c]
	if k == 0 || s.plan == nil || len(x.asked) == 0 && x.rounds == 0 {
		return nil
	}
	p := n.Partition(k)
	add := func(id tuber.PeerID) {
		if o := s.links[id]; o != nil && o != l && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	for _, id := range x.asked {
		add(id)
	}
	for _, src := range s.plan.Sources {
		if src.Content == c && !src.Standby && src.Partitions.Has(p) {
			add(src.From)
		}
	}
	for leg := range s.gets {
		if leg.content == c && leg.p == p {
			add(leg.peer)
		}
	}
	return out
}

// tellHave tells neighbours that a chunk has come: on full lines, most answers would
// come a second time else.
func tellHave(others []*link, v tuber.VerifiedChunk) {
	for _, l := range others {
		l.send(wire.Have{Content: v.Content(), Numbers: []tuber.ChunkNumber{v.Number()}})
	}
}

// onHave drops what the neighbour has by now.
func (l *link) onHave(f wire.Have) {
	l.mu.Lock()
	defer l.mu.Unlock()
	flow := l.flows[f.Content]
	if flow == nil {
		return // nothing of it was ever on the way there
	}
	for _, n := range f.Numbers {
		l.q.forget(chunkKey{f.Content, n})
		flow.sent.add(n)
	}
	l.q.tick(time.Now())
}
