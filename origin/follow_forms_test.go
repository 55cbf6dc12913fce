package origin

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestFollowFragmentedStream(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.kind = "video/mp4"
		e.list = func(e *encoder, _ *http.Request) string {
			text := e.head()
			for n := e.first(); n <= e.newest(); n++ {
				if n%7 == 0 {
					text += "#EXT-X-DISCONTINUITY\n"
				}
				text += fmt.Sprintf("#EXT-X-MAP:URI=\"init-%d.mp4\"\n#EXTINF:2,\n%d.m4s\n", n/7, n)
			}
			return text
		}
		b.watch("/v/live.m3u8", 30*time.Second)
		b.pass(time.Second)
		last := e.newest()
		for n := last - 5; n <= last; n++ {
			for _, target := range []string{fmt.Sprintf("/v/init-%d.mp4", n/7), fmt.Sprintf("/v/%d.m4s", n)} {
				b.sameBody(target, made(target, e.size))
				if got := e.fetches(target); got != 1 {
					b.Errorf("%s: got %d fetches want 1", target, got)
				}
			}
		}
		for at, m := range b.got.manifests {
			if strings.Contains(m.Manifest().URL, "init") && m.Manifest().Expires < tuber.MillisOf(time.Now().Add(time.Hour)) {
				b.Errorf("the manifest of the init run %d expires with the window", at.n)
			}
		}
	})
}

func TestFollowByteRanges(t *testing.T) {
	const size = 2*tuber.ChunkSize + 10
	for name, ranges := range map[string]bool{"upstream knows ranges": true, "upstream answers whole bodies": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble, e *encoder) {
				whole := made("/all.mp4", 100*size)
				e.list = func(e *encoder, _ *http.Request) string {
					text := e.head() + fmt.Sprintf("#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"%d@0\"\n", size)
					for n := e.first(); n <= e.newest(); n++ {
						text += fmt.Sprintf("#EXTINF:2,\n#EXT-X-BYTERANGE:%d@%d\nall.mp4\n", size, n*size)
					}
					return text
				}
				e.other = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/all.mp4" {
						return false
					}
					w.Header().Set("Content-Type", "video/mp4")
					w.Header().Set("Etag", `"all"`)
					if !ranges {
						r.Header.Del("Range")
					}
					http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(whole)))
					return true
				}
				b.watch("/live.m3u8", 10*time.Second)
				b.pass(time.Second)
				b.sameBody("/all.mp4", whole[:size])
				last := int(e.newest())
				for n := last - 3; n <= last; n++ {
					b.sameBody(fmt.Sprintf("/all.mp4@%d", n*size), whole[n*size:(n+1)*size])
				}
				hits := e.fetches("viewer /all.mp4")
				from, to := (last-2)*size+5, last*size+20
				w := b.get("/all.mp4", "Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
				if w.Code != http.StatusPartialContent || w.Body.String() != string(whole[from:to]) {
					b.Errorf("range over pieces: got %d with %d bytes", w.Code, w.Body.Len())
				}
				if got, want := w.Header().Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(whole)); got != want {
					b.Errorf("Content-Range: got %q want %q", got, want)
				}
				w = b.get("/all.mp4", "Range", fmt.Sprintf("bytes=%d-%d", from, to-1), "If-Range", `"all"`)
				if w.Code != http.StatusPartialContent {
					b.Errorf("If-Range that holds: got %d want 206", w.Code)
				}
				if got := e.fetches("viewer /all.mp4"); got != hits {
					b.Errorf("the site was asked %d times for held bytes", got-hits)
				}
				w = b.get("/all.mp4", "Range", fmt.Sprintf("bytes=%d-%d", from, to-1), "If-Range", `"other"`)
				if w.Code != http.StatusOK && ranges {
					b.Errorf("If-Range of another body: got %d want 200 from the site", w.Code)
				}
				if w = b.get("/all.mp4", "Range", fmt.Sprintf("bytes=%d-%d", 50*size, 50*size+9)); w.Body.String() != string(whole[50*size:50*size+10]) && ranges {
					b.Errorf("range that is not held: got %d with %d bytes", w.Code, w.Body.Len())
				}
			})
		})
	}
}

func TestKeysAreNeverShared(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			if r.URL.Path == "/trick.m3u8" {
				return e.head() + "#EXT-X-KEY:METHOD=AES-128,URI=\"/x/../trick.ts\"\n#EXTINF:2,\ntrick.ts\n"
			}
			return e.head() + "#EXT-X-KEY:METHOD=AES-128,URI=\"secret.key\"\n" + strings.TrimPrefix(plainList(e, r), e.head())
		}
		b.watch("/live.m3u8", 10*time.Second)
		b.pass(time.Second)
		b.sameBody(fmt.Sprintf("/seg/%d.ts", e.newest()), made(fmt.Sprintf("/seg/%d.ts", e.newest()), e.size))
		if got := e.fetches("/secret.key"); got != 0 {
			b.Errorf("the key was fetched %d times", got)
		}
		b.watch("/trick.m3u8", 10*time.Second)
		if got := e.fetches("/trick.ts"); got != 0 {
			b.Errorf("a key that is listed as a segment was fetched %d times", got)
		}
	})
}

