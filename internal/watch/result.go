package watch

import (
	"slices"
	"time"
)

// Seconds is a time as results tell it.
type Seconds float64

func seconds(d time.Duration) Seconds {
	if d < 0 {
		return 0
	}
	return Seconds(d.Seconds())
}

// Result is what all viewers together have seen so far.
type Result struct {
	Viewers    int     `json:"viewers"`   // started
	Playing    int     `json:"playing"`   // showing something now
	Joined     int     `json:"joined"`    // were in the swarm at least once
	Links      int     `json:"links"`     // open now
	PlayTime   Seconds `json:"playTime"`  // of all viewers, stalls not counted
	Stalls     int     `json:"stalls"`    // times a player ran dry
	StallTime  Seconds `json:"stallTime"` // of all viewers
	Segments   int     `json:"segments"`
	Skipped    int     `json:"skipped"` // times a player fell out of the window
	Failed     int     `json:"failed"`  // segments that could not be had
	LatencyP50 Seconds `json:"latencyP50"`
	LatencyP99 Seconds `json:"latencyP99"`
	FirstP50   Seconds `json:"firstFrameP50"` // from the viewer's start to its first whole segment
	FirstP99   Seconds `json:"firstFrameP99"`
	Bytes      Bytes   `json:"bytes"`
	Checked    int     `json:"checked,omitempty"`
	Wrong      int     `json:"wrong"` // checked segments that were not the site's
	NoSwarm    string  `json:"noSwarm,omitempty"`
}

// Bytes is where payload came from and went to.
type Bytes struct {
	Peers  uint64 `json:"peers"`  // over links from boosters and viewers
	Origin uint64 `json:"origin"` // over links from the host's own peer
	Chunks uint64 `json:"chunks"` // single chunks over HTTP
	Plain  uint64 `json:"plain"`  // plain HTTP, playlists included
	Sent   uint64 `json:"sent"`   // over links, to other viewers
}

// since takes away what had been before: counts, not moments.
func (r Result) since(old *Result) Result {
	r.PlayTime -= old.PlayTime
	r.Stalls -= old.Stalls
	r.StallTime -= old.StallTime
	r.Segments -= old.Segments
	r.Skipped -= old.Skipped
	r.Failed -= old.Failed
	r.Checked -= old.Checked
	r.Wrong -= old.Wrong
	r.Bytes.Peers -= old.Bytes.Peers
	r.Bytes.Origin -= old.Bytes.Origin
	r.Bytes.Chunks -= old.Bytes.Chunks
	r.Bytes.Plain -= old.Bytes.Plain
	r.Bytes.Sent -= old.Bytes.Sent
	return r
}

// FromPeers is the share of what was received that came from peers.
func (b Bytes) FromPeers() float64 {
	all := b.Peers + b.Origin + b.Chunks + b.Plain
	if all == 0 {
		return 0
	}
	return float64(b.Peers) / float64(all)
}

// StallShare is stall time over playing time, stalls included.
func (r *Result) StallShare() float64 {
	if r.PlayTime+r.StallTime == 0 {
		return 0
	}
	return float64(r.StallTime / (r.PlayTime + r.StallTime))
}

// result sums up the viewers, with this many of the newest samples of latency of each.
func result(s *site, viewers []*viewer, samples int) Result {
	r := Result{Viewers: len(viewers), NoSwarm: s.why}
	var latency, first []time.Duration
	now := time.Now()
	for _, v := range viewers {
		latency = append(latency, v.add(&r, now, samples)...)
		if f := v.firstFrame(); f != unknownTime {
			first = append(first, f)
		}
	}
	r.LatencyP50, r.LatencyP99 = percentiles(latency)
	r.FirstP50, r.FirstP99 = percentiles(first)
	return r
}

// add adds one viewer's figures and returns its newest samples of latency.
func (v *viewer) add(r *Result, now time.Time, samples int) []time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	r.StallTime += seconds(v.play.stallTime(now))
	r.PlayTime += seconds(v.play.played)
	r.Stalls += v.play.stalls
	if v.play.started && !v.play.stalled && !v.play.done {
		r.Playing++
	}
	r.Segments += v.count.segments
	r.Skipped += v.count.skipped
	r.Failed += v.count.failed
	r.Checked += v.count.checked
	r.Wrong += v.count.wrong
	r.Bytes.Chunks += v.count.chunks
	r.Bytes.Plain += v.count.plain
	if v.member != nil {
		v.member.add(r)
	}
	return slices.Clone(v.samples[max(0, len(v.samples)-samples):])
}

func (v *viewer) firstFrame() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.count.firstFrame
}

// percentiles are the middle and the worst in a hundred.
func percentiles(all []time.Duration) (p50, p99 Seconds) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	at := func(p float64) Seconds { return seconds(all[min(len(all)-1, int(p*float64(len(all))))]) }
	return at(0.50), at(0.99)
}
