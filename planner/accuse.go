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
func (c *cell) accuseLocked(m, other *member, blame *tuber.Blame, now time.Time) {
	c.splitLocked(m.id, other.id, now)
	for _, pair := range [][2]*member{{m, other}, {other, m}} {
		s := pair[0].avoid[pair[1].id]
		s.accused = true
		pair[0].avoid[pair[1].id] = s
	}
	if blame == nil || other.id == c.origin {
		return
	}
	c.log.Warn("peer is accused of a bad chunk", "peer", other.id, "by", m.id, "content", blame.Content, "chunk", blame.Number)
	if m.role != tuber.RoleViewer {
		if other.isBooster() {
			other.record.Bad, c.proven = true, true
		}
		c.expelLocked(other.id)
		return
	}
	c.countLocked(m, other, now)
	if c.weightLocked(other.id) >= accusersNeed {
		c.expelLocked(other.id)
	}
}

func (c *cell) expelLocked(id tuber.PeerID) {
	delete(c.accusers, id)
	c.quarantineLocked(id)
}

// countLocked notes a viewer's accusation. One that accuses many without proof
// is taken for the liar: what it said is void, and it gets no links.
func (c *cell) countLocked(m, other *member, now time.Time) {
	plan := m.known[other.id].by
	if plan == 0 || now.Before(m.lone) {
		return
	}
	by := c.accusers[other.id]
	if by == nil {
		by = map[tuber.PeerID]tuber.Version{}
		c.accusers[other.id] = by
	}
	by[m.id] = plan
	if c.accusedByLocked(m.id) <= accusedMost {
		return
	}
	m.lone = now.Add(loneFor)
	c.lookAgainLocked(now.Add(splitFor))
	c.markLocked(m.id)
	c.log.Warn("peer accuses many, so it is believed no more", "peer", m.id)
	for id, by := range c.accusers {
		if delete(by, m.id); len(by) == 0 {
			delete(c.accusers, id)
		}
	}
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
		if len(c.accusers[accuser]) == 0 && !c.quarantined[accuser] {
			plans[plan] = true
		}
	}
	return len(plans)
}
