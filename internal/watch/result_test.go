package watch

import (
	"encoding/json"
	"slices"
	"testing"
)

// Every count of a result is taken from its start; a new one that since forgets
// shows here.
func TestResultSinceLeavesOutEveryCount(t *testing.T) {
	moments := []string{"viewers", "playing", "joined", "links", "latencyP50", "latencyP99", "firstFrameP50", "firstFrameP99"}
	filled := Result{
		Viewers: 7, Playing: 7, Joined: 7, Links: 7, PlayTime: 7, Stalls: 7, StallTime: 7, Segments: 7, Skipped: 7, Failed: 7,
		LatencyP50: 7, LatencyP99: 7, FirstP50: 7, FirstP99: 7, Checked: 7, Wrong: 7,
		Bytes: Bytes{Peers: 7, Origin: 7, Chunks: 7, Plain: 7, Sent: 7},
	}
	b, err := json.Marshal(filled.since(&filled))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for name, v := range got["bytes"].(map[string]any) {
		if v != 0.0 {
			t.Errorf("bytes.%s: got %v, want 0", name, v)
		}
	}
	delete(got, "bytes")
	for name, v := range got {
		want := 0.0
		if slices.Contains(moments, name) {
			want = 7
		}
		if v != want {
			t.Errorf("%s: got %v, want %v", name, v, want)
		}
	}
}

func TestStartIsLeftOut(t *testing.T) {
	t.Parallel()
	site := newLiveSite(t, sec)
	h := newHost(t, site.url)
	all := startWatch(t, Options{URL: h.Addresses().Site})
	late := startWatch(t, Options{URL: h.Addresses().Site, After: 5 * sec})
	eventually(t, "both play for a while", func() bool { return all.least(1) >= 9 && late.least(1) >= 9 })
	whole, part := all.stop(), late.stop()
	if part.Segments == 0 || part.Segments >= whole.Segments || part.PlayTime <= 0 || part.PlayTime >= whole.PlayTime {
		t.Errorf("got %d segments and %.1f s without the start, %d and %.1f with it", part.Segments, part.PlayTime, whole.Segments, whole.PlayTime)
	}
	if part.LatencyP50 <= 0 {
		t.Error("no latency without the start")
	}
}
