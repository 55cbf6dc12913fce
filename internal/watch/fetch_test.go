package watch

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
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
	m, chunks, key := signedSegment(t, body)
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		for i, c := range chunks[1:] {
			c = slices.Clone(c)
			if spoil && i == 1 {
				c[0] ^= 1
			}
			f := wire.Chunk{Content: m.Manifest().Content, Number: m.Manifest().First + tuber.ChunkNumber(i+1), Payload: c}.Append(nil)
			w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...))
		}
	}))
	t.Cleanup(srv.Close)
	v := memberOnly(t, srv.URL, key)
	v.give(t, m, chunks[:1], 0)
	return v, &asked
}

// signedSegment is a segment of the site /live/1.ts, its chunks and the site's key.
func signedSegment(t testing.TB, body []byte) (*tuber.SignedManifest, [][]byte, tuber.PublicKey) {
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
	return signed, chunks, tuber.PublicKeyOf(key)
}

// give lets chunks arrive whose indices in the segment begin at first.
func (v *viewer) give(t testing.TB, m *tuber.SignedManifest, chunks [][]byte, first int) {
	t.Helper()
	v.member.chunks.AddManifest(m)
	var all []tuber.VerifiedChunk
	for i, c := range chunks {
		chunk, err := m.Verify(m.Manifest().First+tuber.ChunkNumber(first+i), c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, chunk)
	}
	if err := v.member.peer.Give(v.member.cfg.Site, m.Manifest().Content, nil, all); err != nil {
		t.Fatal(err)
	}
}

// memberOnly is a viewer in a swarm whose planner does not answer.
func memberOnly(t testing.TB, base string, key tuber.PublicKey) *viewer {
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
	v.http.known = true
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

// Where HTTP is slow, no more is asked for than it brings while links may bring the rest.
func TestASlowLineIsAskedForLittleAtOnce(t *testing.T) {
	v, asked := lateSegment(t, segmentBody(1), false)
	v.http.rate = 2.5 * tuber.ChunkSize / fetchFor.Seconds()
	if _, err := v.bytesFromChunks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := "/.tuber/chunks/01000000000000000000000000000000?list=11-12"; (*asked)[0] != want {
		t.Errorf("asked %v first, want %v", (*asked)[0], want)
	}
}

func TestAFalsifiedChunkOverHTTPIsNotPlayed(t *testing.T) {
	v, asked := lateSegment(t, segmentBody(1), true)
	_, err := v.bytesFromChunks(t.Context())
	if !errors.Is(err, errChunkHTTP) || !errors.Is(err, tuber.ErrChunk) || len(*asked) != 1 {
		t.Errorf("got %v after %d requests, want the lie found at once", err, len(*asked))
	}
	_, before := v.member.chunks.Get(tuber.ContentID{1}, 11)
	_, lie := v.member.chunks.Get(tuber.ContentID{1}, 12)
	_, behind := v.member.chunks.Get(tuber.ContentID{1}, 13)
	if !before || lie || behind {
		t.Errorf("held: %v, %v, %v; want what was verified before the lie, and nothing else", before, lie, behind)
	}
}

// What came of an answer is of use, whether or not the rest does.
func TestRecordsAreTakenAsTheyCome(t *testing.T) {
	m, chunks, key := signedSegment(t, segmentBody(1))
	v := memberOnly(t, "http://127.0.0.1:1", key)
	c, first := m.Manifest().Content, m.Manifest().First
	r := &records{v: v, content: c}
	record := func(f wire.Frame) []byte {
		b := f.Append(nil)
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	}
	answer := record(wire.Update{Manifests: [][]byte{m.Raw()}})
	for i, b := range chunks[:2] {
		answer = append(answer, record(wire.Chunk{Content: c, Number: first + tuber.ChunkNumber(i), Payload: b})...)
	}
	for piece := range slices.Chunk(answer[:len(answer)-1], 1000) {
		if _, err := r.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	_, one := v.member.chunks.Get(c, first)
	_, two := v.member.chunks.Get(c, first+1)
	if !one || two || r.got != len(chunks[0]) {
		t.Errorf("held: %v, %v, %d bytes; want the first chunk, the second lacks a byte", one, two, r.got)
	}
	if _, err := r.Write(answer[len(answer)-1:]); err != nil || r.got != len(chunks[0])+len(chunks[1]) || len(r.rest) != 0 {
		t.Errorf("%d bytes and %d left (%v), want both", r.got, len(r.rest), err)
	}
	if _, err := r.Write([]byte{0xFF, 0, 0, 0}); err == nil {
		t.Error("a record of 4 GB is waited for")
	}
}

func TestNothingIsKnownOfASegment(t *testing.T) {
	v := memberOnly(t, "http://127.0.0.1:1", tuber.PublicKey{})
	began := time.Now()
	_, err := v.fromChunks(t.Context(), piece{path: "/live/9.ts"}, began)
	if took := time.Since(began); !errors.Is(err, errUnstated) || took < knownWithin || took > 2*time.Second {
		t.Errorf("got %v after %v, want to give up after %v", err, took, knownWithin)
	}
}

func (v *viewer) bytesFromChunks(ctx context.Context) ([]byte, error) {
	return v.fromChunks(ctx, piece{path: "/live/1.ts"}, time.Now())
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

// However an answer's records are cut on their way, the same is taken of them, and
// nothing that the site did not sign.
func FuzzRecords(f *testing.F) {
	body := segmentBody(1)
	m, chunks, key := signedSegment(f, body)
	v := memberOnly(f, "http://127.0.0.1:1", key)
	v.give(f, m, nil, 0)
	record := func(frame []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
	}
	first := record(wire.Chunk{Content: m.Manifest().Content, Number: m.Manifest().First, Payload: chunks[0]}.Append(nil))
	f.Add(append(record(wire.Update{Manifests: [][]byte{m.Raw()}}.Append(nil)), first...), uint(7))
	f.Add(append(first, first[:20]...), uint(len(first)))
	f.Add(binary.BigEndian.AppendUint32(nil, wire.MaxUpdate+1), uint(2))
	for _, frame := range corpusFrames(f) {
		f.Add(record(frame), uint(len(frame)/2))
	}
	f.Fuzz(func(t *testing.T, answer []byte, cut uint) {
		cut %= uint(len(answer) + 1)
		whole := &records{v: v, content: m.Manifest().Content}
		parted := &records{v: v, content: m.Manifest().Content}
		_, err := whole.Write(answer)
		_, errParted := parted.Write(answer[:cut])
		if errParted == nil {
			_, errParted = parted.Write(answer[cut:])
		}
		if (err != nil) != (errParted != nil) || whole.got != parted.got || whole.got > len(answer) {
			t.Fatalf("%x: %d bytes, %v; cut at %d: %d bytes, %v", answer, whole.got, err, cut, parted.got, errParted)
		}
	})
}

// corpusFrames are the frames of the corpus that Go and TypeScript share.
func corpusFrames(t testing.TB) (frames [][]byte) {
	text, err := os.ReadFile("../../wire/testdata/vectors/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Bytes string }
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		frame, err := hex.DecodeString(row.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, frame)
	}
	return frames
}
