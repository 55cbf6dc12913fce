package origin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
)

// partial is a low-latency site: segments of two seconds in four parts, which
// are made while their segment is under way (rfc8216bis section 4.4.4.9).
type partial struct {
	e       *encoder
	ranged  bool // parts are byte ranges of their segment
	holds   bool // requests for hinted parts wait for their bytes
	differs bool // segments are not their parts
	mapped  bool // there is an EXT-X-MAP, and delta updates leave it out with older segments
	mark    string
	size    int // bytes of a segment's first part
}

const partsPer = 4

func (p *partial) partTarget() time.Duration { return p.e.target / partsPer }

// madeAt is the moment at which a part is complete.
func (p *partial) madeAt(n uint64, part int) time.Time {
	return p.e.start.Add(time.Duration(n-11)*p.e.target + time.Duration(part+1)*p.partTarget())
}

// current is the segment under way and how many parts of it are complete.
func (p *partial) current() (n uint64, parts int) {
	n = p.e.newest() + 1
	for parts < partsPer && !time.Now().Before(p.madeAt(n, parts)) {
		parts++
	}
	return n, parts
}

func (p *partial) part(n uint64, i int) []byte {
	return made(fmt.Sprintf("part %d.%d", n, i), p.size+100*i)
}

func (p *partial) segment(n uint64) (b []byte) {
	for i := range partsPer {
		b = append(b, p.part(n, i)...)
	}
	if p.differs {
		b[len(b)/2] ^= 1
	}
	return b
}

func (p *partial) line(n uint64, i int) string {
	uri := fmt.Sprintf(`"p/%d.%d.m4s%s"`, n, i, p.mark)
	if p.ranged {
		at := 0
		for j := range i {
			at += len(p.part(n, j))
		}
		uri = fmt.Sprintf(`"s/%d.m4s",BYTERANGE="%d@%d"`, n, len(p.part(n, i)), at)
	}
	return fmt.Sprintf("#EXT-X-PART:DURATION=%.3f,URI=%s\n", p.partTarget().Seconds(), uri)
}

func (p *partial) list(e *encoder, r *http.Request) string {
	if v := r.URL.Query().Get("_HLS_msn"); v != "" {
		n, _ := strconv.ParseUint(v, 10, 64)
		part := partsPer - 1
		if v := r.URL.Query().Get("_HLS_part"); v != "" {
			part, _ = strconv.Atoi(v)
		}
		if part == partsPer {
			n, part = n+1, 0
		}
		select {
		case <-time.After(time.Until(p.madeAt(n, part))):
		case <-r.Context().Done():
		}
	}
	text := e.head() + "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n" +
		fmt.Sprintf("#EXT-X-PART-INF:PART-TARGET=%.3f\n", p.partTarget().Seconds())
	n, parts := p.current()
	first := e.first()
	switch {
	case p.mapped && r.URL.Query().Has("_HLS_skip"): // rfc8216bis section 6.2.5.1
		first += 3
		text += "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"
	case p.mapped:
		text += fmt.Sprintf("#EXT-X-MAP:URI=\"init.mp4%s\"\n", p.mark)
	}
	for s := first; s < n; s++ {
		for i := range partsPer {
			if s+2 >= n {
				text += p.line(s, i)
			}
		}
		text += fmt.Sprintf("#EXTINF:2.000,\ns/%d.m4s\n", s)
	}
	for i := range parts {
		text += p.line(n, i)
	}
	if p.ranged {
		return text
	}
	return text + fmt.Sprintf("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p/%d.%d.m4s%s\"\n", n, parts, p.mark)
}