func TestEndedStream(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		stop := e.start.Add(11 * time.Second)
		e.list = func(e *encoder, _ *http.Request) string {
			text, last := e.head(), 10+uint64(stop.Sub(e.start)/e.target)
			for n := e.first(); n <= min(e.newest(), last); n++ {
				text += fmt.Sprintf("#EXTINF:2,\nseg/%d.ts\n", n)
			}
			if time.Now().After(stop) {
				text = strings.Replace(text, fmt.Sprint("SEQUENCE:", e.first()), fmt.Sprint("SEQUENCE:", last-5), 1)
				text += "#EXT-X-ENDLIST\n"
			}
			return text
		}
		b.watch("/live.m3u8", 20*time.Second)
		if !b.got.last().Ended {
			b.Error("the last update does not say that the stream ended")
		}
		hits := e.fetches("/live.m3u8")
		b.watch("/live.m3u8", 20*time.Second)
		if got := e.fetches("/live.m3u8"); got != hits {
			b.Errorf("an ended playlist was fetched %d times", got-hits)
		}
		b.pass(2 * idleAfter)
		if n := len(b.got.announced()); n != 0 {
			b.Errorf("contents: got %d want 0", n)
		}
	})
}

func TestRecordingsArePassedOn(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			return "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n"
		}
		b.watch("/film.m3u8", 10*time.Second)
		if got := e.fetches("/a.ts"); got != 0 {
			b.Errorf("a recording's segment was fetched %d times", got)
		}
	})
}

func TestPlaylistThatNeverParses(t *testing.T) {
	for name, text := range map[string]string{
		"not a playlist": "<html>", "cut": "#EXTM3U\n#EXT-X-TARGETDURATION:x\n", "segments only": "#EXTM3U\nseg/1.ts\n", "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble, e *encoder) {
				e.list = func(*encoder, *http.Request) string { return text }
				b.watch("/live.m3u8", 10*time.Second)
				if w := b.get("/live.m3u8"); w.Body.String() != text {
					b.Errorf("got %q want what the site answers", w.Body)
				}
				if pubs, _ := b.got.published(); pubs != 0 {
					b.Errorf("got %d publications want 0", pubs)
				}
			})
		})
	}
}

func TestPlaylistBreaksUnderWay(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		broken := func() bool { s := time.Since(e.start); return s > 10*time.Second && s < 16*time.Second }
		e.list = func(e *encoder, r *http.Request) string {
			if broken() {
				return "#EXTM3U\n#EXT-X-TARGETDURATION:oops\n"
			}
			return plainList(e, r)
		}
		b.watch("/live.m3u8", 13*time.Second)
		if w := b.get("/live.m3u8"); !strings.Contains(w.Body.String(), "oops") {
			b.Error("a viewer got an old playlist where the site's own is another")
		}
		b.watch("/live.m3u8", 10*time.Second)
		u := b.got.last()
		if age := tuber.MillisOf(time.Now()) - u.Issued; age > 3000 {
			b.Errorf("last update is %d ms old: the stream did not recover", age)
		}
	})
}

func TestStreamThatIsGone(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.other = func(w http.ResponseWriter, r *http.Request) bool {
			if time.Since(e.start) > 10*time.Second {
				http.NotFound(w, r)
				return true
			}
			return false
		}
		b.watch("/live.m3u8", 40*time.Second)
		if n := len(b.got.announced()); n != 0 {
			b.Errorf("contents: got %d want 0", n)
		}
		if w := b.get("/live.m3u8"); w.Code != http.StatusNotFound {
			b.Errorf("got %d want the site's 404", w.Code)
		}
	})
}

// TestOverSockets follows a stream of a real server and reads it back over a real one.
func TestOverSockets(t *testing.T) {
	list := "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:4\n#EXTINF:1,\n4.ts\n#EXTINF:1,\n5.ts\n"
	body := made("5", 5*tuber.ChunkSize+1)
	published := make(chan Publication, 64)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".m3u8") {
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
			fmt.Fprint(w, list)
			return
		}
		w.Header().Set("Content-Type", "video/mp2t")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}), func(c *Config) { c.Key, c.Publisher = testKey, channel(published) })
	runOrigin(t, s.origin)
	s.ask("GET", "/live.m3u8", nil)
	var first Publication
	select {
	case first = <-published:
	case <-time.After(patience):
		t.Fatal("nothing was published")
	}
	if len(first.Manifests) != 2 || first.Update == nil || string(first.Playlist) != list {
		t.Errorf("got %d manifests, update %v", len(first.Manifests), first.Update != nil)
	}
	res, got := s.ask("GET", "/5.ts", nil)
	if got != string(body) || res.Header.Get("Content-Type") != "video/mp2t" {
		t.Errorf("got %d bytes of %q want upstream's", len(got), res.Header.Get("Content-Type"))
	}
}

// channel is a Publisher for one reader.
type channel chan Publication

func (channel) SetContents([]tuber.Content) {}
func (c channel) Publish(p Publication) {
	select {
	case c <- p:
	default:
	}
}

// runOrigin runs an origin until the test ends.
func runOrigin(t *testing.T, o *Origin) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = o.Run(ctx) // the context's error
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	for !o.follower.start(func(context.Context) {}) {
		runtime.Gosched() // Run is about to begin
	}
}
