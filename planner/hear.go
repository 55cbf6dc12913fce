package planner

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

// maxWants is how many contents one viewer may want at once: the renditions and
// tracks of what plays in a few tabs.
const maxWants = 16

// maxTabs is how many one viewer is counted for at most: it is its own word.
const maxTabs = 100

// hear takes one message of a member's session. It tells whether the book must
// learn at once what came of it.
func (c *cell) hear(m *member, conn control.Conn, msg wire.Message) (save bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members[m.id] != m || m.conn != conn {
		return false // superseded or dismissed a moment ago
	}
	now := c.now()
	m.seen = now
	switch msg := msg.(type) {
	case wire.Alive:
		m.send(wire.Alive{Confirmed: m.ledger.confirmed(now)})
	case wire.Want:
		c.wantLocked(m, msg)
	case wire.Means:
		if m.means != msg.Means {
			m.means = msg.Means
			c.markLocked(m.id)
		}
	case wire.Signal:
		c.signalLocked(m, msg, now)
	case wire.Report:
		c.reportLocked(m, msg.Report, now)
	}
	save, c.proven = c.proven, false
	return save
}

func (c *cell) wantLocked(m *member, w wire.Want) {
	m.tabs = min(max(w.Tabs, 0), maxTabs) // the plan hangs on nothing of it
	wants := w.Contents[:min(len(w.Contents), maxWants)]
	if m.wants != nil && slices.Equal(wants, m.wants) && m.hidden == w.Hidden {
		return
	}
	m.wants, m.hidden = append([]tuber.ContentID{}, wants...), w.Hidden
	if m.role == tuber.RoleViewer && !m.ledger.proven() {
		m.ledger.begin(c.rateOf(wants))
	}
	c.markLocked(m.id)
}

// rateOf is the highest rate of some contents.
func (c *cell) rateOf(list []tuber.ContentID) (rate tuber.BitsPerSecond) {
	for i := range c.contents {
		if slices.Contains(list, c.contents[i].ID) {
			rate = max(rate, c.contents[i].Rate)
		}
	}
	return rate
}

func (c *cell) setContents(contents []tuber.Content) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(c.contents, contents) {
		return
	}
	c.contents = slices.Clone(contents)
	c.broadcastLocked(wire.Contents{Contents: c.contents})
	c.afresh = true
	c.touchLocked()
}

func (c *cell) broadcastLocked(msg wire.Message) {
	for _, m := range c.members {
		m.send(msg)
	}
}

func (c *cell) setOff(off bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
	if !off {
		return
	}
	for id := range c.members {
		if id != c.origin {
			c.dismissLocked(id, refusedOff)
		}
	}
}

func (c *cell) withdraw(contents []tuber.ContentID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.contents)
	c.contents = slices.DeleteFunc(slices.Clone(c.contents), func(d tuber.Content) bool { return slices.Contains(contents, d.ID) })
	if len(c.contents) != n {
		c.broadcastLocked(wire.Contents{Contents: c.contents})
	}
	c.broadcastLocked(wire.Withdraw{Contents: contents})
	c.afresh = true
	c.touchLocked()
}

func (c *cell) quarantine(id tuber.PeerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quarantineLocked(id)
}

// quarantineLocked bars a peer here. It tells whether it was not barred before.
func (c *cell) quarantineLocked(id tuber.PeerID) bool {
	if id == c.origin || !c.quarantined.add(id) {
		return false
	}
	delete(c.ghosts, id)
	c.dismissLocked(id, refusedQuarantine)
	c.broadcastLocked(wire.Quarantine{Peers: []tuber.PeerID{id}})
	return true
}

// splitFor is how long two peers are kept apart the first time.
const splitFor = 15 * time.Second

// splitLocked keeps a pair apart after a failure between them, twice as long
// each time.
func (c *cell) splitLocked(a, b tuber.PeerID, now time.Time) {
	for _, pair := range [][2]tuber.PeerID{{a, b}, {b, a}} {
		m := c.members[pair[0]]
		if m == nil {
			continue
		}
		s := m.avoid[pair[1]]
		if now.Before(s.until) {
			continue // both sides report one failure
		}
		s.until = now.Add(splitFor << min(s.strikes, 4))
		s.strikes++
		m.avoid[pair[1]] = s
	}
	c.lookAgainLocked(now.Add(splitFor)) // when the time is over
	c.markLocked(a)
	c.markLocked(b)
}
