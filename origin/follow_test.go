package origin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestFollowTransportStream(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live/index.m3u8", 20*time.Second)
		last := e.newest()
		b.pass(e.target / 2)
		for n := last - 8; n <= last; n++ {
			target := fmt.Sprintf("/live/seg/%d.ts", n)
			b.sameBody(target, made(target, e.size))
			if got := e.fetches(target); got != 1 {
				b.Errorf("%s: got %d fetches want 1", target, got)
			}
		}
		list := b.got.announced()
		if len(list) != 1 {
			b.Fatalf("contents: got %d want 1", len(list))
		}
		want := tuber.Content{
			ID:  tuber.NewContentID(tuber.PublicKeyOf(testKey), "/live/index.m3u8", 5),
			URL: "/live/index.m3u8", K: 1, Rate: tuber.BitsPerSecond(e.size * 8 / 2), Epoch: 5, Target: 2000,
		}
		if list[0] != want {
			b.Errorf("content: got %+v want %+v", list[0], want)
		}
		u := b.got.last()
		if got := b.got.covering(place{u.Content, u.LastFirst}).URL; got != fmt.Sprintf("/live/seg/%d.ts", e.newest()) {
			b.Errorf("last update shows %s, newest is %d", got, e.newest())
		}
		if u.Expires-u.Issued != 6000 || u.Target != 2000 || u.Ended || u.K != 1 {
			b.Errorf("update: got %+v", u)
		}
	})
}

func TestFollowIsAheadOfDemand(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live.m3u8", 10*time.Second)
		for range 10 {
			n := e.newest() + 1
			for e.newest() < n {
				b.pass(50 * time.Millisecond)
			}
			b.get("/live.m3u8")
			b.pass(e.target/8 + 100*time.Millisecond)
			if got := e.fetches(fmt.Sprintf("/seg/%d.ts", n)); got != 1 {
				b.Errorf("segment %d was not fetched within an eighth of its duration", n)
			}
		}
	})
}

func TestPersonalPlaylistSharesNothing(t *testing.T) {
	for name, list := range map[string]func(e *encoder, r *http.Request) string{
		"by cookie": func(e *encoder, r *http.Request) string {
			if c, err := r.Cookie("user"); err == nil {
				return strings.ReplaceAll(plainList(e, r), "seg/", "seg/"+c.Value+"/")
			}
			return plainList(e, r)
		},
		"by every request": func(e *encoder, r *http.Request) string {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.hits["n"]++
			return strings.ReplaceAll(plainList(e, r), ".ts", fmt.Sprintf(".ts?id=%d", e.hits["n"]))
		},
		"key by cookie": func(e *encoder, r *http.Request) string {
			c, _ := r.Cookie("user")
			return e.head() + fmt.Sprintf("#EXT-X-KEY:METHOD=AES-128,URI=\"k?%v\"\n", c) + strings.TrimPrefix(plainList(e, r), e.head())
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble, e *encoder) {
				e.list = list
				b.watch("/live.m3u8", 20*time.Second, "Cookie", "user=ann")
				if pubs, _ := b.got.published(); pubs != 0 || len(b.got.announced()) != 0 {
					b.Errorf("got %d publications and %d contents want none", pubs, len(b.got.announced()))
				}
			})
		})
	}
}

func TestPersonalMasterSharesNothing(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			if r.URL.Path != "/master.m3u8" {
				return plainList(e, r)
			}
			name := "anyone"
			if c, err := r.Cookie("user"); err == nil {
				name = c.Value
			}
			return "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000\n" + name + "/live.m3u8\n"
		}
		b.get("/master.m3u8", "Cookie", "user=ann")
		b.pass(time.Second)
		b.watch("/ann/live.m3u8", 10*time.Second, "Cookie", "user=ann")
		if pubs, _ := b.got.published(); pubs != 0 {
			b.Errorf("got %d publications of a playlist that only ann's master names", pubs)
		}
		b.get("/master.m3u8")
		b.pass(time.Second)
		b.watch("/anyone/live.m3u8", 10*time.Second)
		if pubs, _ := b.got.published(); pubs == 0 {
			b.Error("the playlist that everyone's master names was not followed")
		}
	})
}

// TestCanary has a site that puts a mark into everything it gives to a user
// with a cookie: the mark must not be in anything that is published.
func TestCanary(t *testing.T) {
	const mark = "MARK-OF-ANN"
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			text := plainList(e, r)
			if r.Header.Get("Cookie") != "" {
				text += "# " + mark + "\n"
			}
			return text
		}
		e.other = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Cookie") == "" || strings.HasSuffix(r.URL.Path, ".m3u8") {
				return false
			}
			w.Header().Set("Content-Type", "video/mp2t")
			fmt.Fprint(w, mark)
			return true
		}
		for range 10 {
			b.get("/live.m3u8", "Cookie", "user=ann", "X-Viewer", "ann")
			b.get(fmt.Sprintf("/seg/%d.ts", e.newest()), "Cookie", "user=ann", "X-Viewer", "ann")
			b.pass(time.Second)
			b.get("/live.m3u8", "Cookie", "user=bob", "X-Viewer", "bob")
			b.pass(time.Second)
		}
		if pubs, _ := b.got.published(); pubs < 5 {
			b.Fatalf("got %d publications: the stream was not followed", pubs)
		}
		if strings.Contains(string(b.got.raw), mark) {
			b.Error("a user's mark was published")
		}
	})
}

