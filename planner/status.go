package planner

import (
	"bytes"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// Share says where viewers' bytes came from, by their own reports. What
// boosters take in does not count.
type Share struct {
	Peers  uint64  // from viewers and boosters
	Origin uint64  // from the origin over links
	HTTP   uint64  // over HTTP
	Recent float64 // the part of Peers in the last shareWindow, 0 to 1
}

// shareWindow is a little more than two reports.
const shareWindow = 25 * time.Second

// totals sums up reports.
type totals struct {
	peers, origin, http uint64
	marks               []mark // oldest first, one a second at most
}

type mark struct {
	at           time.Time
	peers, total uint64
}

// mark notes the sums of this moment.
func (t *totals) mark(now time.Time) {
	m := mark{now, t.peers, t.peers + t.origin + t.http}
	if n := len(t.marks); n > 1 && now.Sub(t.marks[n-2].at) < time.Second {
		t.marks[n-1] = m
		return
	}
	for len(t.marks) > 1 && now.Sub(t.marks[1].at) > shareWindow {
		t.marks = t.marks[1:]
	}
	t.marks = append(t.marks, m)
}

func (c *cell) share() Share {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.totals
	s := Share{Peers: t.peers, Origin: t.origin, HTTP: t.http}
	now := c.now()
	var base mark // the sums when the window began
	for _, m := range t.marks {
		if now.Sub(m.at) <= shareWindow {
			break
		}
		base = m
	}
	if total := t.peers + t.origin + t.http; total > base.total {
		s.Recent = float64(t.peers-base.peers) / float64(total-base.total)
	}
	return s
}

func (c *cell) free() (tuber.BitsPerSecond, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.members[c.origin]
	if m == nil {
		return 0, false
	}
	left := tuber.BitsPerSecond(useOfUplink * float64(m.ledger.upload(m.means.Upload)))
	if pp := c.plan.Peers[c.origin]; pp != nil {
		for _, a := range pp.Assignments {
			left -= a.Rate
		}
	}
	return max(0, left), true
}

func (c *cell) status() ([]tuber.PeerStatus, []tuber.Shortage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]tuber.PeerStatus, 0, len(c.members))
	for _, m := range c.members {
		out = append(out, tuber.PeerStatus{
			ID: m.id, Name: m.name, Role: m.role, Sent: m.ledger.sent, Received: m.ledger.received,
			HTTP: m.ledger.http, Upload: m.ledger.upload(m.means.Upload), Since: m.since,
		})
	}
	slices.SortFunc(out, func(a, b tuber.PeerStatus) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return out, slices.Clone(c.plan.Short)
}

// boosterRecords are the book's records of the boosters here and of those that
// have left since the last call, brought up to date.
func (c *cell) boosterRecords() []tuber.BoosterRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.departed
	c.departed = nil
	for _, m := range c.members {
		if m.isBooster() {
			out = append(out, m.history())
		}
	}
	return out
}

// history is what the book is to say of a booster.
func (m *member) history() tuber.BoosterRecord {
	r := m.record
	r.Online += m.seen.Sub(m.since)
	r.Delivered += m.ledger.sent
	r.Seen, r.Upload = m.seen, m.ledger.learnt
	if m.name != "" {
		r.Name = m.name
	}
	return r
}
