package planner

import (
	"time"

	"github.com/tubercdn/tuber"
)

// Whose word quarantines, unless it is a trusted peer's.
const (
	accusersNeed = 3                // viewers, met in as many plans, never accused themselves
	accusedMost  = 3                // peers that one viewer may accuse without proof
	loneFor      = 10 * time.Minute // that a viewer which accuses more has no links
)

// accuseLocked hears that other sent m a chunk that is not what the origin
// signed. The pair is split at once, whoever lied. The word of the origin or of
// a booster quarantines other, and bars it in the book if it is a booster. A
// viewer's word only counts with those of others that cannot easily be of one
// mind: they met other in different plans, and nobody has accused them.
func (c *cell) accuseLocked(by witness, other *member, blame *tuber.Blame, now time.Time) {
	c.accusedLocked(by.id, other.id, now)
	if blame == nil || other.id == c.origin {
		return
	}
	c.log.Warn("peer is accused of a bad chunk", "peer", other.id, "by", by.id, "content", blame.Content, "chunk", blame.Number)
	if by.role != tuber.RoleViewer {
		if other.isBooster() {
			other.record.Bad, c.proven = true, true
		}
		c.expelLocked(other.id)
		return
	}
	c.countLocked(by, other, now)
	if c.weightLocked(other.id) >= accusersNeed {
		c.expelLocked(other.id)
	}
}

// witness is who accuses: a member, or a visitor of whom its own cell tells.
type witness struct {
	id   tuber.PeerID
	role tuber.Role
	plan tuber.Version // that introduced it to the accused; 0 if none is known to have
	lone bool          // nothing that it says counts for now
}

func (m *member) witnessOf(of tuber.PeerID, now time.Time) witness {
	return witness{m.id, m.role, m.known[of].by, now.Before(m.lone)}
}

// accusedLocked splits a pair of which one accused the other.
func (c *cell) accusedLocked(a, b tuber.PeerID, now time.Time) {
	c.splitLocked(a, b, now)
	for _, pair := range [][2]tuber.PeerID{{a, b}, {b, a}} {
		if m := c.members[pair[0]]; m != nil {
			s := m.avoid[pair[1]]
			s.accused = true
			m.avoid[pair[1]] = s
		}
	}
}

func (c *cell) expelLocked(id tuber.PeerID) {
	delete(c.accusers, id)
	if c.quarantineLocked(id) {
		c.log.Warn("peer is quarantined", "peer", id)
		c.postLocked(c.number, ban{id}) // the root has all cells bar it
	}
}

// countLocked notes a viewer's accusation. One that accuses many without proof
// is taken for the liar: what it said is void, and it gets no links.
func (c *cell) countLocked(w witness, other *member, now time.Time) {
	if w.plan == 0 || w.lone {
		return
	}
	by := c.accusers[other.id]
	if by == nil {
		by = map[tuber.PeerID]tuber.Version{}
		c.accusers[other.id] = by
	}
	by[w.id] = w.plan
	if c.accusedByLocked(w.id) <= accusedMost {
		return
	}
	if m := c.members[w.id]; m != nil {
		c.disbelieveLocked(m, now)
	} else if home, abroad := c.abroadLocked(w.id); abroad {
		c.postLocked(home, disbelief{w.id})
	}
	for id, by := range c.accusers {
		if delete(by, w.id); len(by) == 0 {
			delete(c.accusers, id)
		}
	}
}

// disbelieveLocked gives a viewer that accused too many no links for a while.
func (c *cell) disbelieveLocked(m *member, now time.Time) {
	m.lone = now.Add(loneFor)
	c.lookAgainLocked(now.Add(splitFor))
	c.markLocked(m.id)
	c.log.Warn("peer accuses many, so it is believed no more", "peer", m.id)
}

func (c *cell) accusedByLocked(id tuber.PeerID) int {
	n := 0
	for _, by := range c.accusers {
		if _, ok := by[id]; ok {
			n++
		}
	}
	return n
}

// weightLocked is how many independent viewers accuse a peer.
func (c *cell) weightLocked(id tuber.PeerID) int {
	plans := map[tuber.Version]bool{}
	for accuser, plan := range c.accusers[id] {
		if len(c.accusers[accuser]) == 0 && !c.quarantined.has(accuser) {
			plans[plan] = true
		}
	}
	return len(plans)
}
