package watch

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/hls"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/wire"
)

// lateSegment is a viewer that knows a segment's manifest, has only its first
// chunk, and a host that answers GET PREFIX chunks with all others.
func lateSegment(t *testing.T, body []byte, spoil bool) (*viewer, *[]string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := tuber.Manifest{
		Content: tuber.ContentID{1}, First: 10, Length: uint32(len(body)), Ends: true, URL: "/live/1.ts",
		Expires: tuber.MillisOf(time.Now().Add(time.Minute)),
	}
	chunks := slices.Collect(slices.Chunk(body, tuber.ChunkSize))
	for _, c := range chunks {
		m.Digests = append(m.Digests, digest(c))
	}
	signed, err := tuber.SignManifest(key, m)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		for i, c := range chunks[1:] {
			c = slices.Clone(c)
			if spoil && i == 1 {
				c[0] ^= 1
			}
			f := wire.Chunk{Content: m.Content, Number: m.First + tuber.ChunkNumber(i+1), Payload: c}.Append(nil)
			w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...))
		}
	}))
	t.Cleanup(srv.Close)
	v := memberOnly(t, srv.URL, tuber.PublicKeyOf(key))
	v.member.chunks.AddManifest(signed)
	first, err := signed.Verify(m.First, chunks[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := v.member.peer.Give(v.member.cfg.Site, m.Content, nil, []tuber.VerifiedChunk{first}); err != nil {
		t.Fatal(err)
	}
	return v, &asked
}

// memberOnly is a viewer in a swarm whose planner does not answer.
func memberOnly(t *testing.T, base string, key tuber.PublicKey) *viewer {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{base: u, swarm: &pageConfig{Prefix: "/.tuber/", Site: key}}
	v, err := newViewer(s, &Options{Log: discard, Upload: tuber.Unlimited}, 0)
	if err != nil {
		t.Fatal(err)
	}
	v.line.media = &hls.Media{Target: time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { v.member.peer.Run(ctx) })
	wg.Go(func() {
		v.member.peer.Join(ctx, peer.Membership{
			Site: key, Chunks: v.member.chunks,
			Dial: func(context.Context) (control.Conn, error) { return nil, errors.New("away") },
		})
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		v.client.CloseIdleConnections()
	})
	eventually(t, "the swarm is entered", func() bool { return len(v.member.peer.Stats()) == 1 })
	return v
}

func TestMissingChunksAreFetchedAtTheLastMoment(t *testing.T) {
	body := segmentBody(1)
	v, asked := lateSegment(t, body, false)
	v.play.append(700*time.Millisecond, time.Now())
	began := time.Now()
	got, err := v.bytesFromChunks(t.Context())
	if err != nil || string(got) != string(body) {
		t.Fatalf("got %d bytes and %v, want the segment", len(got), err)
	}
	if want := []string{"/.tuber/chunks/01000000000000000000000000000000?list=11-15"}; !slices.Equal(*asked, want) {
		t.Errorf("asked %v, want %v", *asked, want)
	}
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("asked after %v: peers had time left", took)
	}
	if v.count.chunks != uint64(len(body)-tuber.ChunkSize) {
		t.Errorf("counted %d bytes, want %d", v.count.chunks, len(body)-tuber.ChunkSize)
	}
}

func TestAFalsifiedChunkOverHTTPIsNotPlayed(t *testing.T) {
	v, asked := lateSegment(t, segmentBody(1), true)
	_, err := v.bytesFromChunks(t.Context())
	if !errors.Is(err, errChunkHTTP) || !errors.Is(err, tuber.ErrChunk) || len(*asked) != 1 {
		t.Errorf("got %v after %d requests, want the lie found at once", err, len(*asked))
	}
	if _, ok := v.member.chunks.Get(tuber.ContentID{1}, 11); ok {
		t.Error("a chunk of an answer with a lie is held")
	}
}

func TestNothingIsKnownOfASegment(t *testing.T) {
	v := memberOnly(t, "http://127.0.0.1:1", tuber.PublicKey{})
	began := time.Now()
	_, err := v.fromChunks(t.Context(), piece{path: "/live/9.ts"})
	if took := time.Since(began); !errors.Is(err, errUnstated) || took < knownWithin || took > 2*time.Second {
		t.Errorf("got %v after %v, want to give up after %v", err, took, knownWithin)
	}
}

func (v *viewer) bytesFromChunks(ctx context.Context) ([]byte, error) {
	return v.fromChunks(ctx, piece{path: "/live/1.ts"})
}

func TestListOf(t *testing.T) {
	for _, c := range []struct {
		numbers []tuber.ChunkNumber
		want    string
	}{
		{nil, ""}, {[]tuber.ChunkNumber{7}, "7"}, {[]tuber.ChunkNumber{7, 9, 10, 11, 12, 14}, "7,9-12,14"},
	} {
		if got := listOf(c.numbers); got != c.want {
			t.Errorf("%v: got %q, want %q", c.numbers, got, c.want)
		}
	}
}
