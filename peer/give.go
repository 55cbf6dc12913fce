package peer

import (
	"time"

	"github.com/tubercdn/tuber"
)

// Give takes what came another way than over a link: manifests and chunks of
// one content that a viewer fetched over HTTP. They are kept, passed on by
// assignment, and no longer looked for. It queues and returns.
func (p *Peer) Give(site tuber.PublicKey, c tuber.ContentID, ms []*tuber.SignedManifest, chunks []tuber.VerifiedChunk) error {
	s, err := p.swarm(site)
	if err != nil {
		return err
	}
	var fresh []*tuber.SignedManifest
	for _, m := range ms {
		if m.Manifest().Content == c && s.m.Chunks.AddManifest(m) {
			fresh = append(fresh, m)
		}
	}
	if len(fresh) > 0 {
		s.expect(c, fresh)
		s.pushUpdate(nil, c, nil, nil, fresh)
	}
	for _, v := range chunks {
		fresh, err := s.m.Chunks.Put(v)
		if err != nil {
			s.log.Warn("store a chunk", "content", v.Content(), "number", v.Number(), "err", err)
		}
		s.settle(v)
		if fresh {
			s.pushChunk(nil, v)
		}
	}
	return nil
}

// Need has neighbours asked for chunks that a player waits for and that nobody is
// looked to for any more: what was given up, or is from before this side joined.
func (p *Peer) Need(site tuber.PublicKey, c tuber.ContentID, numbers []tuber.ChunkNumber) error {
	s, err := p.swarm(site)
	if err != nil {
		return err
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wantsLocked(c)
	for _, n := range numbers {
		if w.m[n] == nil && len(w.m) < maxWants {
			w.add(n, &want{due: now})
		}
	}
	return nil
}

// settle ends the wait for a chunk that came another way.
func (s *swarm) settle(v tuber.VerifiedChunk) {
	s.mu.Lock()
	var others []*link
	if w := s.wants[v.Content()]; w != nil && w.m[v.Number()] != nil {
		others = s.othersLocked(nil, v.Content(), v.Number(), w.m[v.Number()])
		delete(w.m, v.Number())
	}
	s.mu.Unlock()
	tellHave(others, v)
}
