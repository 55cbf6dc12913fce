package origin

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestUpstreamFailsAndRecovers(t *testing.T) {
	const size = 4*tuber.ChunkSize + 7
	for name, answer := range map[string]func(w http.ResponseWriter, body []byte, try int){
		"404":            func(w http.ResponseWriter, _ []byte, _ int) { w.WriteHeader(http.StatusNotFound) },
		"500":            func(w http.ResponseWriter, _ []byte, _ int) { w.WriteHeader(http.StatusInternalServerError) },
		"closes at once": func(http.ResponseWriter, []byte, int) { panic(http.ErrAbortHandler) },
		"closes mid-body": func(w http.ResponseWriter, body []byte, _ int) {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body[:2*tuber.ChunkSize+9])
			<-time.After(slowRun * 2) // on the bubble's clock: a run closes before the end
			panic(http.ErrAbortHandler)
		},
		"closes mid-body, no length": func(w http.ResponseWriter, body []byte, _ int) {
			_, _ = w.Write(body[:2*tuber.ChunkSize+9])
			<-time.After(slowRun * 2)
			panic(http.ErrAbortHandler)
		},
		"stalls mid-body": func(w http.ResponseWriter, body []byte, _ int) {
			_, _ = w.Write(body[:tuber.ChunkSize+9])
			<-time.After(7 * time.Second)
		},
	} {
		for fails := 1; fails <= 2; fails++ {
			if fails == 2 && name == "stalls mid-body" {
				continue // by then the window has moved on, and it is given up
			}
			t.Run(fmt.Sprint(name, " ", fails), func(t *testing.T) {
				inBubble(t, func(b *bubble, e *encoder) {
					b.watch("/live.m3u8", 5*time.Second)
					target := fmt.Sprintf("/seg/%d.ts", e.newest()+1)
					b.watch("/live.m3u8", 25*time.Second)
					b.sameBody(target, made(target, size))
					u := b.got.last()
					if age := tuber.MillisOf(time.Now()) - u.Issued; age > 4000 {
						b.Errorf("last update is %d ms old: the stream stopped", age)
					}
				}, func(c *Config) {
					e := c.Handler.(*encoder)
					e.size = size
					e.other = failing(e, fails, answer)
				})
			})
		}
	}
}

// failing lets the first tries of segment 13 fail.
func failing(e *encoder, fails int, answer func(w http.ResponseWriter, body []byte, try int)) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if try := e.fetches("/seg/13.ts"); strings.HasSuffix(r.URL.Path, "/13.ts") && try <= fails {
			w.Header().Set("Content-Type", e.kind)
			answer(w, made(r.URL.Path, e.size), try)
			return true
		}
		return false
	}
}

func TestSegmentThatNeverComes(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		b.watch("/live.m3u8", 30*time.Second)
		if _, ok := b.got.bodies()["/seg/13.ts"]; ok {
			b.Error("a segment that upstream does not have was published")
		}
		if got := e.fetches("/seg/13.ts"); got < 3 || got > 9 {
			b.Errorf("it was fetched %d times, want a few", got)
		}
		b.sameBody("/seg/14.ts", made("/seg/14.ts", e.size))
		for _, u := range b.got.updates {
			if m := b.got.covering(place{u.Update().Content, u.Update().LastFirst}); u.Update().LastFirst < u.Update().LastNext && m.URL == "/seg/13.ts" {
				b.Error("an update waits for it")
			}
		}
	}, func(c *Config) {
		e := c.Handler.(*encoder)
		e.other = failing(e, 1000, func(w http.ResponseWriter, _ []byte, _ int) { w.WriteHeader(http.StatusNotFound) })
	})
}

