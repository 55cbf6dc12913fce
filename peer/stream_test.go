package peer

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// stream cuts a content as an origin does.
type stream struct {
	t        testing.TB
	site     ed25519.PrivateKey
	content  tuber.Content
	next     tuber.ChunkNumber
	seq      tuber.Sequence
	playlist []byte
	bytes    map[tuber.ChunkNumber][]byte
}

func newStream(t testing.TB, site ed25519.PrivateKey, k int) *stream {
	url := "/live.m3u8"
	id := tuber.NewContentID(tuber.PublicKeyOf(site), url, 1)
	return &stream{
		t: t, site: site, bytes: map[tuber.ChunkNumber][]byte{}, playlist: []byte("#EXTM3U\n"),
		content: tuber.Content{ID: id, URL: url, K: k, Rate: 1.5e6, Epoch: 1, Target: 2000},
	}
}

// run cuts the next run of so many chunks; the last one is short.
func (st *stream) run(count int) (*tuber.SignedManifest, []tuber.VerifiedChunk) {
	st.t.Helper()
	m := tuber.Manifest{
		Content: st.content.ID, First: st.next, Expires: tuber.MillisOf(time.Now().Add(time.Minute)),
		URL: fmt.Sprintf("/seg%d.ts", st.next), Ends: true,
	}
	var data [][]byte
	for i := range count {
		b := make([]byte, tuber.ChunkSize)
		if i == count-1 {
			b = b[:1000]
		}
		_, _ = rand.Read(b)
		data = append(data, b)
		m.Digests = append(m.Digests, sha256.Sum256(b))
		m.Length += uint32(len(b))
	}
	s, err := tuber.SignManifest(st.site, m)
	if err != nil {
		st.t.Fatal(err)
	}
	var out []tuber.VerifiedChunk
	for i, b := range data {
		n := st.next + tuber.ChunkNumber(i)
		v, err := s.Verify(n, b)
		if err != nil {
			st.t.Fatal(err)
		}
		st.bytes[n] = b
		out = append(out, v)
	}
	st.next = m.Next()
	return s, out
}

// update signs the playlist of the moment.
func (st *stream) update() *tuber.SignedUpdate {
	st.t.Helper()
	st.seq++
	u, err := tuber.SignUpdate(st.site, tuber.Update{
		Content: st.content.ID, Epoch: 1, Sequence: st.seq, Issued: tuber.MillisOf(time.Now()),
		Expires: tuber.MillisOf(time.Now().Add(time.Minute)), Next: st.next, Target: 2000, K: uint8(st.content.K),
		URL: st.content.URL, Type: "application/vnd.apple.mpegurl",
	}, st.playlist)
	if err != nil {
		st.t.Fatal(err)
	}
	return u
}

// segment cuts a run and lists it.
func (st *stream) segment(count int) Publication {
	st.t.Helper()
	m, chunks := st.run(count)
	st.playlist = append(bytes.Clone(st.playlist), fmt.Sprintf("#EXTINF:2,\n%s\n", m.Manifest().URL)...)
	return Publication{
		Content: st.content, Update: st.update(), Playlist: st.playlist,
		Manifests: []*tuber.SignedManifest{m}, Chunks: chunks,
	}
}

// same holds every chunk that n has against the origin's bytes.
func (st *stream) same(n *node) {
	st.t.Helper()
	n.chunks.mu.Lock()
	defer n.chunks.mu.Unlock()
	for k, v := range n.chunks.chunks {
		if !bytes.Equal(v.Data(), st.bytes[k.n]) {
			st.t.Errorf("%s: chunk %d differs from the origin's", n.name, k.n)
		}
	}
}
