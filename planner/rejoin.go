package planner

import (
	"time"

	"github.com/tubercdn/tuber"
)

// returnFor is how long one who left is expected back: a reload.
const returnFor = tuber.Lease

// farewell is what is kept of a viewer that left.
type farewell struct {
	at     time.Time
	wants  []tuber.ContentID
	hidden bool
	met    map[tuber.PeerID]time.Time
}

func (c *cell) farewellLocked(m *member, now time.Time) {
	if len(c.left) < maxGhosts {
		c.left[m.id] = farewell{at: now, wants: m.wants, hidden: m.hidden, met: m.met}
	}
}

// welcomeBackLocked gives a member that left a moment ago what it wanted then,
// so that the next plan has a part for it before it speaks. It tells whether
// there was one.
func (c *cell) welcomeBackLocked(m *member) bool {
	f, ok := c.left[m.id]
	if ok {
		delete(c.left, m.id)
		m.wants, m.hidden, m.met = f.wants, f.hidden, f.met
	}
	return ok
}

// beginAfreshLocked is for a peer that was here and comes without a link: its
// program or page was started anew. What failed before says nothing of it.
func (c *cell) beginAfreshLocked(m *member, now time.Time) {
	m.back = now
	for id, s := range m.avoid {
		if !s.accused {
			delete(m.avoid, id)
		}
	}
	for _, other := range c.members {
		if s, ok := other.avoid[m.id]; ok && !s.accused {
			delete(other.avoid, m.id)
			c.markLocked(other.id)
		}
	}
}

// returned tells whether a failure reported now may be that of the links which
// the one or the other had before it began afresh.
func returned(a, b *member, now time.Time) bool {
	return now.Sub(a.back) < tuber.ReportEvery || now.Sub(b.back) < tuber.ReportEvery
}

func (c *cell) forgetLocked(now time.Time) {
	for id, f := range c.left {
		if now.Sub(f.at) > returnFor {
			delete(c.left, id)
		}
	}
	c.dropAccusedLocked()
}
