package origin

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const (
	maxStreams = 256              // media playlists known at once; further ones are passed on
	maxMasters = 64               // and master playlists
	idleAfter  = 60 * time.Second // a stream that nobody asked for so long is left
	doubtFor   = 60 * time.Second // a playlist that looked personal, or private, is not tried before
)

// follower watches the site's live streams on behalf of all viewers. It learns
// of them from the playlists that pass, proves that a playlist is the same for
// everyone, and then fetches, cuts and publishes each segment once.
type follower struct {
	cfg    *Config
	site   http.RoundTripper
	memory *memory
	now    func() time.Time

	announcing sync.Mutex // held across SetContents, so that lists arrive in order

	mu      sync.Mutex // guards the fields below
	streams map[string]*stream
	masters map[string]*master
	running context.Context // of Run; nil when it is not under way
	tasks   sync.WaitGroup  // goroutines that Run waits for; added to under mu while running
}

func newFollower(cfg *Config, site http.RoundTripper) *follower {
	return &follower{
		cfg: cfg, site: site, memory: newMemory(memoryLimit), now: time.Now,
		streams: map[string]*stream{}, masters: map[string]*master{},
	}
}

// Run follows streams until ctx ends, and returns when all its work has ended.
func (f *follower) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.mu.Lock()
	f.running = ctx
	f.mu.Unlock()
	if f.cfg.Follow == FollowAlways && f.cfg.Key != nil {
		for _, target := range f.cfg.Always {
			f.start(func(ctx context.Context) { f.always(ctx, target) })
		}
	}
	<-ctx.Done()
	f.mu.Lock()
	f.running = nil
	f.mu.Unlock()
	f.tasks.Wait()
	return ctx.Err()
}

// start runs a task that ends with Run's context; false if Run is not under way.
func (f *follower) start(task func(ctx context.Context)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.startLocked(task)
}

func (f *follower) startLocked(task func(ctx context.Context)) bool {
	ctx := f.running
	if ctx == nil {
		return false
	}
	f.tasks.Add(1)
	go func() {
		defer f.tasks.Done()
		task(ctx)
	}()
	return true
}

// observe learns from a playlist that passes to a viewer; body is it, without
// any coding. It returns at once and keeps only the URIs in it, for comparison.
func (f *follower) observe(r *http.Request, res *http.Response, body []byte) {
	if f.cfg.Key == nil || r.Method != http.MethodGet || res.StatusCode != http.StatusOK {
		return
	}
	list, err := hls.Parse(body)
	if err != nil {
		f.cfg.Log.Debug("a playlist cannot be read and is passed on", "path", r.URL.Path, "err", err)
		return
	}
	target, _ := playlistURL(r.URL)
	if len(target) > tuber.MaxURL {
		return
	}
	if list.Kind == hls.KindMaster {
		f.sawMaster(target, r.Host, list.Master)
		return
	}
	if s := f.stream(target, r.Host); s != nil {
		s.seen(list.Media)
	}
}

// stream finds or opens the stream of a media playlist; nil if there are too many.
func (f *follower) stream(target, host string) *stream {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.streams[target]
	if s == nil && len(f.streams) < maxStreams {
		s = newStream(f, target, host)
		f.streams[target] = s
	}
	return s
}

func (f *follower) known(target string) *stream {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.streams[target]
}

func (f *follower) all() []*stream {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]*stream, 0, len(f.streams))
	for _, s := range f.streams {
		out = append(out, s)
	}
	return out
}

// Watching is told by the planner's side, now and then, that peers want a
// content, or that none does any more. A stream is followed for a minute after
// it was last wanted or asked for over HTTP.
func (o *Origin) Watching(content tuber.ContentID, wanted bool) { o.follower.watching(content, wanted) }

func (f *follower) watching(content tuber.ContentID, wanted bool) {
	if !wanted {
		return
	}
	for _, s := range f.all() {
		if s.content == content {
			s.touch()
		}
	}
}

// publish hands on what was cut; without a publisher it is only for memory.
func (f *follower) publish(p Publication) {
	if f.cfg.Publisher != nil {
		f.cfg.Publisher.Publish(p)
	}
}
