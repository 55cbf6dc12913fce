package hls

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string) *Playlist {
	t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, text)
	}
	if string(p.Raw) != text {
		t.Errorf("raw: got %q want %q", p.Raw, text)
	}
	return p
}

const live = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-SOMETHING-NEW:A=1,B="x,y"
# a comment
#EXTINF:2.000,title, with comma
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:00.500Z
41.ts
#EXT-X-DISCONTINUITY
#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/k?id=1,2",IV=0x01
#EXTINF:1.96,
42.ts?q=1
#EXT-X-KEY:METHOD=NONE
#EXT-X-GAP
#EXTINF:2,
43.ts
#EXT-X-ENDLIST
`

func TestMedia(t *testing.T) {
	for name, text := range map[string]string{
		"unix": live, "dos": strings.ReplaceAll(live, "\n", "\r\n"), "no last ending": strings.TrimSuffix(live, "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, text)
			m := p.Media
			if p.Kind != KindMedia || m.Target != 2*time.Second || m.Sequence != 41 || !m.Ended {
				t.Errorf("got kind %d target %v sequence %d ended %v", p.Kind, m.Target, m.Sequence, m.Ended)
			}
			want := []Segment{
				{Sequence: 41, Discontinuity: 3, URI: "41.ts", Duration: 2 * time.Second,
					Time: time.Date(2026, 11, 22, 10, 0, 0, 5e8, time.UTC)},
				{Sequence: 42, Discontinuity: 4, URI: "42.ts?q=1", Duration: 1960 * time.Millisecond, Encrypted: true,
					Key: "https://keys.example/k?id=1,2"},
				{Sequence: 43, Discontinuity: 4, URI: "43.ts", Duration: 2 * time.Second, Gap: true},
			}
			if !reflect.DeepEqual(m.Segments, want) {
				t.Errorf("segments: got %+v want %+v", m.Segments, want)
			}
			if got, want := m.Keys, []string{"https://keys.example/k?id=1,2"}; !reflect.DeepEqual(got, want) {
				t.Errorf("keys: got %q want %q", got, want)
			}
			if got, want := m.Duration(), 5960*time.Millisecond; got != want {
				t.Errorf("duration: got %v want %v", got, want)
			}
		})
	}
}

func TestByteRangesAndMap(t *testing.T) {
	m := parse(t, `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MAP:URI="all.mp4",BYTERANGE="700@0"
#EXTINF:4,
#EXT-X-BYTERANGE:1000@700
all.mp4
#EXT-X-BYTERANGE:500
#EXTINF:4,
all.mp4
#EXT-X-MAP:URI="other.mp4"
#EXTINF:4,
other.m4s
`).Media
	type row struct {
		uri string
		r   *Range
		m   Map
	}
	first, other := Map{URI: "all.mp4", Range: &Range{0, 700}}, Map{URI: "other.mp4"}
	for i, want := range []row{
		{"all.mp4", &Range{700, 1000}, first}, {"all.mp4", &Range{1700, 500}, first}, {"other.m4s", nil, other},
	} {
		got := row{m.Segments[i].URI, m.Segments[i].Range, *m.Segments[i].Map}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("segment %d: got %+v want %+v", i, got, want)
		}
	}
}

func TestLowLatency(t *testing.T) {
	m := parse(t, `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=24.0,HOLD-BACK=12
#EXT-X-PART-INF:PART-TARGET=0.33334
#EXT-X-MEDIA-SEQUENCE:266
#EXT-X-SKIP:SKIPPED-SEGMENTS=3
#EXT-X-PART:DURATION=2,URI="269.m4s",BYTERANGE="20000@0",INDEPENDENT=YES
#EXT-X-PART:DURATION=2,URI="269.m4s",BYTERANGE="23000"
#EXTINF:4,
269.m4s
#EXT-X-PART:DURATION=0.33334,URI="270.0.m4s",GAP=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="270.1.m4s",BYTERANGE-START=7
#EXT-X-RENDITION-REPORT:URI="../1M/w.m3u8",LAST-MSN=270,LAST-PART=0
`).Media
	wantControl := Control{BlockReload: true, HoldBack: 12 * time.Second, PartHoldBack: time.Second, SkipUntil: 24 * time.Second}
	if m.Control != wantControl {
		t.Errorf("control: got %+v want %+v", m.Control, wantControl)
	}
	if m.PartTarget != 333340*time.Microsecond || m.Skipped != 3 {
		t.Errorf("got part target %v, skipped %d", m.PartTarget, m.Skipped)
	}
	if got, want := m.Segments[0].Sequence, uint64(269); got != want {
		t.Errorf("sequence after skip: got %d want %d", got, want)
	}
	wantParts := []Part{
		{URI: "269.m4s", Duration: 2 * time.Second, Range: &Range{0, 20000}, Independent: true},
		{URI: "269.m4s", Duration: 2 * time.Second, Range: &Range{20000, 23000}},
	}
	if got := m.Segments[0].Parts; !reflect.DeepEqual(got, wantParts) {
		t.Errorf("parts: got %+v want %+v", got, wantParts)
	}
	if len(m.Parts) != 1 || !m.Parts[0].Gap || m.Parts[0].URI != "270.0.m4s" {
		t.Errorf("trailing parts: got %+v", m.Parts)
	}
	if want := []Hint{{Type: "PART", URI: "270.1.m4s", Range: &Range{Start: 7}}}; !reflect.DeepEqual(m.Hints, want) {
		t.Errorf("hints: got %+v want %+v", m.Hints, want)
	}
	if want := []string{"../1M/w.m3u8"}; !reflect.DeepEqual(m.Reports, want) {
		t.Errorf("reports: got %q want %q", m.Reports, want)
	}
}

func TestMaster(t *testing.T) {
	p := parse(t, `#EXTM3U
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x, y",URI="audio.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"