func TestPrivateStreams(t *testing.T) {
	reply := func(name, value string, on func(path string) bool) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if on(r.URL.Path) {
				w.Header().Set(name, value)
			}
			return false
		}
	}
	list := func(p string) bool { return strings.HasSuffix(p, ".m3u8") }
	segment := func(p string) bool { return !list(p) }
	for name, other := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"playlist sets a cookie": reply("Set-Cookie", "a=b", list),
		"playlist is private":    reply("Cache-Control", "private", list),
		"segment is no-store":    reply("Cache-Control", "no-store", segment),
		"segment sets a cookie":  reply("Set-Cookie", "a=b", segment),
		"segment varies":         reply("Vary", "Cookie", segment),
		"segment comes encoded":  reply("Content-Encoding", "br", segment),
		"anonymous is refused": func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Cookie") == "" {
				w.WriteHeader(http.StatusForbidden)
				return true
			}
			return false
		},
		"anonymous is sent elsewhere": func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Cookie") == "" {
				http.Redirect(w, r, "/login", http.StatusFound)
				return true
			}
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble, e *encoder) {
				e.other = other
				b.watch("/live.m3u8", 15*time.Second, "Cookie", "user=ann")
				if pubs, _ := b.got.published(); pubs != 0 || len(b.got.announced()) != 0 {
					b.Errorf("got %d publications want none", pubs)
				}
			})
		})
	}
}

func TestForeignURLsShareNothing(t *testing.T) {
	for _, uri := range []string{"https://cdn.example/1.ts", "//cdn.example/1.ts", "data:video/mp2t,x", "{$host}/1.ts", "http://u:p@example.com/1.ts"} {
		t.Run(uri, func(t *testing.T) {
			inBubble(t, func(b *bubble, e *encoder) {
				e.list = func(e *encoder, r *http.Request) string { return plainList(e, r) + "#EXTINF:2,\n" + uri + "\n" }
				b.watch("/live.m3u8", 8*time.Second)
				if pubs, _ := b.got.published(); pubs != 0 {
					b.Errorf("got %d publications want none", pubs)
				}
			})
		})
	}
}

func TestStopsAndGoesOn(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live.m3u8", 10*time.Second)
		id := b.got.announced()[0].ID
		_, before := b.got.published()
		for range 4 { // nobody asks over HTTP, but peers want it
			b.origin.Watching(id, true)
			b.pass(30 * time.Second)
		}
		if _, now := b.got.published(); now < before+50 {
			b.Errorf("got %d updates in two minutes of wanting, want about 60", now-before)
		}
		b.pass(2 * time.Minute)
		if got := len(b.got.announced()); got != 0 {
			b.Errorf("contents after nobody watched: got %d want 0", got)
		}
		hits := e.fetches("/live.m3u8")
		b.pass(time.Minute)
		if got := e.fetches("/live.m3u8"); got != hits {
			b.Errorf("upstream was asked %d times without viewers", got-hits)
		}
		next := b.got.last().Next
		b.watch("/live.m3u8", 10*time.Second)
		list := b.got.announced()
		if len(list) != 1 || list[0].ID != id {
			b.Fatalf("contents after it was watched again: got %+v", list)
		}
		if got := b.got.last().Next; got <= next {
			b.Errorf("numbers after a pause: next %d after %d", got, next)
		}
	})
}

func TestFollowAlways(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.pass(5 * time.Minute)
		if list := b.got.announced(); len(list) != 1 || list[0].URL != "/low.m3u8" {
			b.Errorf("contents: got %+v want /low.m3u8", list)
		}
		if _, updates := b.got.published(); updates < 140 {
			b.Errorf("got %d updates in five minutes want about 150", updates)
		}
	}, func(c *Config) {
		c.Follow, c.Always = FollowAlways, []string{"/master.m3u8"}
		c.Handler.(*encoder).list = func(e *encoder, r *http.Request) string {
			if r.URL.Path == "/master.m3u8" {
				return "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000\nlow.m3u8\n"
			}
			return plainList(e, r)
		}
	})
}

func TestPartitionsAreFixedForLife(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.other = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, ".ts") || time.Since(e.start) < 10*time.Second {
				return false
			}
			w.Header().Set("Content-Type", e.kind)
			_, _ = w.Write(made(r.URL.Path, 20*e.size))
			return true
		}
		b.watch("/live.m3u8", 60*time.Second)
		first, last := b.got.first(), b.got.announced()[0]
		if last.Rate < 5*first.Rate {
			b.Errorf("rate: got %v after %v, want it to follow the stream", last.Rate, first.Rate)
		}
		b.pass(3 * time.Minute) // nobody watches
		b.watch("/live.m3u8", 10*time.Second)
		b.got.mu.Lock()
		defer b.got.mu.Unlock()
		for _, list := range b.got.contents {
			for _, c := range list {
				if c.K != first.K {
					b.Fatalf("K: got %d after %d", c.K, first.K)
				}
			}
		}
	})
}
