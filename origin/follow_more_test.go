package origin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestDoubtWhileFollowing: a stream that an anonymous viewer proved is left
// when a viewer with a cookie turns out to get another playlist, and that
// viewer always gets the site's own answer.
func TestDoubtWhileFollowing(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			if r.Header.Get("Cookie") != "" {
				return strings.ReplaceAll(plainList(e, r), "seg/", "ann/")
			}
			return plainList(e, r)
		}
		b.watch("/live.m3u8", 10*time.Second)
		if len(b.got.announced()) != 1 {
			b.Fatal("the stream was not followed")
		}
		if w := b.get("/live.m3u8", "Cookie", "user=ann"); !strings.Contains(w.Body.String(), "ann/") {
			b.Error("a viewer with a cookie did not get the site's own playlist")
		}
		b.pass(3 * time.Second)
		if n := len(b.got.announced()); n != 0 {
			b.Errorf("contents: got %d want 0", n)
		}
		pubs, _ := b.got.published()
		b.watch("/live.m3u8", doubtFor/2)
		if now, _ := b.got.published(); now != pubs {
			b.Errorf("got %d publications of a stream in doubt", now-pubs)
		}
	})
}

// TestNewNamesAreNoDoubt: the site begins anew with other names under the same
// numbers, and a viewer gets the new playlist before the follower does.
func TestNewNamesAreNoDoubt(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			return strings.ReplaceAll(plainList(e, r), "seg/", fmt.Sprintf("run%d/", int(time.Since(e.start).Seconds())/11))
		}
		for range 25 {
			b.get("/live.m3u8", "Cookie", "some=thing")
			b.pass(time.Second)
		}
		target := fmt.Sprintf("/run2/%d.ts", e.newest())
		b.sameBody(target, made(target, e.size))
	})
}

// TestBlockingReload: where upstream holds answers back until the next segment
// is there, segments are fetched at the moment at which they appear.
func TestBlockingReload(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			var next uint64
			if n, _ := fmt.Sscanf(r.URL.Query().Get("_HLS_msn"), "%d", &next); n == 1 {
				for e.newest() < next {
					<-time.After(10 * time.Millisecond)
				}
			}
			head := e.head() + "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n#EXT-X-PART-INF:PART-TARGET=0.5\n"
			return head + strings.TrimPrefix(plainList(e, r), e.head()) +
				fmt.Sprintf("#EXT-X-PART:DURATION=0.5,URI=\"part/%d.0.ts\"\n", e.newest()+1)
		}
		b.watch("/live.m3u8", 10*time.Second)
		for range 5 {
			n := e.newest() + 1
			for e.newest() < n {
				b.pass(10 * time.Millisecond)
			}
			b.get("/live.m3u8?_HLS_msn=3&_HLS_part=0")
			b.pass(200 * time.Millisecond)
			target := fmt.Sprintf("/seg/%d.ts", n)
			b.sameBody(target, made(target, e.size))
			if got := e.fetches(target); got != 1 {
				b.Errorf("%s: got %d fetches want 1", target, got)
			}
		}
		if n := len(b.got.announced()); n != 1 {
			b.Errorf("contents: got %d want 1: directives do not name other streams", n)
		}
		if got := e.fetches("/live.m3u8"); got > 4 {
			b.Errorf("the playlist was polled %d times although upstream holds answers back", got)
		}
	})
}

// TestManyNames: a stranger who asks for one playlist under many names cannot
// make the follower work without bound, nor keep others out for long.
func TestManyNames(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		f := b.origin.follower
		e.size = 100
		for i := range 2 * maxStreams {
			b.get(fmt.Sprintf("/live.m3u8?n=%d", i))
		}
		b.pass(time.Second)
		if len(f.all()) > maxStreams || len(b.got.announced()) > maxBusy {
			b.Errorf("got %d streams, %d announced; at most %d and %d", len(f.all()), len(b.got.announced()), maxStreams, maxBusy)
		}
		b.pass(2 * idleAfter)
		b.watch("/real.m3u8", 5*time.Second)
		list := b.got.announced()
		if len(list) != 1 || list[0].URL != "/real.m3u8" {
			b.Errorf("contents: got %+v want /real.m3u8", list)
		}
	})
}

// TestForgottenStreamsNeverRestart: numbers go on even after a record was dropped.
func TestForgottenStreamsNeverRestart(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live.m3u8", 10*time.Second)
		before := b.got.last()
		b.pass(2 * idleAfter)
		f := b.origin.follower
		if !f.forget(f.known("/live.m3u8")) {
			b.Fatal("an idle stream was not forgotten")
		}
		b.watch("/live.m3u8", 10*time.Second)
		after := b.got.last()
		if after.Next <= before.Next || after.Sequence <= before.Sequence || after.Content != before.Content {
			b.Errorf("got next %d, sequence %d after %d, %d", after.Next, after.Sequence, before.Next, before.Sequence)
		}
	})
}
