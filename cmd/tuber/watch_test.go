package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tubercdn/tuber/internal/watch"
)

// A recording of two short segments, without a swarm.
func TestWatchToTheEnd(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/index.m3u8":
			io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\n0.ts\n#EXTINF:0.4,\n1.ts\n#EXT-X-ENDLIST\n")
		case "/0.ts", "/1.ts":
			io.WriteString(w, strings.Repeat(r.URL.Path, 1000))
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"watch", srv.URL + "/index.m3u8", "--viewers", "2", "--json"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var r watch.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	if r.Viewers != 2 || r.Segments != 4 || r.Stalls != 0 || r.Bytes.Plain < 4*5000 || r.PlayTime < 1.5 || r.NoSwarm == "" {
		t.Errorf("got %+v, want two viewers that played both segments over HTTP", r)
	}
	out.Reset()
	if code := run(t.Context(), []string{"watch", srv.URL + "/index.m3u8"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	for _, want := range []string{"1, of which 0 joined", "no swarm", "2 segments", "0, 0.00 s", "first frame", "plain HTTP"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &out)
		}
	}
	if code := run(t.Context(), []string{"watch", srv.URL + "/gone"}, &out, &errs); code != exitFailed {
		t.Errorf("exit code %d for a page that is not there, want %d", code, exitFailed)
	}
}

func TestWatchLine(t *testing.T) {
	got := watchLine(watch.Result{
		Viewers: 3, Playing: 2, Stalls: 1, LatencyP50: 6.04,
		Bytes: watch.Bytes{Peers: 3 << 20, Origin: 1 << 19, Plain: 1 << 19},
	})
	if want := "2 of 3 viewers playing | 1 stall | 6.0 s behind live | 75 % from peers | 512.0 KiB over HTTP"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
