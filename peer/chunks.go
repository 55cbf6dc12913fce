package peer

import (
	"github.com/tubercdn/tuber"
)

// Chunks is where a swarm's chunks rest. Its methods may be called from any
// goroutine.
type Chunks interface {
	// AddUpdate keeps the newest update of a content with its playlist; false
	// if it is not newer than the held one.
	AddUpdate(u *tuber.SignedUpdate, playlist []byte) bool
	// Update is the newest one and its playlist, nil if there is none.
	Update(c tuber.ContentID) (*tuber.SignedUpdate, []byte)
	// AddManifest keeps a manifest; false if it is known already.
	AddManifest(m *tuber.SignedManifest) bool
	// Manifest is the one whose run holds chunk n, nil if there is none.
	Manifest(c tuber.ContentID, n tuber.ChunkNumber) *tuber.SignedManifest
	// Manifests are those with Next() > from, ascending.
	Manifests(c tuber.ContentID, from tuber.ChunkNumber) []*tuber.SignedManifest
	// Put keeps a chunk; false if it is held already.
	Put(v tuber.VerifiedChunk) (bool, error)
	// Get finds a chunk; one from disk was verified again.
	Get(c tuber.ContentID, n tuber.ChunkNumber) (tuber.VerifiedChunk, bool)
	// Range says what is held of a content.
	Range(c tuber.ContentID) (tuber.Range, bool)
	// Contents lists what anything is held of.
	Contents() []tuber.ContentID
	// SetHolds says what the disk is for; k is the number of partitions of each content.
	SetHolds(k map[tuber.ContentID]int, holds []tuber.Hold)
	// Drop deletes a content that was withdrawn.
	Drop(c tuber.ContentID)
}

// Publication is what the origin has just cut of one content: Update and
// Playlist may be nil where only a run has closed.
type Publication struct {
	Content   tuber.Content
	Update    *tuber.SignedUpdate
	Playlist  []byte
	Manifests []*tuber.SignedManifest
	Chunks    []tuber.VerifiedChunk
}

// Publish gives the origin's own cut to its links: the update and the new
// manifests first, then the chunks of the assigned partitions. It queues and
// returns; what is in the publication must not change any more.
func (p *Peer) Publish(site tuber.PublicKey, pub Publication) error {
	s, err := p.swarm(site)
	if err != nil {
		return err
	}
	s.setK(pub.Content.ID, pub.Content.K)
	var update *tuber.SignedUpdate
	if pub.Update != nil {
		s.setK(pub.Content.ID, int(pub.Update.Update().K))
		s.m.Chunks.AddUpdate(pub.Update, pub.Playlist)
		update = pub.Update
	}
	for _, m := range pub.Manifests {
		s.m.Chunks.AddManifest(m)
	}
	s.pushUpdate(nil, pub.Content.ID, update, pub.Playlist, pub.Manifests)
	for _, c := range pub.Chunks {
		if _, err := s.m.Chunks.Put(c); err != nil {
			s.log.Warn("store a chunk", "content", c.Content(), "number", c.Number(), "err", err)
		}
		s.pushChunk(nil, c)
	}
	return nil
}
