package demo

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// The counts follow RFC 8216: a discontinuity is counted once its tag slid out.
func TestLivePlaylist(t *testing.T) {
	for _, c := range []struct {
		complete, sequence, discontinuity, tags int
	}{
		{0, 0, 0, 0}, {1, 0, 0, 0}, {6, 0, 0, 0}, {7, 1, 0, 1}, {12, 6, 0, 1}, {13, 7, 1, 1}, {18, 12, 1, 1}, {19, 13, 2, 1},
	} {
		text := livePlaylist(c.complete)
		for _, want := range []string{
			fmt.Sprintf("#EXT-X-MEDIA-SEQUENCE:%d\n", c.sequence),
			fmt.Sprintf("#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", c.discontinuity),
		} {
			if !strings.Contains(text, want) {
				t.Errorf("after %d segments: want %q in\n%s", c.complete, want, text)
			}
		}
		if got := strings.Count(text, "#EXT-X-DISCONTINUITY\n"); got != c.tags {
			t.Errorf("after %d segments: %d discontinuities, want %d", c.complete, got, c.tags)
		}
		if got, want := strings.Count(text, ".ts\n"), min(c.complete, windowSegments); got != want {
			t.Errorf("after %d segments: %d listed, want %d", c.complete, got, want)
		}
	}
}

func TestSiteServesWhatItLists(t *testing.T) {
	now := time.Unix(1000, 0)
	s := &Site{Start: now, Now: func() time.Time { return now }}
	now = now.Add(15 * segmentDuration)
	w := get(t, s, "/live/index.m3u8")
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(line)
		if strings.HasSuffix(line, ".ts") {
			if got := get(t, s, "/live/"+line); got.Code != 200 || got.Body.Len() == 0 || got.Header().Get("Content-Type") != "video/mp2t" {
				t.Errorf("%s: status %d, %d bytes of %q", line, got.Code, got.Body.Len(), got.Header().Get("Content-Type"))
			}
		}
	}
	for _, path := range []string{"/live/15.ts", "/live/2.ts", "/live/x.ts", "/live/-1.ts"} {
		if got := get(t, s, path).Code; got != 404 {
			t.Errorf("%s: status %d, want 404", path, got)
		}
	}
	if got := get(t, s, "/"); got.Code != 200 || !strings.Contains(got.Body.String(), "<video") || strings.Contains(got.Body.String(), "tuber") {
		t.Errorf("page: status %d, with a player and without a word of Tuber, got\n%s", got.Code, got.Body)
	}
}
