package watch

import (
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
)

func linkBytes(r Result) uint64 { return r.Bytes.Peers + r.Bytes.Origin }

const someBytes = 4 * 5 * tuber.ChunkSize // of four segments

func TestViewersPlayWhatTheSiteSent(t *testing.T) {
	t.Parallel()
	site := newLiveSite(t, sec)
	h := newHost(t, site.url)
	w := startWatch(t, Options{URL: h.Addresses().Site, Viewers: 2, Upload: tuber.Unlimited})
	eventually(t, "both play from links", func() bool { return w.least(2) >= 7 && linkBytes(w.now()) >= 2*someBytes })
	if s := h.Status(); s.Viewers != 2 {
		t.Errorf("the host sees %d viewers, want 2", s.Viewers)
	}
	r := w.stop()
	if r.Joined != 2 || r.NoSwarm != "" || r.PlayTime < 4 || r.FirstP99 <= 0 {
		t.Errorf("got %+v, want both joined and seconds played", r)
	}
	// Three target durations of one second behind, and what playlist and segment take.
	if r.LatencyP50 < 2 || r.LatencyP50 > 6 {
		t.Errorf("latency %.2f s, want about 4", r.LatencyP50)
	}
	if linkBytes(r) < 2*someBytes {
		t.Errorf("%d bytes came over links; the figures of a viewer that has left must last", linkBytes(r))
	}
}

// Seven viewers are three cells of at most three: most of what they play comes
// from each other, across cells too.
func TestAHostOfSeveralCells(t *testing.T) {
	t.Parallel()
	const viewers = 7
	site := newLiveSite(t, 2*sec)
	h := newHost(t, site.url, func(c *host.Config) { c.CellPeers = 3 })
	w := startWatch(t, Options{URL: h.Addresses().Site, Viewers: viewers, Upload: tuber.Unlimited})
	eventually(t, "all play from links", func() bool { return w.least(viewers) >= 5 && linkBytes(w.now()) >= viewers*someBytes/2 })
	if s := h.Status(); s.Viewers != viewers || s.Short != 0 {
		t.Errorf("the host sees %d viewers and is short of %v, want %d and nothing", s.Viewers, s.Short, viewers)
	}
	r := w.stop()
	if r.Joined != viewers || r.Bytes.Peers < 2*r.Bytes.Origin {
		t.Errorf("%d joined; %d bytes came from peers, %d from the origin", r.Joined, r.Bytes.Peers, r.Bytes.Origin)
	}
	t.Logf("%+v", r.Bytes)
}

func TestPlannerStops(t *testing.T) {
	t.Parallel()
	site := newLiveSite(t, 2*sec)
	h := newHost(t, site.url)
	w := startWatch(t, Options{URL: h.Addresses().Site, Viewers: 2, Upload: tuber.Unlimited})
	eventually(t, "links carry the stream", func() bool { return linkBytes(w.now()) >= someBytes/2 })
	if err := h.SetPlanner(false); err != nil {
		t.Fatal(err)
	}
	before, seen := linkBytes(w.now()), w.least(2)
	eventually(t, "links carry on", func() bool { return w.least(2) >= seen+3 && linkBytes(w.now()) >= before+someBytes/2 })
	w.stop()
}

func TestNeighbourLeavesWhileThePlannerIsAway(t *testing.T) {
	t.Parallel()
	site := newLiveSite(t, 2*sec)
	h := newHost(t, site.url)
	first := startWatch(t, Options{URL: h.Addresses().Site, Upload: tuber.Unlimited})
	eventually(t, "the first is linked", func() bool { return linkBytes(first.now()) >= someBytes/2 })
	second := startWatch(t, Options{URL: h.Addresses().Site, Upload: tuber.Unlimited})
	eventually(t, "the second is linked", func() bool { return linkBytes(second.now()) >= someBytes/2 })
	if err := h.SetPlanner(false); err != nil {
		t.Fatal(err)
	}
	if r := first.stop(); r.Joined != 1 {
		t.Errorf("the first had not joined: %+v", r)
	}
	seen := second.least(1)
	eventually(t, "the second plays on", func() bool { return second.least(1) >= seen+4 })
	second.stop()
}

func TestWithoutASwarmItPlaysOverHTTP(t *testing.T) {
	t.Parallel()
	site := newLiveSite(t, sec)
	w := startWatch(t, Options{URL: site.url + "/live/index.m3u8", Check: true})
	eventually(t, "it plays and checks", func() bool { return w.least(1) >= 6 && w.now().Checked >= 4 })
	r := w.stop()
	if r.NoSwarm == "" || r.Joined != 0 || linkBytes(r)+r.Bytes.Chunks != 0 || r.Bytes.Plain < someBytes || r.Wrong != 0 {
		t.Errorf("got %+v, want plain HTTP alone, and why", r)
	}
}

func TestWhatCannotBeWatched(t *testing.T) {
	site := newLiveSite(t, sec)
	for _, c := range []struct{ url, want string }{
		{"live.example", "no address"},
		{"ftp://127.0.0.1/", "no address"},
		{site.url + "/nothing", "404"},
		{site.url + "/live/1.ts", "no HLS playlist"},
	} {
		_, err := Run(t.Context(), Options{URL: c.url})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.url, err, c.want)
		}
	}
}
