package origin

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestAnswersFromMemory(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live.m3u8", 10*time.Second)
		target := fmt.Sprintf("/seg/%d.ts", e.newest()-1)
		body := made(target, e.size)
		etag := `"` + target + `"`
		for name, row := range map[string]struct {
			headers []string
			code    int
			body    []byte
			rng     string
		}{
			"whole":          {nil, 200, body, ""},
			"middle":         {[]string{"Range", "bytes=20000-40000"}, 206, body[20000:40001], fmt.Sprintf("bytes 20000-40000/%d", len(body))},
			"suffix":         {[]string{"Range", "bytes=-5"}, 206, body[len(body)-5:], fmt.Sprintf("bytes %d-%d/%d", len(body)-5, len(body)-1, len(body))},
			"open end":       {[]string{"Range", "bytes=49000-"}, 206, body[49000:], fmt.Sprintf("bytes 49000-%d/%d", len(body)-1, len(body))},
			"past the end":   {[]string{"Range", "bytes=99999999-"}, 416, nil, fmt.Sprintf("bytes */%d", len(body))},
			"same body":      {[]string{"Range", "bytes=0-0", "If-Range", etag}, 206, body[:1], fmt.Sprintf("bytes 0-0/%d", len(body))},
			"another body":   {[]string{"Range", "bytes=0-0", "If-Range", `"x"`}, 200, body, ""},
			"has it already": {[]string{"If-None-Match", etag}, 304, nil, ""},
			"with a cookie":  {[]string{"Cookie", "user=ann"}, 200, body, ""},
		} {
			w := b.get(target, row.headers...)
			if w.Code != row.code || row.code < 400 && !bytes.Equal(w.Body.Bytes(), row.body) {
				b.Errorf("%s: got %d with %d bytes want %d with %d", name, w.Code, w.Body.Len(), row.code, len(row.body))
			}
			if got := w.Header().Get("Content-Range"); got != row.rng {
				b.Errorf("%s: Content-Range: got %q want %q", name, got, row.rng)
			}
			if row.code == 200 && (w.Header().Get("Content-Type") != "video/mp2t" || w.Header().Get("Etag") != etag) {
				b.Errorf("%s: headers: got %v", name, w.Header())
			}
		}
		r := httptest.NewRequest(http.MethodHead, target, nil)
		w := httptest.NewRecorder()
		b.origin.ServeHTTP(w, r)
		if got, want := w.Header().Get("Content-Length"), fmt.Sprint(len(body)); w.Code != 200 || got != want || w.Body.Len() != 0 {
			b.Errorf("HEAD: got %d, length %s, %d bytes; want 200, %s, none", w.Code, got, w.Body.Len(), want)
		}
		if got := e.fetches("viewer " + target); got != 0 {
			b.Errorf("the site was asked %d times for a segment that is held", got)
		}
		b.get(target, "Authorization", "Basic x")
		if got := e.fetches("viewer " + target); got != 1 {
			b.Errorf("a request with credentials: the site was asked %d times want 1", got)
		}
	})
}

func TestPlaylistFromMemoryIsFresh(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live.m3u8", 10*time.Second)
		hits := e.fetches("viewer /live.m3u8")
		for range 40 {
			w := b.get("/live.m3u8")
			if got := w.Header().Get("Content-Type"); w.Code != 200 || got != "application/vnd.apple.mpegurl" {
				b.Fatalf("got %d %q", w.Code, got)
			}
			newest := fmt.Sprintf("seg/%d.ts", e.newest())
			if !bytes.Contains(w.Body.Bytes(), []byte(newest)) && time.Since(e.start)%e.target > e.target/8+minPoll {
				b.Errorf("%v after the start: the playlist lacks %s", time.Since(e.start), newest)
			}
			b.pass(330 * time.Millisecond)
		}
		if got := e.fetches("viewer /live.m3u8"); got != hits {
			b.Errorf("the site was asked %d times for a playlist that is held", got-hits)
		}
	})
}

// TestServesWhileCutting: a viewer that asks for a segment which is being cut
// gets its bytes as they come, and upstream is not asked again.
func TestServesWhileCutting(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.size = 10 * tuber.ChunkSize
		e.other = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/seg/16.ts" {
				return false
			}
			w.Header().Set("Content-Type", e.kind)
			w.Header().Set("Content-Length", fmt.Sprint(e.size))
			body := made(r.URL.Path, e.size)
			for i := 0; i < len(body); i += tuber.ChunkSize {
				_, _ = w.Write(body[i : i+tuber.ChunkSize])
				<-time.After(200 * time.Millisecond)
			}
			return true
		}
		b.watch("/live.m3u8", 10*time.Second)
		for e.fetches("/seg/16.ts") == 0 {
			b.pass(10 * time.Millisecond)
		}
		began := time.Now()
		w := b.get("/seg/16.ts")
		if !bytes.Equal(w.Body.Bytes(), made("/seg/16.ts", e.size)) {
			b.Errorf("got %d bytes of %d, or others", w.Body.Len(), e.size)
		}
		if took := time.Since(began); took < time.Second || took > 3*time.Second {
			b.Errorf("it took %v, want about the two seconds that upstream takes", took)
		}
		if got := e.fetches("/seg/16.ts") + e.fetches("viewer /seg/16.ts"); got != 1 {
			b.Errorf("upstream was asked %d times want 1", got)
		}
	})
}

func TestWindowIsEvicted(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live.m3u8", 10*time.Second)
		target := fmt.Sprintf("/seg/%d.ts", e.newest())
		life := time.Duration(e.window)*e.target*2 + margin*e.target // while listed, and as long again
		b.watch("/live.m3u8", life-5*time.Second)
		b.get(target)
		if got := e.fetches("viewer " + target); got != 0 {
			b.Error("a segment was evicted while players may want it (RFC 8216 section 6.2.2)")
		}
		b.watch("/live.m3u8", 10*time.Second)
		b.get(target)
		if got := e.fetches("viewer " + target); got != 1 {
			b.Errorf("a segment that left the window long ago: the site was asked %d times want 1", got)
		}
		m := b.origin.follower.memory
		if m.size > 20*e.size || len(m.order) > 20 || len(m.byURL) > 20 {
			b.Errorf("memory: got %d bytes in %d pieces under %d URLs", m.size, len(m.order), len(m.byURL))
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		m := b.origin.follower.memory
		m.limit = 2*e.size + 10
		for range 30 {
			b.get("/live.m3u8")
			b.pass(time.Second)
			if m.size > m.limit {
				b.Fatalf("memory: got %d bytes, at most %d", m.size, m.limit)
			}
		}
		sum := 0
		for _, p := range m.order {
			sum += p.length
		}
		if sum != m.size || m.size < e.size {
			b.Errorf("memory counts %d bytes and holds %d", m.size, sum)
		}
		target := fmt.Sprintf("/seg/%d.ts", e.newest())
		b.sameBody(target, made(target, e.size))
		m.limit = tuber.ChunkSize // less than one segment: it is published all the same
		b.watch("/live.m3u8", 5*time.Second)
		target = fmt.Sprintf("/seg/%d.ts", e.newest())
		b.sameBody(target, made(target, e.size))
		if m.size > m.limit {
			b.Errorf("memory: got %d bytes, at most %d", m.size, m.limit)
		}
	})
}