low/index.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI="frames.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=x
high/index.m3u8
`)
	want := []Variant{
		{URI: "audio.m3u8", Sort: VariantMedia},
		{Sort: VariantMedia},
		{URI: "low/index.m3u8", Bandwidth: 1280000, Sort: VariantStream},
		{URI: "frames.m3u8", Bandwidth: 86000, Sort: VariantFrames},
		{URI: "high/index.m3u8", Sort: VariantStream},
	}
	if p.Kind != KindMaster || !reflect.DeepEqual(p.Master.Variants, want) {
		t.Errorf("got %+v want %+v", p.Master, want)
	}
}

func TestMalformed(t *testing.T) {
	const head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":                  {"", ErrNotPlaylist},
		"html":                   {"<html>#EXTM3U", ErrNotPlaylist},
		"byte order mark":        {"\ufeff#EXTM3U\n", ErrNotPlaylist},
		"longer first word":      {"#EXTM3U8\n", ErrNotPlaylist},
		"nothing but the header": {"#EXTM3U\n", ErrPlaylist},
		"plain M3U":              {"#EXTM3U\nsong.mp3\n", ErrPlaylist},
		"no target":              {"#EXTM3U\n#EXTINF:2,\na.ts\n", ErrPlaylist},
		"target 0":               {"#EXTM3U\n#EXT-X-TARGETDURATION:0\n#EXTINF:2,\na.ts\n", ErrPlaylist},
		"both kinds":             {head + "#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n#EXTINF:2,\na.ts\n", ErrPlaylist},
		"negative duration":      {head + "#EXTINF:-1,\na.ts\n", ErrPlaylist},
		"duration NaN":           {head + "#EXTINF:NaN,\na.ts\n", ErrPlaylist},
		"huge duration":          {head + "#EXTINF:1e300,\na.ts\n", ErrPlaylist},
		"sequence too late":      {head + "#EXTINF:2,\na.ts\n#EXT-X-MEDIA-SEQUENCE:3\n", ErrPlaylist},
		"sequence over 64 bits":  {head + "#EXT-X-MEDIA-SEQUENCE:18446744073709551616\n", ErrPlaylist},
		"range after none":       {head + "#EXT-X-BYTERANGE:5\n#EXTINF:2,\na.ts\n", ErrPlaylist},
		"range after another":    {head + "#EXT-X-BYTERANGE:5@0\n#EXTINF:2,\na.ts\n#EXT-X-BYTERANGE:5\n#EXTINF:2,\nb.ts\n", ErrPlaylist},
		"map without URI":        {head + "#EXT-X-MAP:X=1\n#EXTINF:2,\na.ts\n", ErrPlaylist},
		"too long":               {head + strings.Repeat("#\n", 1<<19), ErrPlaylist},
		"too many lines":         {head + strings.Repeat("\n", MaxLines), ErrPlaylist},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(c.text)); !errors.Is(err, c.want) {
				t.Errorf("got %v want %v", err, c.want)
			}
		})
	}
}

func TestDetection(t *testing.T) {
	for typ, want := range map[string]bool{
		"application/vnd.apple.mpegurl": true, "Application/X-MpegURL; charset=utf-8": true, "audio/mpegurl": true,
		"text/html": false, "": false, "video/mp2t": false,
	} {
		if got := TypeLooks(typ); got != want {
			t.Errorf("type %q: got %v want %v", typ, got, want)
		}
	}
	for path, want := range map[string]bool{"/a/live.m3u8": true, "/A.M3U8": true, "/m3u8/x.ts": false, "/x": false} {
		if got := PathLooks(path); got != want {
			t.Errorf("path %q: got %v want %v", path, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(live))
	f.Add([]byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a,b\"\nlow.m3u8\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PART:DURATION=1,URI=\"a\",BYTERANGE=\"5@0\"\n#EXTINF:1,\na\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24\n#EXT-X-PART-INF:PART-TARGET=1\n" +
		"#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:4,\na\n#EXT-X-PART:DURATION=1,URI=\"b.0\",GAP=YES\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b.1\",BYTERANGE-START=4\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"m\",BYTERANGE=\"4611686018427387904@4611686018427387904\"\n#EXTINF:1,\nx\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Parse(raw)
		if err != nil {
			return
		}
		if (p.Media == nil) == (p.Master == nil) {
			t.Fatalf("got media %v and master %v, want exactly one", p.Media, p.Master)
		}
		if p.Media == nil {
			return
		}
		for i, s := range p.Media.Segments {
			if s.URI == "" || s.Duration < 0 {
				t.Fatalf("segment %d: %+v", i, s)
			}
			if s.Range != nil && s.Range.End() < s.Range.Start {
				t.Fatalf("segment %d: range wraps: %+v", i, s.Range)
			}
			if i > 0 && s.Sequence != p.Media.Segments[i-1].Sequence+1 {
				t.Fatalf("segment %d: number %d after %d", i, s.Sequence, p.Media.Segments[i-1].Sequence)
			}
		}
	})
}
