package origin

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
)

// leastFree is the part of the uplink, one in so many bits, that HTTP is paced
// at even where peers leave less: the uplink sees to it that this much goes
// (tuber.Uplink), and a viewer who joins is made room for.
const leastFree = 4

// pacing is of the bodies of streams in several renditions. A player chooses by the
// rate that it measures, and a line that is idle for a moment shows it one that
// the line cannot keep: so each body comes at its part of what is free.
type pacing struct {
	free   func() (tuber.BitsPerSecond, bool)
	uplink *tuber.Uplink
	open   atomic.Int64 // bodies under way
}

// rate is what all of them may take together, 0 for any.
func (p *pacing) rate() tuber.BitsPerSecond {
	line := p.uplink.Rate()
	if p.free == nil || line == tuber.Unlimited {
		return 0
	}
	free, known := p.free()
	if !known {
		return 0
	}
	return max(free, line/leastFree)
}

// paced is one such body.
type paced struct {
	of  *pacing
	due time.Time // when what was let go until now should have gone
}

func (p *pacing) begin() *paced {
	p.open.Add(1)
	return &paced{p, time.Now()}
}

func (p *paced) done() {
	if p != nil {
		p.of.open.Add(-1)
	}
}

// wait returns when n more bytes may go, or with the context's error.
func (p *paced) wait(ctx context.Context, n int) error {
	if p == nil {
		return nil
	}
	rate := p.of.rate()
	if rate <= 0 {
		return nil
	}
	share := rate.BytesPerSecond() / float64(max(p.of.open.Load(), 1))
	p.due = p.due.Add(time.Duration(float64(n) / share * float64(time.Second)))
	return pause(ctx, time.Until(p.due))
}

// hold paces the answer if it is of a stream in several renditions.
func (f *follower) hold(w http.ResponseWriter, r *http.Request, content tuber.ContentID) {
	m, ok := w.(*meter)
	if !ok || m.pace != nil || r.Method != http.MethodGet {
		return
	}
	if s := f.byContent(content); s != nil && f.laddered(s.url) {
		m.pace = m.origin.pacing.begin()
	}
}

// laddered tells whether a master playlist names the stream among others.
func (f *follower) laddered(target string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.masters {
		if _, ok := m.listed[target]; ok && len(m.listed) > 1 {
			return true
		}
	}
	return false
}
