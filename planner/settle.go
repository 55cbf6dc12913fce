package planner

import (
	"errors"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// keptFor is the part of a cell's places that viewers leave to boosters.
const keptFor = 8

// place is the cell where a peer that joins belongs, with a place kept for it:
// the one that it is in, or left a moment ago; the one of its plan, or that most
// of those are in to whom it has links; for a booster the one that needs uplink
// most; for a viewer the first one that has room. Where none has, one is opened.
func (r *root) place(j wire.Join, now time.Time) (*cell, *wire.Refused) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := j.Key.PeerID()
	if no := r.barLocked(id, j.Role); no != nil {
		return nil, no
	}
	if id == r.cfg.Origin {
		return r.cells[0], nil
	}
	h := r.homes[id]
	if h == nil {
		h = &home{cell: r.chooseLocked(j, now), viewer: j.Role == tuber.RoleViewer}
		r.homes[id] = h
		r.taken[h.cell.number]++
	}
	r.occupyLocked(h, true) // it enters in a moment
	return h.cell, nil
}

func (r *root) chooseLocked(j wire.Join, now time.Time) *cell {
	if c := r.formerLocked(j, now); c != nil {
		return c
	}
	if c := r.nearestLocked(j); c != nil {
		return c
	}
	if j.Role == tuber.RoleBooster {
		if c := r.neediestLocked(); c != nil {
			return c
		}
	}
	for _, c := range r.cells {
		if r.roomLocked(c, j.Role) {
			return c
		}
	}
	return r.openLocked()
}

// roomLocked tells whether a cell may take one more.
func (r *root) roomLocked(c *cell, role tuber.Role) bool {
	most := r.cfg.MaxCell
	if role == tuber.RoleViewer {
		most -= most / keptFor
	}
	return r.taken[c.number] < most
}

// formerLocked is the cell that a peer's plan names. While peers rejoin after a
// planner's start, the cells of the one before are opened again.
func (r *root) formerLocked(j wire.Join, now time.Time) *cell {
	if j.Plan == nil {
		return nil
	}
	n := cellNumber(j.Plan.Cell)
	if j.Plan.Epoch < r.cfg.Epoch {
		if n != firstCell {
			n = r.reviveLocked(j.Plan.Cell, now)
		}
	}
	if c := r.cellLocked(n); c != nil && r.roomLocked(c, j.Role) {
		return c
	}
	return nil
}

// reviveLocked is the number now of a cell of the planner before; the first one
// if it has none. No more are opened for it than the viewers need who may come.
func (r *root) reviveLocked(before int, now time.Time) cellNumber {
	if n, ok := r.revived[before]; ok {
		return n
	}
	if now.Sub(r.began) > 2*adoptFor || len(r.cells) > r.cfg.MaxPeers/r.cfg.MaxCell {
		return firstCell
	}
	n := r.openLocked().number
	r.revived[before] = n
	return n
}

// nearestLocked is the cell, with room, of most of those to whom a peer has links.
func (r *root) nearestLocked(j wire.Join) *cell {
	count := map[*cell]int{}
	for _, id := range j.Links {
		if h := r.homes[id]; h != nil {
			count[h.cell]++
		}
	}
	var best *cell
	for _, c := range r.cells {
		if count[c] > 0 && (best == nil || count[c] > count[best]) && r.roomLocked(c, j.Role) {
			best = c
		}
	}
	return best
}

// neediestLocked is the cell, with room, whose members' uplinks are the smallest
// part of what is needed there.
func (r *root) neediestLocked() *cell {
	var best *cell
	var least float64
	for _, c := range r.cells {
		s := c.summary()
		if s.needs == 0 || !r.roomLocked(c, tuber.RoleBooster) {
			continue
		}
		if has := float64(s.supply) / float64(s.needs); best == nil || has < least {
			best, least = c, has
		}
	}
	return best
}

func (r *root) hasPlace(n cellNumber) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.cellLocked(n)
	return c != nil && r.roomLocked(c, tuber.RoleBooster)
}

// mayMove tells whether a booster has been in its cell for long enough.
func (r *root) mayMove(b gives, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.homes[b.id]
	return h != nil && now.Sub(b.since) >= stayFor<<min(h.moves, stayDoubles)
}

// rehome keeps a place for a booster in another cell. It tells whether it could.
func (r *root) rehome(m move, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, to := r.homes[m.booster], r.cellLocked(m.to)
	if h == nil || to == nil || h.cell.number != m.from || !r.roomLocked(to, tuber.RoleBooster) {
		return false
	}
	r.taken[m.from]--
	r.taken[m.to]++
	*h = home{cell: to, until: now.Add(returnFor), moves: h.moves + 1}
	r.cfg.Log.Info("a booster is sent to another cell", "booster", m.booster, "from", int(m.from), "to", int(m.to))
	return true
}

var errMoved = errors.New("this booster's place is in another cell: it comes back by itself")

// release ends a membership without a word, as if the session had broken.
func (c *cell) release(id tuber.PeerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.members[id]; m != nil && m.conn != nil {
		m.cancel(errMoved)
		m.conn = nil
	}
	c.removeLocked(id)
}

// isStale tells whether the plan may have to change.
func (c *cell) isStale() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stale
}
