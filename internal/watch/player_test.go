package watch

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

var discard = slog.New(slog.DiscardHandler)

func digest(b []byte) tuber.Digest { return sha256.Sum256(b) }

const sec = time.Second

var zero = time.Unix(1_000_000, 0)

func TestPlayerKeepsTime(t *testing.T) {
	var p player
	at := func(d time.Duration) time.Time { return zero.Add(d) }
	if got := p.ahead(at(0)); got != unknownTime {
		t.Errorf("before the first segment: %v ahead, want unknown", got)
	}
	p.seek(10 * sec)
	p.append(12*sec, at(0))
	if got := p.ahead(at(1500 * time.Millisecond)); got != sec/2 {
		t.Errorf("got %v ahead, want 500ms", got)
	}
	p.append(14*sec, at(5*sec)) // dry from 2 s to 5 s
	p.advance(at(6 * sec))
	if p.stalls != 1 || p.stallTime(at(6*sec)) != 3*sec || p.played != 3*sec || p.head != 13*sec {
		t.Errorf("got %d stalls, %v, played %v, at %v, want 1, 3s, 3s, 13s", p.stalls, p.stallTime(at(6*sec)), p.played, p.head)
	}
	if got := p.stallTime(at(9 * sec)); got != 5*sec {
		t.Errorf("an open stall counts %v, want 5s in all", got)
	}
	p.append(16*sec, at(9*sec))
	p.finish(at(10 * sec))
	p.advance(at(20 * sec))
	if !p.done || p.stalls != 2 || p.played != 6*sec {
		t.Errorf("the end: done %v, %d stalls, played %v, want true, 2, 6s", p.done, p.stalls, p.played)
	}
}

func TestEndIsNoStall(t *testing.T) {
	var p player
	p.append(sec, zero)
	p.advance(zero.Add(2 * sec)) // dry, and then the playlist says that it was all
	p.finish(zero.Add(2 * sec))
	if p.stalls != 0 || !p.done {
		t.Errorf("got %d stalls, done %v, want none and done", p.stalls, p.done)
	}
}

func TestDeadline(t *testing.T) {
	fast := speed{rate: 1e6, delay: 100 * time.Millisecond}
	for _, c := range []struct {
		name  string
		w     wait
		after time.Duration // since asked
		want  bool
	}{
		{"nothing lacks", wait{ahead: 0, target: 2 * sec, speed: fast}, 4 * sec, false},
		{"not playing yet", wait{ahead: unknownTime, target: 2 * sec, missing: 1e5, speed: fast}, 600 * time.Millisecond, false},
		{"half a segment passed", wait{ahead: unknownTime, target: 2 * sec, missing: 1e5, speed: fast}, 700 * time.Millisecond, true},
		{"plenty ahead", wait{ahead: 4 * sec, target: 2 * sec, missing: 1e5, speed: fast}, sec, false},
		{"little ahead", wait{ahead: 300 * time.Millisecond, target: 2 * sec, missing: 1e5, speed: fast}, 0, true},
		{"plenty ahead, slow line", wait{ahead: 2 * sec, target: 2 * sec, missing: 1e6, speed: speed{rate: 4e5}}, 0, false},
		{"little ahead, slow line", wait{ahead: 1100 * time.Millisecond, target: 2 * sec, missing: 1e6, speed: speed{rate: 4e5}}, 0, true},
		{"patience ends", wait{ahead: 20 * sec, target: 2 * sec, missing: 1, speed: fast}, 4900 * time.Millisecond, true},
	} {
		c.w.asked = zero
		if got := c.w.mustFetch(zero.Add(c.after)); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSpeedLearns(t *testing.T) {
	s := speed{rate: 100, delay: 100 * time.Millisecond}
	s.measured(minMeasured, 200*time.Millisecond, sec)
	if want := 100 + trust*(minMeasured-100); s.rate != want || s.delay != 140*time.Millisecond {
		t.Errorf("got %v and %v, want %v and 140ms", s.rate, s.delay, want)
	}
	before := s.rate
	s.measured(100, 0, sec/10)
	if s.rate != before {
		t.Error("a short answer says nothing about the rate")
	}
	s.measured(100, 0, sec)
	if s.rate >= before {
		t.Error("one that took long shows a slow line")
	}
}

func mediaOf(t *testing.T, first, count int, end string) *hls.Media {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	for n := first; n < first+count; n++ {
		fmt.Fprintf(&b, "#EXTINF:2,\n%d.ts\n", n)
	}
	p, err := hls.Parse([]byte(b.String() + end))
	if err != nil {
		t.Fatal(err)
	}
	return p.Media
}

func TestTimelineSlides(t *testing.T) {
	var l timeline
	if !l.update(mediaOf(t, 100, 6, ""), zero) {
		t.Fatal("the first copy is news")
	}
	if got := l.syncPosition(); got != 6*sec {
		t.Errorf("starts at %v, want 6s: three target durations behind 12s", got)
	}
	if s := l.at(6 * sec); s == nil || s.Sequence != 103 {
		t.Errorf("got segment %v at 6s, want 103", s)
	}
	if l.at(12*sec) != nil {
		t.Error("a segment after the edge is not listed")
	}
	if l.update(mediaOf(t, 100, 6, ""), zero.Add(sec)) || l.update(mediaOf(t, 99, 6, ""), zero.Add(sec)) {
		t.Error("the same or an older copy is no news")
	}
	if !l.update(mediaOf(t, 102, 6, ""), zero.Add(4*sec)) || l.edge != 16*sec {
		t.Errorf("the edge is at %v, want 16s", l.edge)
	}
	if got := l.latency(9*sec, zero.Add(5*sec)); got != 8*sec {
		t.Errorf("latency %v, want 8s: the edge moves on between copies", got)
	}
	if !l.update(mediaOf(t, 102, 6, "#EXT-X-ENDLIST\n"), zero.Add(6*sec)) || l.latency(9*sec, zero) != unknownTime {
		t.Error("the end is news, and an ended stream has no live edge")
	}
}
