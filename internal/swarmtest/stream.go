package swarmtest

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/peer"
)

// The stream: small chunks, so that a few seconds have many.
const (
	rate      = tuber.BitsPerSecond(300e3)
	k         = 4
	chunkSize = 4096
	every     = time.Second * chunkSize * 8 / time.Duration(rate)
	playlist  = "#EXTM3U\n"
)

// piece is one chunk as it was cut.
type piece struct {
	at       time.Time
	manifest *tuber.SignedManifest
	chunk    tuber.VerifiedChunk
}

func (s *Stage) content() tuber.Content {
	const url = "/live.m3u8"
	return tuber.Content{ID: tuber.NewContentID(s.Site(), url, 1), URL: url, K: k, Rate: rate, Epoch: 1, Target: 2000}
}

// publish cuts a chunk at every tick until the stage ends.
func (s *Stage) publish() {
	t := time.NewTicker(every)
	defer t.Stop()
	rng := rand.New(rand.NewPCG(s.seed, 2))
	for n := tuber.ChunkNumber(0); ; n++ {
		select {
		case <-s.ctx.Done():
			return
		case <-t.C:
			p, err := s.cut(n, rng)
			if err != nil {
				s.t.Errorf("cut chunk %d: %v", n, err)
				return
			}
			s.mu.Lock()
			s.pieces = append(s.pieces, p)
			s.mu.Unlock()
			s.give(p, n)
		}
	}
}

func (s *Stage) cut(n tuber.ChunkNumber, rng *rand.Rand) (piece, error) {
	b := make([]byte, chunkSize)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	m, err := tuber.SignManifest(s.site, s.manifest(n, b))
	if err != nil {
		return piece{}, err
	}
	v, err := m.Verify(n, b)
	return piece{time.Now(), m, v}, err
}

func (s *Stage) manifest(n tuber.ChunkNumber, b []byte) tuber.Manifest {
	return tuber.Manifest{
		Content: s.content().ID, First: n, Length: uint32(len(b)), Ends: true, URL: fmt.Sprintf("/seg%d.ts", n),
		Expires: tuber.MillisOf(time.Now().Add(time.Minute)), Digests: []tuber.Digest{sha256.Sum256(b)},
	}
}

func (s *Stage) give(p piece, n tuber.ChunkNumber) {
	now := time.Now()
	u, err := tuber.SignUpdate(s.site, tuber.Update{
		Content: s.content().ID, Epoch: 1, Sequence: tuber.Sequence(n + 1), Issued: tuber.MillisOf(now),
		Expires: tuber.MillisOf(now.Add(time.Minute)), Next: n + 1, Target: 2000, K: k,
		URL: s.content().URL, Type: "application/vnd.apple.mpegurl",
	}, []byte(playlist))
	if err != nil {
		s.t.Errorf("sign update %d: %v", n, err)
		return
	}
	err = s.origin.peer.Publish(s.Site(), peer.Publication{
		Content: s.content(), Update: u, Playlist: []byte(playlist),
		Manifests: []*tuber.SignedManifest{p.manifest}, Chunks: []tuber.VerifiedChunk{p.chunk},
	})
	if err != nil && s.ctx.Err() == nil {
		s.t.Errorf("publish chunk %d: %v", n, err)
	}
}

// cutSoFar are the chunks so far, by number.
func (s *Stage) cutSoFar() []piece {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pieces[:len(s.pieces):len(s.pieces)]
}
