package planner

import (
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// cellNumber names a cell for as long as its planner runs. The origin is in the
// first one.
type cellNumber int

const firstCell cellNumber = 0

// parcel is what one cell has for another, or for the root. Parcels are values
// and are all that passes between cells, so a cell may live in another process.
type parcel struct {
	to       cellNumber
	contents any
}

// What parcels hold.
type (
	// order is to the feeder of a cell: all peers that it is to feed there. It
	// replaces the one before it whole.
	order struct {
		from  cellNumber
		peers []Peer
	}
	// part is from the feeder: what its plan says of a visitor.
	part struct {
		from    cellNumber
		visitor tuber.PeerID
		plan    tuber.PeerPlan
		dry     []Feed // of what it says: comes to nobody, because the feeder lacks it itself
	}
	// passage is a signal on its way; the Peer it names is the addressee.
	passage struct {
		from   tuber.PeerID
		signal wire.Signal
	}
	// testimony is what a receiver reports of a sender of another cell.
	testimony struct {
		by       tuber.PeerID
		sender   tuber.PeerID
		link     tuber.LinkReport
		interval time.Duration
	}
	// doubt is to the cell of a viewer that accused too many, or was right after
	// all: then the time is zero.
	doubt struct {
		of    tuber.PeerID
		until time.Time
	}
	// departure is to the root: a membership ended.
	departure struct {
		from cellNumber
		id   tuber.PeerID
	}
	// ban is to the root: a peer was quarantined, and must be everywhere.
	ban struct{ id tuber.PeerID }
)

// postLocked has a parcel delivered once this cell's lock is free.
func (c *cell) postLocked(to cellNumber, contents any) {
	c.outbox = append(c.outbox, parcel{to, contents})
}

// post is postLocked, to the root.
func (c *cell) post(contents any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.postLocked(c.number, contents)
}

// isQuiet tells whether there is nothing to deliver.
func (c *cell) isQuiet() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.outbox) == 0
}

// collect takes what is to be delivered.
func (c *cell) collect() []parcel {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.outbox
	c.outbox = nil
	return out
}

// take receives a parcel.
func (c *cell) take(contents any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch x := contents.(type) {
	case order:
		c.orderedLocked(x)
	case part:
		c.partLocked(x)
	case passage:
		c.passLocked(x.from, x.signal)
	case testimony:
		c.testifyLocked(x, c.now())
	case doubt:
		if m := c.members[x.of]; m != nil {
			c.doubtsLocked(m, x.until)
		}
	}
}
