package host

import (
	"context"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

const (
	// tellEvery is how often the origin hears which streams are wanted; it
	// leaves one that it has not heard of for a minute.
	tellEvery = 10 * time.Second
	// rejoining is how long a planner that began anew may not know its viewers.
	rejoining = 60 * time.Second
)

// watching tells the origin which streams viewers want: a viewer that is served
// by peers asks nothing over HTTP, so only the planner knows that it is there.
func (h *Host) watching(ctx context.Context) error {
	t := time.NewTicker(tellEvery)
	defer t.Stop()
	var last wants
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		last = last.next(h.planning.wanted())
		for _, c := range last.contents {
			h.origin.Watching(c, true)
		}
	}
}

// wants remembers what viewers wanted before the planner stopped: their links
// live on, and so must the streams.
type wants struct{ contents []tuber.ContentID }

// next is what is wanted now. age is how long the planner has run; 0 if it does not.
func (w wants) next(now []tuber.ContentID, age time.Duration) wants {
	if age >= rejoining {
		return wants{now}
	}
	all := slices.Clone(w.contents)
	for _, c := range now {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return wants{all}
}

// wanted is what the running planner's viewers want, and how long it has run.
func (p *planning) wanted() ([]tuber.ContentID, time.Duration) {
	run := p.current()
	if run == nil {
		return nil, 0
	}
	return run.Wanted(), max(time.Since(run.began), 1)
}
