package watch

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// viewer is one browser page with one player.
type viewer struct {
	site   *site
	o      *Options
	number int
	client *http.Client
	member *member // nil without a swarm
	began  time.Time

	listed chan struct{} // capacity 1: the timeline has changed
	checks chan check

	listing *hls.Media    // as it was listed last; followPlaylist's alone
	shown   *tuber.Update // of the last signed copy; the same

	mu       sync.Mutex // guards the fields below
	play     player
	waiting  *waiting // for a segment; nil while for none
	line     timeline
	source   string // the media playlist's URL; the master's until it is known
	http     speed
	count    counts
	samples  []time.Duration // latency, one a second
	reported counts
}

// counts is what a viewer has counted since it began.
type counts struct {
	chunks     uint64 // bytes of chunks over HTTP
	plain      uint64 // bytes of plain HTTP, playlists included
	segments   int
	skipped    int // segments that left the window before they were played
	failed     int // segments that could not be had at all
	checked    int
	wrong      int
	firstFrame time.Duration // unknownTime before it
	stalls     int           // only in reported
}

// guess of the line before anything was measured: 4 Mbit/s, as a browser says.
const guessRate, guessDelay = 500_000, 100 * time.Millisecond

func newViewer(s *site, o *Options, number int) (*viewer, error) {
	v := &viewer{
		site: s, o: o, number: number, client: newClient(o.Insecure), began: time.Now(),
		listed: make(chan struct{}, 1), checks: make(chan check, maxChecks),
		source: s.playlist, http: speed{rate: guessRate, delay: guessDelay},
	}
	v.count.firstFrame = unknownTime
	if s.swarm == nil {
		return v, nil
	}
	var err error
	v.member, err = newMember(s, o, v.client, v.report)
	return v, err
}

// run plays until ctx ends or the stream does.
func (v *viewer) run(ctx context.Context) {
	defer v.client.CloseIdleConnections()
	var wg sync.WaitGroup
	defer wg.Wait()
	if v.member != nil {
		member, end := context.WithCancel(context.WithoutCancel(ctx)) // it says goodbye first
		defer end()
		defer v.member.leave()
		wg.Go(func() { v.member.run(member, v.o.Upload) })
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if v.o.Check {
		wg.Go(func() { v.checkAll(ctx) })
	}
	wg.Go(func() { v.followPlaylist(ctx) })
	wg.Go(func() { v.sample(ctx) })
	v.load(ctx)
}

// sample measures the latency every second.
func (v *viewer) sample(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			v.mu.Lock()
			v.play.advance(now)
			if l := v.line.latency(v.play.head, now); v.play.started && l != unknownTime && len(v.samples) < maxSamples {
				v.samples = append(v.samples, l)
			}
			v.mu.Unlock()
		}
	}
}

const maxSamples = 24 * 3600

// report adds what the peer cannot know to what the planner is told.
func (v *viewer) report(r *tuber.Report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.count
	now.stalls = v.play.stalls
	r.HTTP = now.chunks + now.plain - v.reported.chunks - v.reported.plain
	r.Stalls = uint32(now.stalls - v.reported.stalls)
	if l := v.line.latency(v.play.head, time.Now()); v.play.started && l != unknownTime {
		r.Latency = l
	}
	v.reported = now
}

func (v *viewer) measure(bytes int, delay, rest time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.http.measured(bytes, delay, rest)
}

func (v *viewer) countPlain(bytes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count.plain += uint64(bytes)
}

// played takes a whole segment into the buffer.
func (v *viewer) played(a *ask, p piece, body []byte) {
	now := time.Now()
	v.mu.Lock()
	v.play.append(a.to, now)
	if v.count.segments++; v.count.firstFrame == unknownTime {
		v.count.firstFrame = now.Sub(v.began)
	}
	v.mu.Unlock()
	if v.o.Played == nil && !v.o.Check {
		return
	}
	sum := tuber.Digest(sha256.Sum256(body))
	if v.o.Played != nil {
		v.o.Played(v.number, p.url, sum)
	}
	if v.o.Check {
		select {
		case v.checks <- check{p, sum}:
		default: // checking is behind; playing does not wait for it
		}
	}
}

// pathOf is how the swarm names the playlist that is played.
func (v *viewer) pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return v.site.path(u)
}
