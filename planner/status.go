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

// since is what came since the window began.
func (t *totals) since(now time.Time) mark {
	var base mark
	for _, m := range t.marks {
		if now.Sub(m.at) <= shareWindow {
			break
		}
		base = m
	}
	return mark{now, t.peers - base.peers, t.peers + t.origin + t.http - base.total}
}

// share is this cell's part in Share, and what came in the last shareWindow.
func (c *cell) share() (Share, mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.totals
	return Share{Peers: t.peers, Origin: t.origin, HTTP: t.http}, t.since(c.now())
}

// share sums the cells up.
func (r *root) share() Share {
	var all Share
	var peers, total uint64
	for _, c := range r.all() {
		s, recent := c.share()
		all.Peers, all.Origin, all.HTTP = all.Peers+s.Peers, all.Origin+s.Origin, all.HTTP+s.HTTP
		peers, total = peers+recent.peers, total+recent.total
	}
	if total > 0 {
		all.Recent = float64(peers) / float64(total)
	}
	return all
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
			HTTP: m.ledger.http, Upload: m.ledger.upload(m.means.Upload), Since: m.since, Tabs: m.tabs,
		})
	}
	return out, c.shortLocked()
}

// shortLocked is what the plan says the means do not suffice for, and what it
// would have from its feeder, but nobody sends.
func (c *cell) shortLocked() []tuber.Shortage {
	short := slices.Clone(c.plan.Short)
	unfed, dry := c.unfedLocked(), c.dryLocked()
	if len(unfed) == 0 {
		return short
	}
	for _, content := range sortedContents(c.contents) {
		id, missing := content.ID, 0
		for _, u := range unfed {
			if u.content == id {
				missing++
			}
		}
		viewers := 0
		for peer, feeds := range dry {
			m := c.members[peer]
			if m != nil && m.role == tuber.RoleViewer && slices.ContainsFunc(feeds, func(f Feed) bool { return f.Content == id }) {
				viewers++
			}
		}
		if viewers == 0 {
			continue
		}
		at := slices.IndexFunc(short, func(s tuber.Shortage) bool { return s.Content == id })
		if at < 0 {
			at, short = len(short), append(short, tuber.Shortage{Content: id})
		}
		slot := float64(content.Rate) / float64(max(1, content.K))
		short[at].Missing += tuber.BitsPerSecond(float64(missing) * slot / useOfUplink)
		short[at].Viewers += viewers
	}
	return short
}

// status lists the members of all cells, and sums up what each is short of.
func (r *root) status() ([]tuber.PeerStatus, []tuber.Shortage) {
	var peers []tuber.PeerStatus
	var short []tuber.Shortage
	for _, c := range r.all() {
		here, lacks := c.status()
		peers = append(peers, here...)
		for _, s := range lacks {
			at := slices.IndexFunc(short, func(o tuber.Shortage) bool { return o.Content == s.Content })
			if at < 0 {
				short = append(short, s)
				continue
			}
			short[at].Missing += s.Missing
			short[at].Viewers += s.Viewers
		}
	}
	slices.SortFunc(peers, func(a, b tuber.PeerStatus) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return peers, short
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

// Cells is how many cells there are.
func (p *Planner) Cells() int { return len(p.root.all()) }
