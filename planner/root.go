package planner

import (
	"slices"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// DefaultMaxCell is how many peers one cell holds unless told otherwise, the
// origin apart. A plan of so many takes a few milliseconds.
const DefaultMaxCell = 4096

// roundsMost is how often cells answer each other before everything else has its
// turn: an order, its part and what comes of it take three.
const roundsMost = 8

// root is what the cells of a planner have in common: who is in which, and what
// may pass between them. It knows peers by their ids and cells by their sums.
//
// It calls cells while it holds its locks; cells never call it.
type root struct {
	cfg   Config
	began time.Time
	dirty chan struct{} // has one element when some cell is stale

	posting sync.Mutex // held while parcels are delivered, so that they stay in order

	mu       sync.Mutex // guards the fields below
	cells    []*cell    // by number; the first one is always here
	next     cellNumber
	homes    map[tuber.PeerID]*home
	taken    map[cellNumber]int // places, those kept for who left a moment ago too
	viewers  int                // who are here
	revived  map[int]cellNumber // the cells of the planner before this one, by their numbers then
	contents []tuber.Content
	off      bool
	stopped  bool
	banned   barred

	// Of Run alone:
	moved time.Time                // when a booster was last sent to another cell
	refed map[cellNumber]time.Time // when a cell last changed its feeder
}

// home is the place of a peer: that of a member, or one kept until then.
type home struct {
	cell   *cell
	viewer bool
	here   bool
	until  time.Time // if not here
	moves  int       // how often it was sent to another cell
}

func newRoot(cfg Config) *root {
	r := &root{
		cfg: cfg, began: cfg.Now(), dirty: make(chan struct{}, 1),
		homes: map[tuber.PeerID]*home{}, taken: map[cellNumber]int{}, revived: map[int]cellNumber{}, refed: map[cellNumber]time.Time{},
	}
	r.openLocked()
	return r
}

// openLocked opens a cell.
func (r *root) openLocked() *cell {
	c := newCell(r.next, r.cfg, r.began, r.dirty)
	if len(r.cells) > 0 {
		c.lent = r.copyLocked()
		c.feeder = r.feederLocked()
	}
	c.setContents(r.contents)
	c.setOff(r.off)
	for _, id := range r.banned.order {
		c.quarantine(id)
	}
	if r.stopped {
		c.stop()
	}
	r.next++
	r.cells = append(r.cells, c)
	if c.number != firstCell {
		r.cfg.Log.Info("another cell is opened", "cell", int(c.number), "cells", len(r.cells))
	}
	return c
}

// feederLocked is the cell that feeds a new one.
func (r *root) feederLocked() cellNumber {
	sums := summaries(r.cells)
	if able := feedersFor(sums, sum{cell: r.next, wants: r.contents}); len(able) > 0 {
		return able[0].cell
	}
	return firstCell
}

func summaries(cells []*cell) []sum {
	var out []sum
	for _, c := range cells {
		out = append(out, c.summary())
	}
	return out
}

// copyLocked is one copy of everything: what a cell is lent until its needs are
// known.
func (r *root) copyLocked() tuber.BitsPerSecond {
	var all tuber.BitsPerSecond
	for _, c := range r.contents {
		all += max(c.Rate, guessedRate)
	}
	return all
}

// all are the cells, the first one first.
func (r *root) all() []*cell {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.cells)
}

func (r *root) first() *cell {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cells[0]
}

func (r *root) cellLocked(n cellNumber) *cell {
	at, ok := slices.BinarySearchFunc(r.cells, n, func(c *cell, n cellNumber) int { return int(c.number - n) })
	if !ok {
		return nil
	}
	return r.cells[at]
}

// bar says why a peer must not join, before its papers are read.
func (r *root) bar(id tuber.PeerID, role tuber.Role) *wire.Refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.barLocked(id, role)
}

func (r *root) barLocked(id tuber.PeerID, role tuber.Role) *wire.Refused {
	if no := r.cells[0].bar(id); no != nil {
		return no
	}
	if h := r.homes[id]; role == tuber.RoleViewer && (h == nil || !h.here) && r.viewers >= r.cfg.MaxPeers {
		return &refusedFull
	}
	return nil
}

// enter makes a member in the cell that place finds.
func (r *root) enter(a arrival) (*cell, *member, *wire.Refused) {
	id := a.join.Key.PeerID()
	c, no := r.place(a.join, r.cfg.Now())
	if no != nil {
		return nil, nil, no
	}
	m, refused := c.enter(a)
	if !r.confirm(id, c) {
		c.release(id) // it was sent to another cell in this moment
	}
	r.post(c)
	return c, m, refused
}

// confirm notes whether a peer is a member of its cell; false if c is another one.
func (r *root) confirm(id tuber.PeerID, c *cell) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.homes[id]
	if h == nil {
		return id == r.cfg.Origin
	}
	if h.cell != c {
		return false
	}
	r.occupyLocked(h, c.has(id))
	return true
}

// occupyLocked notes that a peer came or went.
func (r *root) occupyLocked(h *home, here bool) {
	if h.here == here {
		return
	}
	h.here, h.until = here, r.cfg.Now().Add(returnFor)
	switch {
	case h.viewer && here:
		r.viewers++
	case h.viewer:
		r.viewers--
	}
}

