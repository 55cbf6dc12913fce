package watch

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// A full line brings the beginning and then nothing: the rest comes from links,
// and no byte is asked for twice.
func TestChunksGoOnWherePlainHTTPStands(t *testing.T) {
	body := segmentBody(1)
	m, chunks, key := signedSegment(t, body)
	const reached = tuber.ChunkSize + 100 // within the second chunk
	begun := make(chan struct{})
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Write(body[:reached])
		w.(http.Flusher).Flush()
		close(begun)
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	v := memberOnly(t, srv.URL, key)
	type answer struct {
		body []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		body, err := v.bytes(t.Context(), piece{url: srv.URL + "/live/1.ts", path: "/live/1.ts"})
		got <- answer{body, err}
	}()
	<-begun
	v.give(t, m, chunks[1:], 1)
	a := <-got
	if a.err != nil || string(a.body) != string(body) {
		t.Fatalf("got %d bytes and %v, want the segment", len(a.body), a.err)
	}
	if asked != 1 || v.count.plain != reached {
		t.Errorf("%d requests brought %d bytes, want one and %d", asked, v.count.plain, reached)
	}
}

func TestHowLongAnAnswerStillTakes(t *testing.T) {
	s := newProgress()
	if _, left := s.left(s.began.Add(time.Second)); left != time.Second {
		t.Errorf("silent for a second: %v, want as much again", left)
	}
	s.head(100_000)
	s.Write(make([]byte, 20_000))
	reached, left := s.left(s.first.Add(time.Second))
	if reached != 20_000 || left != 4*time.Second {
		t.Errorf("20,000 bytes of 100,000 came in a second: %d and %v, want 4 s", reached, left)
	}
}

// A segment that never comes is let go once the playlist lists it no more, and the
// player goes on near the live edge.
func TestASegmentThatHasLeftIsLetGo(t *testing.T) {
	t.Parallel()
	site := newLiveSite(t, sec)
	var hung atomic.Value // the path of the first segment that was asked for
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".ts") && (hung.CompareAndSwap(nil, r.URL.Path) || hung.Load() == r.URL.Path) {
			<-r.Context().Done()
			return
		}
		site.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	w := startWatch(t, Options{URL: srv.URL + "/live/index.m3u8"})
	eventually(t, "it plays on", func() bool { return w.least(1) >= 3 })
	if r := w.stopSkipping(); r.Skipped != 1 || r.Stalls != 0 || r.LatencyP50 > 6 {
		t.Errorf("%d let go, %d stalls, %.1f s behind live; want one, none, and about 4", r.Skipped, r.Stalls, r.LatencyP50)
	}
}
