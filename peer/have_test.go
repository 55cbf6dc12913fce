package peer

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// A chunk that somebody was asked for has come: whoever else may still send it is told
// so, and nobody of one that came as planned.
func TestOthersAreToldOfWhatHasCome(t *testing.T) {
	st, now := newStream(t, newKey(t), 2), time.Now()
	c, chunks := st.content.ID, st.segment(8).Chunks
	source, before, helper, standby := tuber.PeerID{1}, tuber.PeerID{2}, tuber.PeerID{3}, tuber.PeerID{4}
	s := &swarm{links: map[tuber.PeerID]*link{}, ks: map[tuber.ContentID]int{c: 2}, gets: legs{leg{before, c, 0}: {}}}
	for _, id := range []tuber.PeerID{source, before, helper, standby} {
		s.links[id] = &link{s: s, in: tuber.Introduction{Peer: id}, flows: map[tuber.ContentID]*flow{}}
	}
	s.plan = &tuber.PeerPlan{Sources: []tuber.Source{
		{Content: c, Partitions: 3, From: source}, {Content: c, Partitions: 3, From: standby, Standby: true},
	}}
	w := &wantSet{m: map[tuber.ChunkNumber]*want{}}
	s.wants = map[tuber.ContentID]*wantSet{c: w}
	w.add(1, &want{})
	w.add(2, &want{asked: []tuber.PeerID{standby, helper}, at: now})
	w.add(3, &want{asked: []tuber.PeerID{standby, helper}, at: now})
	told := func(from *link, n tuber.ChunkNumber) map[tuber.PeerID]bool {
		_, _, others := s.arrived(from, chunks[n])
		out := map[tuber.PeerID]bool{}
		for _, l := range others {
			out[l.id()] = true
		}
		return out
	}
	for _, x := range []struct {
		n    tuber.ChunkNumber
		from tuber.PeerID
		want []tuber.PeerID
	}{
		{1, source, nil},
		{2, helper, []tuber.PeerID{standby, source, before}},
		{3, source, []tuber.PeerID{standby, helper}}, // of another partition than what goes on
	} {
		got := told(s.links[x.from], x.n)
		if len(got) != len(x.want) {
			t.Errorf("chunk %d: %d are told, want %d", x.n, len(got), len(x.want))
		}
		for _, id := range x.want {
			if !got[id] {
				t.Errorf("chunk %d: %v is not told", x.n, id)
			}
		}
	}
}

// What the neighbour has by now is not sent, though it was asked for or is planned.
func TestWhatTheNeighbourHasIsNotSent(t *testing.T) {
	st, now := newStream(t, newKey(t), 1), time.Now()
	c, chunks := st.content.ID, st.segment(3).Chunks
	l := &link{flows: map[tuber.ContentID]*flow{}}
	l.flowLocked(c)
	for n, chunk := range chunks {
		l.q.push(&item{chunk: chunk, priority: []int{askPriority, 3, 3}[n], deadline: now.Add(time.Hour), queued: now}, now)
	}
	l.onHave(wire.Have{Content: c, Numbers: []tuber.ChunkNumber{0, 1, 7}})
	l.onHave(wire.Have{Content: tuber.ContentID{9}, Numbers: []tuber.ChunkNumber{1}})
	if len(l.flows) != 1 {
		t.Error("a neighbour made this side remember a content by its word alone")
	}
	if len(l.q.heap) != 1 || l.q.held[chunkKey{c, 2}] == nil || l.q.asks != 0 {
		t.Errorf("%d wait, %d of them asked for; want the last chunk alone", len(l.q.heap), l.q.asks)
	}
	for n, want := range []bool{true, true, false} {
		if got := l.hasSent(chunks[n]); got != want {
			t.Errorf("chunk %d need not be sent: %v, want %v", n, got, want)
		}
	}
}
