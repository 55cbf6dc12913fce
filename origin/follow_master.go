package origin

import (
	"context"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// alwaysRetry is the wait before a playlist of Config.Always is tried again.
const alwaysRetry = 5 * time.Second

// master is what is known of a master playlist. Its own bytes are never
// shared; but a media playlist that only one viewer's master names is that
// viewer's, however public it is, so it is not followed.
type master struct {
	variants *hls.Master // as a viewer got them
	listed   map[string]tuber.BitsPerSecond
	state    masterState
}

type masterState uint8

const (
	masterDoubted masterState = iota // not compared yet
	masterSame                       // two own copies name the same playlists as the viewer's
	masterDiffers
)

// sawMaster compares a viewer's master playlist with the follower's own copies.
func (f *follower) sawMaster(target, host string, seen *hls.Master) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.masters[target]
	if known != nil && sameVariants(known.variants, seen) && known.state != masterDiffers {
		return
	}
	if known == nil && len(f.masters) >= maxMasters {
		return
	}
	m := &master{variants: seen, listed: map[string]tuber.BitsPerSecond{}}
	for _, v := range seen.Variants {
		if u, ok := resolve(target, v.URI, host); ok && v.URI != "" {
			m.listed[u] = v.Bandwidth
		}
	}
	if known != nil && known.state == masterDiffers {
		m.state = masterDiffers // until the comparison says otherwise
	}
	f.masters[target] = m
	f.startLocked(func(ctx context.Context) { f.proveMaster(ctx, target, m) })
}

func (f *follower) proveMaster(ctx context.Context, target string, m *master) {
	state := masterSame
	for range 2 {
		own, err := f.playlist(ctx, target)
		if err != nil || own.list.Kind != hls.KindMaster || !sameVariants(own.list.Master, m.variants) {
			state = masterDiffers
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m.state = state
	if state == masterDiffers {
		f.cfg.Log.Info("a master playlist differs between viewers, its streams are not shared", "path", pathOf(target))
	}
}

// listing says whether master playlists let a stream be followed, and the rate
// that they declare for it. A stream that none names is judged by itself.
func (f *follower) listing(target string) (allowed bool, rate tuber.BitsPerSecond) {
	f.mu.Lock()
	defer f.mu.Unlock()
	allowed = true
	for _, m := range f.masters {
		r, ok := m.listed[target]
		if !ok {
			continue
		}
		allowed = allowed && m.state == masterSame
		rate = max(rate, r)
	}
	return allowed, rate
}

// always follows a playlist that the operator names, and those that it names,
// with or without viewers. The operator's word stands for the viewer's copy.
func (f *follower) always(ctx context.Context, target string) {
	for {
		own, err := f.playlist(ctx, target)
		switch {
		case err != nil:
			f.cfg.Log.Warn("a stream to follow always cannot be read", "path", pathOf(target), "err", err)
		case own.list.Kind == hls.KindMaster:
			for _, v := range own.list.Master.Variants {
				if u, ok := resolve(target, v.URI, f.cfg.Host); ok && v.URI != "" && v.Sort != hls.VariantFrames {
					f.startAlways(u)
				}
			}
		default:
			f.startAlways(target)
		}
		if pause(ctx, alwaysRetry) != nil {
			return
		}
	}
}

func (f *follower) startAlways(target string) {
	if s := f.stream(target); s != nil {
		s.begin(nil, f.cfg.Host)
	}
}

// pause waits for d, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
