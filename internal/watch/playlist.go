package watch

import (
	"context"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const (
	retryPlaylist = time.Second
	minReload     = 200 * time.Millisecond
)

// followPlaylist loads the playlist as hls.js does: again after a target
// duration, or after half of it where nothing had changed.
func (v *viewer) followPlaylist(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		wait, ended := v.reload(ctx)
		if ended {
			return
		}
		if v.listing != nil && v.listing.PartTarget > 0 {
			pause(ctx, wait)
			continue
		}
		pause(ctx, max(minReload, wait-time.Since(began)))
	}
}

// reload takes one copy of the playlist; wait is until the next one.
func (v *viewer) reload(ctx context.Context) (wait time.Duration, ended bool) {
	raw, at, err := v.playlist(ctx)
	if err != nil {
		v.o.Log.Debug("load the playlist", "err", err)
		return retryPlaylist, false
	}
	p, err := hls.Parse(raw)
	switch {
	case err != nil:
		v.o.Log.Debug("read the playlist", "err", err)
		return retryPlaylist, false
	case p.Kind == hls.KindMaster:
		return 0, v.source != v.site.playlist || !v.choose(p.Master)
	}
	v.mu.Lock()
	news := v.line.update(unfold(p.Media), at)
	v.letGoLocked(time.Now())
	v.mu.Unlock()
	v.listing = p.Media
	if v.member != nil {
		v.member.plays(v.pathOf(v.source))
	}
	select {
	case v.listed <- struct{}{}:
	default:
	}
	if p.Media.Ended {
		return 0, true
	}
	switch part := p.Media.PartTarget; {
	case part > 0 && p.Media.Control.BlockReload && news:
		return part / 8, false // the next answer is held back by itself
	case part > 0:
		return part / 2, false
	case news:
		return p.Media.Target, false
	}
	return p.Media.Target / 2, false
}

// playlist is the signed copy if there is a fresh one, else what HTTP answers.
func (v *viewer) playlist(ctx context.Context) (raw []byte, at time.Time, err error) {
	if v.member != nil {
		var part time.Duration
		if v.listing != nil {
			part = v.listing.PartTarget
		}
		c, ok := v.nextCopy(ctx, v.shown, part)
		if v.shown = c.update; ok {
			return c.playlist, c.arrived, nil
		}
	}
	r, err := get(ctx, v.client, request{url: blocking(v.source, v.listing), limit: tuber.MaxPlaylist})
	v.countPlain(len(r.body))
	return r.body, time.Now(), err
}

// choose plays the first stream of a master playlist, as hls.js begins; false
// if there is none.
func (v *viewer) choose(m *hls.Master) bool {
	for _, x := range m.Variants {
		if x.Sort != hls.VariantStream {
			continue
		}
		p, err := v.site.resolve(v.source, x.URI, nil)
		if err != nil {
			v.o.Log.Warn("the master playlist names no usable stream", "err", err)
			return false
		}
		v.source = p.url // read by this goroutine and, after listed, by load
		return true
	}
	v.o.Log.Warn("the master playlist names no stream")
	return false
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