func (p *partial) serve(w http.ResponseWriter, r *http.Request) bool {
	var n uint64
	var i int
	w.Header().Set("Content-Type", "video/mp4")
	if _, err := fmt.Sscanf(r.URL.Path, "/p/%d.%d.m4s", &n, &i); err == nil {
		body := p.part(n, i)
		if time.Now().Before(p.madeAt(n, i)) {
			if !p.holds {
				http.NotFound(w, r)
				return true
			}
			<-time.After(time.Until(p.madeAt(n, i).Add(-p.partTarget() / 2)))
			_, _ = w.Write(body[:len(body)/2])
			_ = http.NewResponseController(w).Flush()
			<-time.After(time.Until(p.madeAt(n, i)))
			body = body[len(body)/2:]
		}
		_, _ = w.Write(body)
		return true
	}
	if r.URL.Path == "/init.mp4" {
		_, _ = w.Write(made("init", 700))
		return true
	}
	if _, err := fmt.Sscanf(r.URL.Path, "/s/%d.m4s", &n); err == nil {
		w.Header().Set("Etag", `"s"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(p.segment(n))))
		return true
	}
	return false
}

func withParts(t *testing.T, script func(b *bubble, e *encoder, p *partial), change func(p *partial)) {
	t.Helper()
	inBubble(t, func(b *bubble, e *encoder) {
		p := &partial{e: e, size: tuber.ChunkSize + 500}
		if change != nil {
			change(p)
		}
		e.list, e.other = p.list, p.serve
		script(b, e, p)
	})
}

// alias is the newest alias that was published of a URL, with its headers.
func (c *collector) alias(url string) (a tuber.Alias, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.manifests {
		if of, is := tuber.AliasOf(m.Manifest().URL); is && of == url {
			a, err := tuber.ParseAlias(c.chunks[place{m.Manifest().Content, m.Manifest().First}].Data())
			if err != nil {
				c.t.Errorf("alias of %s: %v", url, err)
			}
			return a, err == nil
		}
	}
	return a, false
}

// joined is the body that an alias makes of published chunks.
func (c *collector) joined(content tuber.ContentID, a tuber.Alias) (b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range a.Runs {
		for i := range r.Count {
			b = append(b, c.chunks[place{content, r.First + tuber.ChunkNumber(i)}].Data()...)
		}
	}
	return b
}

// payload is how many bytes of a kind were published.
func (c *collector) payload(aliases bool) (sum int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.manifests {
		if _, is := tuber.AliasOf(m.Manifest().URL); is == aliases {
			sum += int(m.Manifest().Length)
		}
	}
	return sum
}

func TestPartsAreRunsAndTheirSegmentNamesThem(t *testing.T) {
	withParts(t, func(b *bubble, e *encoder, p *partial) {
		b.watch("/live.m3u8", 20*time.Second)
		n := e.newest()
		b.pass(p.partTarget() / 2)
		content := b.got.first().ID
		for s := n - 5; s <= n; s++ {
			target := fmt.Sprintf("/s/%d.m4s", s)
			for i := range partsPer {
				b.sameBody(fmt.Sprintf("/p/%d.%d.m4s", s, i), p.part(s, i))
			}
			a, ok := b.got.alias(target)
			if !ok || string(b.got.joined(content, a)) != string(p.segment(s)) {
				b.Errorf("%s: alias published %v, of %d bytes, want %d", target, ok, a.Length(), len(p.segment(s)))
			}
			if got := e.fetches(target); got != 1 {
				b.Errorf("%s: got %d fetches want 1", target, got)
			}
			w := b.get(target)
			if w.Code != 200 || w.Body.String() != string(p.segment(s)) {
				b.Errorf("%s from memory: got %d with %d bytes", target, w.Code, w.Body.Len())
			}
			w = b.get(target, "Range", "bytes=17000-40000")
			if w.Code != 206 || w.Body.String() != string(p.segment(s)[17000:40001]) {
				b.Errorf("%s, range from memory: got %d with %d bytes", target, w.Code, w.Body.Len())
			}
			if got := e.fetches("viewer " + target); got != 0 {
				b.Errorf("%s: the site was asked %d times by viewers", target, got)
			}
		}
		if media, aliases := b.got.payload(false), b.got.payload(true); aliases*100 > media || aliases == 0 {
			b.Errorf("aliases have %d bytes beside %d of media, want under one per cent", aliases, media)
		}
		u := b.got.last()
		cur, parts := p.current()
		if got, want := b.got.covering(place{u.Content, u.LastFirst}).URL, fmt.Sprintf("/p/%d.%d.m4s", cur, parts-1); parts > 0 && got != want {
			b.Errorf("the last playlist is shown with %s, want %s", got, want)
		}
	}, nil)
}

func TestPlaylistsFollowParts(t *testing.T) {
	withParts(t, func(b *bubble, e *encoder, p *partial) {
		b.watch("/live.m3u8", 10*time.Second)
		_, before := b.got.published()
		b.watch("/live.m3u8", 10*time.Second)
		if _, now := b.got.published(); now-before < 19 || now-before > 21 {
			b.Errorf("got %d playlists in ten seconds of parts of 500 ms, want 20", now-before)
		}
	}, nil)
}

func TestByteRangePartsNeedNoSecondName(t *testing.T) {
	withParts(t, func(b *bubble, e *encoder, p *partial) {
		b.watch("/live.m3u8", 20*time.Second)
		n := e.newest() - 1
		target := fmt.Sprintf("/s/%d.m4s", n)
		body := p.segment(n)
		a, ok := b.got.alias(target)
		if !ok || string(b.got.joined(b.got.first().ID, a)) != string(body) {
			b.Errorf("alias published %v, of %d bytes", ok, a.Length())
		}
		if w := b.get(target); w.Body.String() != string(body) || e.fetches("viewer "+target) != 0 {
			b.Errorf("from memory: got %d with %d bytes", w.Code, w.Body.Len())
		}
		for _, m := range b.got.manifests {
			if m.Manifest().URL == target && !m.Manifest().Ranged {
				b.Errorf("run %d is not marked as a byte range", m.Manifest().First)
			}
		}
	}, func(p *partial) { p.ranged = true })
}

func TestSegmentThatIsNotItsParts(t *testing.T) {
	withParts(t, func(b *bubble, e *encoder, p *partial) {
		b.watch("/live.m3u8", 12*time.Second)
		b.pass(p.partTarget() / 2)
		n := e.newest() - 1
		target := fmt.Sprintf("/s/%d.m4s", n)
		if _, ok := b.got.alias(target); ok {
			b.Error("an alias was published of a segment that differs from its parts")
		}
		b.sameBody(target, p.segment(n))
		b.sameBody(fmt.Sprintf("/p/%d.0.m4s", n), p.part(n, 0))
	}, func(p *partial) { p.differs = true })
}

func TestHintedPartsFlowBeforeTheyAreListed(t *testing.T) {
	for name, holds := range map[string]bool{"upstream holds": true, "upstream refuses": false} {
		t.Run(name, func(t *testing.T) {
			withParts(t, func(b *bubble, e *encoder, p *partial) {
				b.watch("/live.m3u8", 10*time.Second)
				n, parts := p.current()
				if parts == partsPer {
					n, parts = n+1, 0
				}
				b.pass(time.Until(p.madeAt(n, parts)) - p.partTarget()/8)
				target := fmt.Sprintf("/p/%d.%d.m4s", n, parts)
				begun := false
				b.got.mu.Lock()
				for _, m := range b.got.manifests {
					begun = begun || m.Manifest().URL == target
				}
				b.got.mu.Unlock()
				if begun != holds {
					b.Errorf("%s flows before it is complete: got %v want %v", target, begun, holds)
				}
				b.watch("/live.m3u8", 10*time.Second)
				b.sameBody(target, p.part(n, parts))
				asked := 0
				for s := e.newest() - 3; s <= e.newest(); s++ {
					for i := range partsPer {
						asked += e.fetches(fmt.Sprintf("/p/%d.%d.m4s", s, i))
					}
				}
				if asked != 4*partsPer {
					b.Errorf("sixteen parts took %d fetches", asked)
				}
			}, func(p *partial) { p.holds, p.size = holds, 4*tuber.ChunkSize })
		})
	}
}

func TestPersonalPartsShareNothing(t *testing.T) {
	withParts(t, func(b *bubble, e *encoder, p *partial) {
		e.list = func(e *encoder, r *http.Request) string {
			q := *p
			if r.Header.Get("Cookie") != "" {
				q.mark = "?who=ann"
			}
			return q.list(e, r)
		}
		b.watch("/live.m3u8", 15*time.Second, "Cookie", "user=ann")
		if pubs, _ := b.got.published(); pubs != 0 {
			b.Errorf("got %d publications of parts that only ann is named", pubs)
		}
	}, nil)
}

// TestDeltaUpdatesAreNoDoubt: what a delta update leaves out says nothing about
// whether the playlist is the same for all. It proves nothing either.
func TestDeltaUpdatesAreNoDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		whole   bool   // the first request is for the whole playlist
		own     string // mark of a viewer's own playlist
		follows bool
	}{
		"after a whole playlist":              {whole: true, follows: true},
		"after the host began anew":           {follows: true},
		"of a personal map":                   {whole: true, own: "?who=ann"},
		"of a personal map, and nothing else": {own: "?who=ann"},
	} {
		t.Run(name, func(t *testing.T) {
			withParts(t, func(b *bubble, e *encoder, p *partial) {
				e.list = func(e *encoder, r *http.Request) string {
					text := p.list(e, r)
					if r.Header.Get("Cookie") != "" {
						text = strings.ReplaceAll(text, "init.mp4", "init.mp4"+c.own)
					}
					return text
				}
				if c.whole {
					b.get("/live.m3u8", "Cookie", "user=ann") // as long as there is one, the site is asked
				}
				for range 20 {
					b.get("/live.m3u8?_HLS_skip=YES", "Cookie", "user=ann")
					b.pass(p.partTarget())
				}
				if n := len(b.got.announced()); (n == 1) != c.follows {
					b.Errorf("contents: got %d, followed should be %v", n, c.follows)
				}
				if pubs, _ := b.got.published(); (pubs > 0) != c.follows {
					b.Errorf("got %d publications, followed should be %v", pubs, c.follows)
				}
			}, func(p *partial) { p.mapped, p.holds = true, true })
		})
	}
}

// ask starts a viewer's request that may be held.
func (b *bubble) ask(path string, headers ...string) <-chan *httptest.ResponseRecorder {
	out := make(chan *httptest.ResponseRecorder, 1)
	go func() { out <- b.get(path, headers...) }()
	synctest.Wait()
	return out
}

func TestBlockingReloadFromMemory(t *testing.T) {
	withParts(t, func(b *bubble, e *encoder, p *partial) {
		b.watch("/live.m3u8", 10*time.Second)
		n, parts := p.current()
		asked := func() (sum int) {
			e.mu.Lock()
			defer e.mu.Unlock()
			for target, hits := range e.hits {
				if strings.HasPrefix(target, "viewer /live.m3u8") {
					sum += hits
				}
			}
			return sum
		}
		before := asked()
		next := fmt.Sprintf("/live.m3u8?_HLS_msn=%d&_HLS_part=%d&_HLS_skip=YES", n, parts)
		held := []<-chan *httptest.ResponseRecorder{b.ask(next), b.ask(next), b.ask(next)}
		for _, c := range held {
			select {
			case <-c:
				b.Fatal("answered before the part was there")
			default:
			}
		}
		b.pass(p.partTarget())
		for _, c := range held {
			w := <-c
			if want := strings.TrimSpace(p.line(n, parts)); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				b.Errorf("got %d without %s:\n%s", w.Code, want, w.Body)
			}
			if strings.Contains(w.Body.String(), "EXT-X-SKIP") {
				b.Error("a delta update was answered")
			}
		}
		for name, query := range map[string]string{
			"a segment that is over": fmt.Sprintf("_HLS_msn=%d", n-1), "a part after the last": fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", n-2, partsPer),
			"only a skip": "_HLS_skip=YES",
		} {
			if w := <-b.ask("/live.m3u8?" + query); w.Code != 200 || !strings.Contains(w.Body.String(), "EXT-X-PART-INF") {
				b.Errorf("%s: got %d", name, w.Code)
			}
		}
		if got := asked(); got != before {
			b.Errorf("the site was asked %d times for playlists that the follower has", got-before)
		}
		for name, query := range map[string]string{
			"no number": "_HLS_msn=x", "a part of nothing": "_HLS_part=1", "twice": "_HLS_msn=1&_HLS_msn=2", "far ahead": "_HLS_msn=99999",
			"negative": fmt.Sprintf("_HLS_msn=%d&_HLS_part=-1", n-1),
		} {
			e.other = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.RawQuery, query) && query != "" {
					w.WriteHeader(http.StatusBadRequest)
					return true
				}
				return p.serve(w, r)
			}
			if w := <-b.ask("/live.m3u8?" + query); w.Code != http.StatusBadRequest {
				b.Errorf("%s: got %d, want the site's own answer", name, w.Code)
			}
		}
	}, nil)
}

func TestAdoptedPiecesAreForgottenWithTheirParts(t *testing.T) {
	withParts(t, func(b *bubble, e *encoder, p *partial) {
		b.watch("/live.m3u8", 60*time.Second)
		m := b.origin.follower.memory
		target := fmt.Sprintf("/s/%d.m4s", e.first()) // unlisted next
		old := m.whole(target)
		if old == nil || old.of == nil {
			b.Fatalf("%s is not made of its parts", target)
		}
		b.watch("/live.m3u8", 40*time.Second)
		if m.whole(target) != nil {
			b.Errorf("%s is still held long after it was unlisted", target)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		sum := 0
		for _, runs := range m.runs {
			for _, run := range runs {
				sum += int(run.signed.Manifest().Length)
			}
		}
		if sum != m.size {
			b.Errorf("memory counts %d bytes, its runs have %d", m.size, sum)
		}
	}, nil)
}
