package peer

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// duty is what is owed to a neighbour whose link is open.
type duty struct {
	l        *link
	parts    tuber.Partitions
	priority int
}

// duties are the assignments of a content, those that go on too, but for the link it
// came from.
func (s *swarm) duties(from *link, c tuber.ContentID) []duty {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plan == nil {
		return nil
	}
	var out []duty
	for _, a := range s.plan.Assignments {
		if l := s.links[a.To]; a.Content == c && l != nil && l != from {
			out = append(out, duty{l, a.Partitions, int(a.Priority)})
		}
	}
	for x, r := range s.sends {
		if !s.givesLocked() {
			break // its owner has just said so: nothing goes on
		}
		if l := s.links[x.peer]; x.content == c && l != nil && l != from && !r.enough {
			out = append(out, duty{l, 1 << x.p, overlapPriority})
		}
	}
	return out
}

// pushUpdate passes an update and manifests on, before their chunks.
func (s *swarm) pushUpdate(from *link, c tuber.ContentID, u *tuber.SignedUpdate, playlist []byte, ms []*tuber.SignedManifest) {
	for _, d := range s.duties(from, c) {
		d.l.sendUpdate(c, u, playlist, ms)
	}
}

// pushChunk forwards a verified chunk at once.
func (s *swarm) pushChunk(from *link, v tuber.VerifiedChunk) {
	k := s.k(v.Content())
	if k == 0 {
		return
	}
	p := v.Number().Partition(k)
	now, aside := time.Now(), s.underWay(v.Content())
	for _, d := range s.duties(from, v.Content()) {
		if !d.parts.Has(p) || d.l.hasSent(v) {
			continue
		}
		if n := v.Number(); d.l.covers(v.Content(), p, n) && d.l.covers(v.Content(), p, n+aside) {
			continue // what fills a gap here is no news to a neighbour that has it
		}
		d.l.enqueue(&item{
			chunk: v, class: s.class(), priority: d.priority,
			deadline: now.Add(s.life(v.Content())), queued: now,
		})
	}
}

// underWay is how many numbers below the newest a neighbour may still be waiting
// for: two seconds of the content, for one parent may lag behind another.
func (s *swarm) underWay(c tuber.ContentID) tuber.ChunkNumber {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tuber.ChunkNumber(s.contents[c].Rate.BytesPerSecond()*2/tuber.ChunkSize) + tuber.MaxPartitions
}

func (l *link) hasSent(v tuber.VerifiedChunk) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sentLocked(chunkKey{v.Content(), v.Number()})
}

// start sends the newest playlist and the live window of each content that this
// side has begun to send to l.
func (s *swarm) start(l *link) {
	s.mu.Lock()
	var contents []tuber.ContentID
	var rate tuber.BitsPerSecond
	if s.plan != nil {
		for _, a := range s.plan.Assignments {
			if a.To == l.id() {
				rate += a.Rate
				contents = append(contents, a.Content)
			}
		}
	}
	s.mu.Unlock()
	l.setRate(rate)
	for _, c := range contents {
		l.mu.Lock()
		f := l.flowLocked(c)
		begin := f != nil && !f.started
		if begin {
			f.started = true
		}
		l.mu.Unlock()
		if begin {
			u, playlist := s.m.Chunks.Update(c)
			l.sendUpdate(c, u, playlist, s.window(c, 0))
		}
	}
}

// window are the manifests from a number on that have not expired: at most the
// playlist's window.
func (s *swarm) window(c tuber.ContentID, from tuber.ChunkNumber) []*tuber.SignedManifest {
	now := s.now()
	return slices.DeleteFunc(slices.Clone(s.m.Chunks.Manifests(c, from)), func(m *tuber.SignedManifest) bool {
		return m.Manifest().Expires < now
	})
}