// TestChangedSegment: the body breaks off after a run was published, and the
// second answer is another one. Its bytes get new numbers and the newest wins.
func TestChangedSegment(t *testing.T) {
	other := made("another", 6*tuber.ChunkSize)
	for name, prefix := range map[string]int{"from the start": 0, "after a chunk": tuber.ChunkSize, "shorter": -1} {
		t.Run(name, func(t *testing.T) {
			want := append(append([]byte(nil), made("/seg/13.ts", 4*tuber.ChunkSize)[:max(prefix, 0)]...), other...)
			if prefix < 0 {
				want = other[:100]
			}
			inBubble(t, func(b *bubble, e *encoder) {
				b.watch("/live.m3u8", 15*time.Second)
				b.sameBody("/seg/13.ts", want)
				if w := b.get("/seg/13.ts"); !bytes.Equal(w.Body.Bytes(), want) {
					b.Errorf("over HTTP: got %d bytes of another body", w.Body.Len())
				}
			}, func(c *Config) {
				e := c.Handler.(*encoder)
				e.size = 4 * tuber.ChunkSize
				e.other = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/seg/13.ts" {
						return false
					}
					w.Header().Set("Content-Type", e.kind)
					if e.fetches("/seg/13.ts") == 1 {
						_, _ = w.Write(made(r.URL.Path, e.size)[:2*tuber.ChunkSize+1])
						<-time.After(slowRun * 2)
						panic(http.ErrAbortHandler)
					}
					_, _ = w.Write(want)
					return true
				}
			})
		})
	}
}

// TestEncoderBeginsAnew: the sequence falls back and the same URLs hold other bytes.
func TestEncoderBeginsAnew(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.list = func(e *encoder, r *http.Request) string {
			n := uint64(time.Since(e.start)/e.target) % 4
			text := fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n", n)
			for i := n; i < n+4; i++ {
				text += fmt.Sprintf("#EXTINF:2,\n%d.ts\n", i)
			}
			return text
		}
		e.other = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".m3u8") {
				return false
			}
			w.Header().Set("Content-Type", e.kind)
			_, _ = w.Write(made(fmt.Sprint(r.URL.Path, int(time.Since(e.start)/(4*e.target))), e.size))
			return true
		}
		b.watch("/live.m3u8", 15*time.Second)
		b.pass(500 * time.Millisecond)
		for i := 0; i < 7; i++ {
			b.sameBody(fmt.Sprintf("/%d.ts", i), made(fmt.Sprintf("/%d.ts1", i), e.size))
		}
	})
}

func TestTooLongSegmentIsNotShared(t *testing.T) {
	for name, announce := range map[string]bool{"announced": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble, e *encoder) {
				e.other = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/seg/12.ts" {
						return false
					}
					w.Header().Set("Content-Type", e.kind)
					if announce {
						w.Header().Set("Content-Length", strconv.Itoa(tuber.MaxSegment+1))
					}
					block := make([]byte, 1<<20)
					for range 65 {
						if _, err := w.Write(block); err != nil {
							break
						}
					}
					return true
				}
				b.watch("/live.m3u8", 16*time.Second)
				if _, ok := b.got.bodies()["/seg/12.ts"]; ok {
					b.Error("a segment over the limit was published whole")
				}
				b.sameBody("/seg/14.ts", made("/seg/14.ts", e.size))
				if got := e.fetches("/seg/12.ts"); got != 1 {
					b.Errorf("it was fetched %d times want 1", got)
				}
			})
		})
	}
}

// TestSlowUpstream: a segment that comes at the speed of its encoder is
// published run by run, long before it is complete.
func TestSlowUpstream(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.size = 8 * tuber.ChunkSize
		e.other = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".m3u8") {
				return false
			}
			w.Header().Set("Content-Type", e.kind)
			body := made(r.URL.Path, e.size)
			for i := 0; i < len(body); i += tuber.ChunkSize / 2 {
				_, _ = w.Write(body[i : i+tuber.ChunkSize/2])
				<-time.After(100 * time.Millisecond)
			}
			return true
		}
		b.watch("/live.m3u8", 30*time.Second)
		n := e.newest() - 1
		target := fmt.Sprintf("/seg/%d.ts", n)
		b.sameBody(target, made(target, e.size))
		count := 0
		for _, m := range b.got.manifests {
			if m.Manifest().URL == target {
				count++
			}
		}
		if count < 6 {
			b.Errorf("a segment of 8 chunks over 1.6 s went in %d runs, want about one for each", count)
		}
	})
}