// post delivers what a cell has for others, and what comes of that.
func (r *root) post(c *cell) {
	if c.isQuiet() {
		return
	}
	r.posting.Lock()
	defer r.posting.Unlock()
	queue := c.collect()
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		switch x := p.contents.(type) {
		case departure:
			if from := r.cell(x.from); from != nil {
				r.confirm(x.id, from)
			}
		case ban:
			queue = append(queue, r.ban(x.id)...)
		default:
			if to := r.cell(p.to); to != nil {
				to.take(p.contents)
				queue = append(queue, to.collect()...)
			}
		}
	}
}

func (r *root) cell(n cellNumber) *cell {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cellLocked(n)
}

// ban has every cell bar a peer, those opened later too.
func (r *root) ban(id tuber.PeerID) []parcel {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == r.cfg.Origin || !r.banned.add(id) {
		return nil
	}
	var out []parcel
	for _, c := range r.cells {
		c.quarantine(id)
		out = append(out, c.collect()...)
	}
	return out
}

func (r *root) quarantine(id tuber.PeerID) {
	r.cfg.Log.Warn("peer is quarantined", "peer", id)
	r.first().post(ban{id})
	r.post(r.first())
}

// replan brings the plans of all stale cells up to date. They answer each other
// until nobody has anything to say, within bounds.
func (r *root) replan(now time.Time) {
	for range roundsMost {
		cells := r.all()
		quiet := true
		for _, c := range cells {
			if c.isStale() {
				c.replan(now)
				r.post(c)
				quiet = false
			}
		}
		if quiet || len(cells) == 1 {
			break
		}
		r.balance(cells, now)
	}
}

// balance tells every cell by which other one it is fed, and how much.
func (r *root) balance(cells []*cell, now time.Time) {
	sums := summaries(cells)
	if f, ok := chooseFeeder(sums); ok {
		c := r.cell(f.cell)
		if _, there := sumOf(sums, c.summary().feeder); !there || now.Sub(r.refed[f.cell]) >= moveEvery {
			r.refed[f.cell] = now
			c.setFeeder(f.feeder)
			r.post(c)
			return // the sums are not true any more
		}
	}
	lent := shareOut(sums)
	for _, c := range cells[1:] {
		c.lend(lent[c.number])
	}
}

// expire ends leases, lets go of places kept in vain and of cells that nobody is
// in, and sends a booster where it is needed more. It tells whether the book must
// learn what is known of one.
func (r *root) expire(now time.Time) (save bool) {
	for _, c := range r.all() {
		c.expire()
		r.post(c)
	}
	r.tidy(now)
	return r.move(now)
}

// tidy lets go of places that were kept in vain, and closes empty cells.
func (r *root) tidy(now time.Time) {
	r.mu.Lock()
	for id, h := range r.homes {
		if !h.here && !now.Before(h.until) {
			delete(r.homes, id)
			r.taken[h.cell.number]--
		}
	}
	var closed []*cell
	r.cells = slices.DeleteFunc(r.cells, func(c *cell) bool {
		if c.number == firstCell || r.taken[c.number] > 0 {
			return false
		}
		delete(r.taken, c.number)
		delete(r.refed, c.number)
		closed = append(closed, c)
		return true
	})
	left := slices.Clone(r.cells)
	r.mu.Unlock()
	for _, c := range closed {
		r.cfg.Log.Info("an empty cell is closed", "cell", int(c.number))
		for _, other := range left {
			other.lose(c.number)
			r.post(other)
		}
	}
}

// move sends one booster to another cell: its session ends, and when it comes
// back, with its links, its place is there. It tells whether it did.
func (r *root) move(now time.Time) bool {
	cells := r.all()
	if len(cells) == 1 || now.Sub(r.moved) < moveEvery {
		return false
	}
	mv, ok := rebalance(summaries(cells), r.hasPlace, func(b gives) bool { return r.mayMove(b, now) })
	if !ok || !r.rehome(mv, now) {
		return false
	}
	r.moved = now
	if from := r.cell(mv.from); from != nil {
		from.release(mv.booster)
		r.post(from)
	}
	return true
}

// stop ends every session.
func (r *root) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, c := range r.cells {
		c.stop()
	}
}

func (r *root) setContents(contents []tuber.Content) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.contents = slices.Clone(contents)
	for _, c := range r.cells {
		c.setContents(contents)
	}
}

// announced are the contents that may be wanted.
func (r *root) announced() []tuber.Content {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.contents
}

func (r *root) withdraw(contents []tuber.ContentID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.contents = slices.DeleteFunc(slices.Clone(r.contents), func(d tuber.Content) bool { return slices.Contains(contents, d.ID) })
	for _, c := range r.cells {
		c.withdraw(contents)
	}
}

func (r *root) setOff(off bool) {
	r.mu.Lock()
	r.off = off
	for _, c := range r.cells {
		c.setOff(off)
	}
	r.mu.Unlock()
	for _, c := range r.all() {
		r.post(c)
	}
}
