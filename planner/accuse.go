package planner

import (
	"time"

	"github.com/tubercdn/tuber"
)

// Whose word quarantines, unless it is a trusted peer's.
const (
	accusersNeed = 3                // viewers, met in as many plans, never accused themselves
	accusedMost  = 3                // peers that one viewer may accuse without proof
	doubtFor     = 10 * time.Minute // that a viewer which accuses more is linked to no other
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
	id      tuber.PeerID
	role    tuber.Role
	plan    tuber.Version // that introduced it to the accused; 0 if none is known to have
	doubted bool          // nothing that it says counts for now
}

func (m *member) witnessOf(of tuber.PeerID, now time.Time) witness {
	return witness{m.id, m.role, m.known[of].by, now.Before(m.doubted)}
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

// expelLocked quarantines a peer. Those who accused it spoke the truth.
func (c *cell) expelLocked(id tuber.PeerID) {
	right := c.accusers[id]
	delete(c.accusers, id)
	for by := range right {
		if c.accusedByLocked(by) == accusedMost { // it was one too many
			c.doubtLocked(by, time.Time{})
		}
	}
	if c.quarantineLocked(id) {
		c.log.Warn("peer is quarantined", "peer", id)
		c.postLocked(c.number, ban{id}) // the root has all cells bar it
	}
}

// countLocked notes a viewer's accusation. One that accuses many who are not
// proven bad is a liar, or among liars: nothing that it says counts, and only
// those whom the owner trusts feed it.
func (c *cell) countLocked(w witness, other *member, now time.Time) {
	if w.plan == 0 || w.doubted {
		return
	}
	by := c.accusers[other.id]
	if by == nil {
		by = map[tuber.PeerID]tuber.Version{}
		c.accusers[other.id] = by
	}
	by[w.id] = w.plan
	if c.accusedByLocked(w.id) > accusedMost {
		c.log.Warn("peer accuses many, so it is believed no more", "peer", w.id)
		c.doubtLocked(w.id, now.Add(doubtFor))
	}
}

// doubtLocked has the cell of a viewer doubt it until then.
func (c *cell) doubtLocked(id tuber.PeerID, until time.Time) {
	if m := c.members[id]; m != nil {
		c.doubtsLocked(m, until)
	} else if home, abroad := c.abroadLocked(id); abroad {
		c.postLocked(home, doubt{id, until})
	}
}

func (c *cell) doubtsLocked(m *member, until time.Time) {
	m.doubted = until
	if !until.IsZero() {
		c.lookAgainLocked(until)
	}
	c.markLocked(m.id)
}

// accusedByLocked is how many a viewer accuses who are here and not proven bad.
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
		if len(c.accusers[accuser]) == 0 && !c.quarantined.has(accuser) && c.accusedByLocked(accuser) <= accusedMost {
			plans[plan] = true
		}
	}
	return len(plans)
}

// dropAccusedLocked forgets what was said of those who have gone for good.
func (c *cell) dropAccusedLocked() {
	for id := range c.accusers {
		if _, returns := c.left[id]; c.members[id] == nil && !returns {
			delete(c.accusers, id)
		}
	}
}
