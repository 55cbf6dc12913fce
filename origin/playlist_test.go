package origin

import (
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

func TestResolve(t *testing.T) {
	for uri, want := range map[string]string{
		"1.ts": "/a/b/1.ts", "./1.ts": "/a/b/1.ts", "../1.ts": "/a/1.ts", "/1.ts": "/1.ts", "1.ts?x=1#f": "/a/b/1.ts?x=1",
		"?n=1": "/a/b/live.m3u8?n=1", "http://site.example/1.ts": "/1.ts", "//SITE.example/1.ts": "/1.ts",
		"https://site.example:444/1.ts": "", "http://other.example/1.ts": "", "//other.example/1.ts": "",
		"http://u@site.example/1.ts": "", "ftp://site.example/1.ts": "", "http:1.ts": "", "data:,x": "", "{$v}.ts": "",
		"%zz": "", "a b.ts": "/a/b/a%20b.ts", "/" + strings.Repeat("x", tuber.MaxURL): "",
	} {
		got, ok := resolve("/a/b/live.m3u8?q=1", uri, "site.example")
		if got != want || ok != (want != "") {
			t.Errorf("%.40q: got %q %v want %q", uri, got, ok, want)
		}
	}
}

func TestAgree(t *testing.T) {
	const base = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:"
	const own = base + "5\n#EXTINF:2,\n5.ts\n#EXTINF:2,\n6.ts\n#EXTINF:2,\n7.ts\n#EXT-X-PART:DURATION=1,URI=\"8.0\"\n"
	for name, row := range map[string]struct {
		other string
		want  verdict
	}{
		"equal":              {own, verdictSame},
		"older":              {base + "3\n#EXTINF:2,\n3.ts\n#EXTINF:2,\n4.ts\n#EXTINF:2,\n5.ts\n", verdictSame},
		"newer":              {base + "7\n#EXTINF:2,\n7.ts\n#EXTINF:2,\n8.ts\n", verdictSame},
		"a delta":            {base + "4\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF:2,\n6.ts\n", verdictSame},
		"a delta with a map": {base + "4\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXT-X-MAP:URI=\"ann\"\n#EXTINF:2,\n6.ts\n", verdictDiffer},
		"other durations":    {base + "5\n#EXTINF:1.9,\n5.ts\n", verdictSame},
		"nothing in common":  {base + "8\n#EXTINF:2,\n8.ts\n", verdictNone},
		"empty":              {base + "5\n", verdictNone},
		"another URI":        {base + "6\n#EXTINF:2,\n6.ts\n#EXTINF:2,\nann/7.ts\n", verdictDiffer},
		"another query":      {base + "6\n#EXTINF:2,\n6.ts?u=ann\n", verdictDiffer},
		"another key":        {base + "6\n#EXT-X-KEY:METHOD=AES-128,URI=\"ann\"\n#EXTINF:2,\n6.ts\n", verdictDiffer},
		"another map":        {base + "6\n#EXT-X-MAP:URI=\"ann\"\n#EXTINF:2,\n6.ts\n", verdictDiffer},
		"another range":      {base + "6\n#EXT-X-BYTERANGE:5@0\n#EXTINF:2,\n6.ts\n", verdictDiffer},
		"another part":       {strings.Replace(own, "8.0", "ann", 1), verdictDiffer},
		"one part more":      {own + "#EXT-X-PART:DURATION=1,URI=\"8.1\"\n", verdictSame},
		"same names shifted": {base + "6\n#EXTINF:2,\n5.ts\n", verdictDiffer},
	} {
		a, err := hls.Parse([]byte(own))
		if err != nil {
			t.Fatal(err)
		}
		b, err := hls.Parse([]byte(row.other))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := agree(a.Media, b.Media); got != row.want {
			t.Errorf("%s: got %d want %d", name, got, row.want)
		}
		if got := agree(b.Media, a.Media); got != row.want {
			t.Errorf("%s, turned round: got %d want %d", name, got, row.want)
		}
	}
}

func TestPace(t *testing.T) {
	start := time.Unix(1000, 0)
	list := func(text string) *hls.Media {
		p, err := hls.Parse([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		return p.Media
	}
	plain := newPace(start, list("#EXTINF:4,\na\n"))
	for after, want := range map[time.Duration]time.Duration{
		0: 3 * time.Second, 2 * time.Second: time.Second, 3 * time.Second: 500 * time.Millisecond,
		7 * time.Second: 500 * time.Millisecond, 8 * time.Second: 2 * time.Second, time.Minute: 2 * time.Second,
	} {
		if got := plain.wait(start.Add(after)); got != want {
			t.Errorf("%v after a change: got %v want %v", after, got, want)
		}
	}
	plain.failed()
	if got := plain.wait(start); got != 2*time.Second {
		t.Errorf("after a failure: got %v want half a target duration", got)
	}
	if got := newPace(start, list("#EXTINF:2,\na\n")).wait(start); got != 1500*time.Millisecond {
		t.Errorf("short segments: got %v want 1.5s", got)
	}
	blocking := newPace(start, list("#EXT-X-MEDIA-SEQUENCE:6\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXTINF:4,\na\n"))
	if got := blocking.directive(); got != "_HLS_msn=7" {
		t.Errorf("directive: got %q want _HLS_msn=7", got)
	}
	if blocking.failed(); blocking.directive() != "" {
		t.Error("a directive is still sent after a failure")
	}
}
