package origin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const (
	maxStreams = 256              // media playlists known at once; further ones are passed on
	maxMasters = 64               // and master playlists
	maxBusy    = 64               // streams proved or followed at once
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
	busy    int             // streams proved or followed
	floor   cutState        // where new streams begin to count: above all that were forgotten
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
	if s := f.stream(target); s != nil {
		s.seen(list.Media, r.Host)
	}
}

// whole is the query with which the site is asked for a viewer. Where a playlist
// is known and not followed, the wish for a delta update (rfc8216bis section
// 6.2.5.1) is left out: the whole playlist answers it too, and it takes one to
// prove that it is the same for all.
func (f *follower) whole(u *url.URL) string {
	list, directives := playlistURL(u)
	if !directives || f.cfg.Key == nil {
		return u.RawQuery
	}
	if s := f.known(list); s == nil || !s.wantsProof() {
		return u.RawQuery
	}
	pairs := slices.DeleteFunc(strings.Split(u.RawQuery, "&"), func(pair string) bool { return strings.HasPrefix(pair, "_HLS_skip") })
	return strings.Join(pairs, "&")
}

// stream finds or opens the stream of a media playlist; nil if there are too
// many. The one that was asked for least lately makes room if it is not followed.
func (f *follower) stream(target string) *stream {
	if s, full := f.open(target); !full {
		return s
	}
	var oldest *stream
	var since time.Time
	for _, s := range f.all() {
		if at, idle := s.idle(); idle && (oldest == nil || at.Before(since)) {
			oldest, since = s, at
		}
	}
	if oldest == nil || !f.forget(oldest) {
		return nil
	}
	s, _ := f.open(target)
	return s
}

func (f *follower) open(target string) (s *stream, full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s = f.streams[target]; s != nil {
		return s, false
	}
	if len(f.streams) >= maxStreams {
		return nil, true
	}
	s = newStream(f, target)
	s.cut = f.floor
	f.streams[target] = s
	return s, false
}

// forget drops the record of a stream. Should it come again, its numbers and
// sequences go on above the old ones.
func (f *follower) forget(s *stream) bool {
	next, sequence, ok := s.retire()
	if !ok {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.floor.next, f.floor.sequence = max(f.floor.next, next), max(f.floor.sequence, sequence)
	delete(f.streams, s.url)
	return true
}

// enter and leave count the streams at work.
func (f *follower) enter(task func(ctx context.Context)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy >= maxBusy || !f.startLocked(task) {
		return false
	}
	f.busy++
	return true
}

func (f *follower) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
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
