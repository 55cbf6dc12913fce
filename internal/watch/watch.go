package watch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
)

// Options say what to watch. Only URL is needed.
type Options struct {
	URL      string              // of a page with a player, or of a playlist
	Viewers  int                 // in this process; 0 means one
	For      time.Duration       // from the first viewer's start; 0 means until ctx ends
	After    time.Duration       // from the first viewer's start: what was before it is left out of the result
	Ramp     time.Duration       // over which viewers start
	Upload   tuber.BitsPerSecond // each viewer's cap: 0 gives nothing, tuber.Unlimited is no cap
	Insecure bool                // any TLS certificate will do
	LAN      bool                // links may use private addresses, whatever the URL says
	Check    bool                // compare each played segment with a plain fetch
	Log      *slog.Logger        // nil for none

	// Progress is told how it stands once a second, the latency of the last ten
	// seconds; nil for nobody.
	Progress func(Result)
	// Played is told each whole segment that went to a player; nil for nobody.
	Played func(viewer int, url string, sum tuber.Digest)
}

// Run watches until ctx ends, the time is over or the stream is.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Viewers = max(1, o.Viewers)
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	client := newClient(o.Insecure)
	s, err := findSite(ctx, client, o.URL)
	client.CloseIdleConnections()
	if err != nil {
		return Result{}, fmt.Errorf("watch: %w", err)
	}
	if s.why != "" {
		o.Log.Warn("no swarm: every byte comes over plain HTTP", "why", s.why)
	}
	c := crowd{site: s, o: &o}
	return c.run(ctx)
}

// crowd is the viewers of one process.
type crowd struct {
	site *site
	o    *Options

	mu      sync.Mutex // guards the fields below
	viewers []*viewer
	before  Result // what had been when After was over
	from    time.Time
}

func (c *crowd) run(ctx context.Context) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg, telling sync.WaitGroup
	watched := make(chan struct{})
	telling.Go(func() { c.tell(ctx, watched) })
	if c.o.After > 0 {
		telling.Go(func() { c.leaveOut(ctx) })
	}
	gap := c.o.Ramp / time.Duration(c.o.Viewers)
	var err error
	for i := range c.o.Viewers {
		if i > 0 {
			pause(ctx, gap)
		}
		if ctx.Err() != nil {
			break
		}
		var v *viewer
		if v, err = newViewer(c.site, c.o, i); err != nil {
			cancel()
			break
		}
		c.mu.Lock()
		c.viewers = append(c.viewers, v)
		c.mu.Unlock()
		wg.Go(func() { v.run(ctx) })
	}
	wg.Wait()
	close(watched)
	cancel()
	telling.Wait()
	return c.whole(), err
}

// leaveOut waits until After is over, and keeps how it stood then.
func (c *crowd) leaveOut(ctx context.Context) {
	pause(ctx, c.o.After)
	if ctx.Err() != nil {
		return
	}
	now := c.now(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.from = now, time.Now()
}

// whole is the result, without what was before After was over.
func (c *crowd) whole() Result {
	c.mu.Lock()
	before, samples := c.before, maxSamples
	if !c.from.IsZero() {
		samples = int(time.Since(c.from) / time.Second) // one a second
	}
	c.mu.Unlock()
	return c.now(samples).since(&before)
}

// tell reports once a second, until all viewers have ended.
func (c *crowd) tell(ctx context.Context, watched <-chan struct{}) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-watched:
			return
		case <-ctx.Done():
			<-watched
			return
		case <-t.C:
			if c.o.Progress != nil {
				c.o.Progress(c.now(recentSamples))
			}
		}
	}
}

const recentSamples = 10

func (c *crowd) now(samples int) Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	return result(c.site, c.viewers, samples)
}
