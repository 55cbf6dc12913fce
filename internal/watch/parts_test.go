package watch

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const partsEach, partLength = 4, 500 * time.Millisecond

// partSite is a low-latency stream, a pure function of time: part n is
// segmentBody(n) under its number, segments stand in a folder of their own.
func newPartSite(t *testing.T) string {
	t.Helper()
	start := time.Now().Add(-siteWindow * partsEach * partLength)
	until := func(r *http.Request, parts int) {
		select {
		case <-time.After(time.Until(start.Add(time.Duration(parts) * partLength))):
		case <-r.Context().Done():
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if msn, err := strconv.Atoi(q.Get("_HLS_msn")); err == nil {
			part, err := strconv.Atoi(q.Get("_HLS_part"))
			if err != nil {
				part = partsEach - 1
			}
			until(r, msn*partsEach+part+1)
		}
		there := int(time.Since(start) / partLength)
		name := strings.TrimPrefix(r.URL.Path, "/live/")
		number, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, "whole/"), ".ts"))
		w.Header().Set("Content-Type", "video/mp2t")
		switch whole := strings.HasPrefix(name, "whole/"); {
		case r.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<html><head></head><body><video data-src="/live/index.m3u8"></video></body></html>`)
		case name == "index.m3u8":
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
			fmt.Fprint(w, partList(there))
		case err != nil || whole && (number+1)*partsEach > there || number > there:
			http.NotFound(w, r)
		case whole:
			for i := range partsEach {
				w.Write(segmentBody(number*partsEach + i))
			}
		default:
			until(r, number+1) // a hinted part
			w.Write(segmentBody(number))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func partList(there int) string {
	next := there / partsEach
	first := max(0, next-siteWindow)
	b := fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n"+
		"#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	part := func(n int) string { return fmt.Sprintf("#EXT-X-PART:DURATION=0.5,URI=\"%d.ts\"\n", n) }
	for s := first; s < next; s++ {
		for i := range partsEach {
			if s >= next-3 {
				b += part(s*partsEach + i)
			}
		}
		b += fmt.Sprintf("#EXTINF:2,\nwhole/%d.ts\n", s)
	}
	for n := next * partsEach; n < there; n++ {
		b += part(n)
	}
	return b + fmt.Sprintf("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%d.ts\"\n", there)
}

func parseMedia(t *testing.T, text string) *hls.Media {
	t.Helper()
	p, err := hls.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p.Media
}

func TestPartsArePlayedAsSegments(t *testing.T) {
	m := parseMedia(t, partList(26)) // six whole segments and two parts
	got := unfold(m)
	if n := len(got.Segments); n != 3+3*partsEach+2 {
		t.Fatalf("got %d segments to play, want %d", n, 3+3*partsEach+2)
	}
	for i, want := range map[int]hls.Segment{
		0:  {Sequence: 0, URI: "whole/0.ts", Duration: 2 * time.Second},
		3:  {Sequence: 3000, URI: "12.ts", Duration: partLength},
		5:  {Sequence: 3002, URI: "14.ts", Duration: partLength},
		16: {Sequence: 6001, URI: "25.ts", Duration: partLength},
	} {
		s := got.Segments[i]
		if s.Sequence != want.Sequence || s.URI != want.URI || s.Duration != want.Duration {
			t.Errorf("%d: got %+v want %+v", i, s, want)
		}
	}
	if got, want := blocking("/l.m3u8?a=1", m), "/l.m3u8?a=1&_HLS_msn=6&_HLS_part=2"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	var line timeline
	now := time.Now()
	line.update(got, now)
	if got, want := line.syncPosition(), 13*time.Second-1500*time.Millisecond; got != want {
		t.Errorf("plays from %v, want %v", got, want)
	}
	if s := line.at(11500 * time.Millisecond); s == nil || s.URI != "23.ts" {
		t.Errorf("at 11.5 s: got %+v want 23.ts", s)
	}
	if !line.update(unfold(parseMedia(t, partList(27))), now.Add(partLength)) || line.edge != 13500*time.Millisecond {
		t.Errorf("a part later the edge is at %v", line.edge)
	}
	if line.update(got, now.Add(time.Second)) {
		t.Error("an older copy was taken")
	}
	if !line.update(unfold(parseMedia(t, partList(32))), now.Add(3*time.Second)) || line.edge != 16*time.Second {
		t.Errorf("at the segment's end the edge is at %v", line.edge)
	}
	if m := parseMedia(t, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"); unfold(m) != m || blocking("/l", m) != "/l" {
		t.Error("a playlist without parts was changed")
	}
}

func TestLowLatencyOverLinks(t *testing.T) {
	t.Parallel()
	h := newHost(t, newPartSite(t))
	w := startWatch(t, Options{URL: h.Addresses().Site, Viewers: 2, Upload: tuber.Unlimited})
	eventually(t, "both play parts from links", func() bool { return w.least(2) >= 16 && linkBytes(w.now()) >= 2*someBytes })
	w.end()
	<-w.ended
	r := w.final
	if w.err != nil || len(w.wrong) > 0 || r.Failed != 0 {
		t.Errorf("got %v, wrong %v, %d failed", w.err, w.wrong, r.Failed)
	}
	// Half of what three target durations of whole segments would be.
	if r.LatencyP50 < 1 || r.LatencyP50 > 4.5 {
		t.Errorf("latency %.2f s, want about 2", r.LatencyP50)
	}
	t.Logf("latency %.2f s, %d stalls", r.LatencyP50, r.Stalls)
}
