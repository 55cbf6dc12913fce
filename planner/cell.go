package planner

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

// How the cell bears absence.
const (
	muteAfter  = 5 * time.Second  // without a session: its children are moved
	adoptFor   = 60 * time.Second // after the first peer of an older epoch rejoined
	knownAfter = 20 * time.Second // a pair no longer introduced may still signal and report
	maxGhosts  = 8192
)

// cell holds all that is known of its peers. It speaks with other cells by
// parcels alone.
type cell struct {
	number cellNumber
	epoch  tuber.Epoch
	origin tuber.PeerID
	began  time.Time // the planner
	log    *slog.Logger
	now    func() time.Time
	dirty  chan struct{} // of the root: has one element when some cell is stale

	mu          sync.Mutex             // guards the fields below
	stale       bool                   // the plan may have to change
	outbox      []parcel               // for other cells, in order
	feeder      cellNumber             // of this cell, if it is not the first
	lent        tuber.BitsPerSecond    // what outside may feed here
	ordered     []Peer                 // from the feeder, with the last order
	parts       map[tuber.PeerID]*part // of members: what the feeder's plan says of them
	refed       map[tuber.PeerID]bool  // whose part changed since they were told
	visitors    map[tuber.PeerID]visitor
	lift        tuber.Version // what is told is so much newer than the plan
	sum         sum           // as of the last plan
	members     map[tuber.PeerID]*member
	ghosts      map[tuber.PeerID]Peer // neighbours of rejoined peers, not here yet
	contents    []tuber.Content
	plan        tuber.Plan                       // in force; its map is changed in place
	marked      map[tuber.PeerID]bool            // came, went or changed since the last plan
	afresh      bool                             // the next plan is made from everything that is known
	adopted     map[tuber.PeerID]*tuber.PeerPlan // brought by rejoining peers since the last plan
	quarantined barred
	accusers    map[tuber.PeerID]map[tuber.PeerID]tuber.Version // accused to viewers, and the plan that introduced them
	proven      bool                                            // departed has one that the book must bar at once
	settled     time.Time                                       // see State; zero if there is nothing to wait for
	adopting    bool                                            // settled was set once
	improve     time.Time                                       // when to look at the plan again although nothing changed
	improving   bool                                            // that time has come
	off         bool
	stopped     bool
	totals      totals
	departed    []tuber.BoosterRecord // to be saved
	left        map[tuber.PeerID]farewell

	standing *Standing // of Run alone; nil before the first plan
}

// member is one peer with a lease.
type member struct {
	id     tuber.PeerID
	key    tuber.PublicKey
	role   tuber.Role
	name   string
	conn   control.Conn // nil while its session is broken
	cancel context.CancelCauseFunc

	means  tuber.Means // as declared
	wants  []tuber.ContentID
	hidden bool
	tabs   int       // as it says; 0 if it does not
	since  time.Time // of the membership
	seen   time.Time // last heard of; the lease counts from here
	away   time.Time // when its session broke
	back   time.Time // when it began afresh after it had been here; zero if it never did

	told    tuber.Version   // the last version sent on this session
	said    *tuber.PeerPlan // and what that came to there, nil before the first
	changes bool            // this session understands changes of plans
	known   map[tuber.PeerID]acquaintance
	met     map[tuber.PeerID]time.Time // of a viewer: viewers that it was introduced to, and when first
	doubted time.Time                  // it accused so many that until then only boosters and the origin feed it
	avoid   map[tuber.PeerID]split
	signals signals
	ledger  ledger
	record  tuber.BoosterRecord // of a booster, as the book had it when it joined
}

// acquaintance is somebody whom a plan introduced.
type acquaintance struct {
	ended time.Time     // zero while it lasts
	by    tuber.Version // the plan that did; 0 if only the peer itself says so
}

// split keeps two peers apart for a while, longer each time.
type split struct {
	until   time.Time
	strikes int
	accused bool // a bad chunk, not a link that failed
}

// arrival is a proved join.
type arrival struct {
	join   wire.Join
	conn   control.Conn
	cancel context.CancelCauseFunc
	record tuber.BoosterRecord
}

func newCell(number cellNumber, cfg Config, began time.Time, dirty chan struct{}) *cell {
	return &cell{
		number: number, epoch: cfg.Epoch, origin: cfg.Origin, began: began, log: cfg.Log, now: cfg.Now, dirty: dirty,
		visitors: map[tuber.PeerID]visitor{},
		parts:    map[tuber.PeerID]*part{},
		refed:    map[tuber.PeerID]bool{},
		members:  map[tuber.PeerID]*member{},
		ghosts:   map[tuber.PeerID]Peer{},
		marked:   map[tuber.PeerID]bool{},
		adopted:  map[tuber.PeerID]*tuber.PeerPlan{},
		accusers: map[tuber.PeerID]map[tuber.PeerID]tuber.Version{},
		left:     map[tuber.PeerID]farewell{},
		plan:     tuber.Plan{Epoch: cfg.Epoch, Peers: map[tuber.PeerID]*tuber.PeerPlan{}},
	}
}

func (m *member) isBooster() bool { return m.role == tuber.RoleBooster }

// send queues a message; a member that is away misses it.
func (m *member) send(msg wire.Message) {
	if m.conn != nil {
		// An error means that the connection is dead: its session finds out by itself.
		_ = m.conn.Send(context.Background(), msg)
	}
}

// touchLocked says that the plan may have to change.
func (c *cell) touchLocked() {
	c.stale = true
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

// markLocked says that the plan must look at a peer again.
func (c *cell) markLocked(id tuber.PeerID) {
	c.marked[id] = true
	c.touchLocked()
}

// bar says why a peer must not join, before its papers are read.
func (c *cell) bar(id tuber.PeerID) *wire.Refused {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.barLocked(id)
}

func (c *cell) barLocked(id tuber.PeerID) *wire.Refused {
	switch {
	case id == c.origin:
		return nil
	case c.off:
		return &refusedOff
	case c.quarantined.has(id):
		return &refusedQuarantine
	}
	return nil
}

var errSuperseded = errors.New("superseded by a newer session of the same peer")

// enter makes a member, or gives a member its new session and ends the older
// one. A nil member without a refusal means that the cell has stopped.
func (c *cell) enter(a arrival) (*member, *wire.Refused) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := a.join.Key.PeerID()
	if c.stopped {
		return nil, nil
	}
	if r := c.barLocked(id); r != nil {
		return nil, r
	}
	now := c.now()
	m := c.members[id]
	returns := m != nil
	if m == nil {
		m = newMember(a, now)
		c.members[id] = m
		returns = c.welcomeBackLocked(m)
	} else if m.conn != nil {
		m.send(refusedSuperseded)
		m.cancel(errSuperseded)
	}
	m.conn, m.cancel, m.seen, m.away = a.conn, a.cancel, now, time.Time{}
	m.told, m.said, m.changes = 0, nil, a.join.Changes
	m.name, m.means = a.join.Name, a.join.Means
	m.ledger.ranges = a.join.Ranges
	if returns && len(a.join.Links) == 0 && a.join.Plan == nil {
		c.beginAfreshLocked(m, now)
	}
	c.outrankLocked(a.join.Plan, now)
	c.adoptLocked(m, a.join, now)
	m.send(wire.Contents{Contents: c.contents})
	if pp := c.plan.Peers[id]; pp != nil && c.adopted[id] == nil {
		told := c.toldLocked(pp, id)
		m.told = pp.Version
		m.introduce(told, pp.Version, now) // its offers may follow at once
		m.tell(told)
	}
	c.markLocked(id)
	return m, nil
}

func newMember(a arrival, now time.Time) *member {
	return &member{
		id: a.join.Key.PeerID(), key: a.join.Key, role: a.join.Role, since: now,
		known: map[tuber.PeerID]acquaintance{}, avoid: map[tuber.PeerID]split{}, met: map[tuber.PeerID]time.Time{},
		signals: newSignals(), ledger: newLedger(a.join.Role, a.record),
		record: a.record,
	}
}

// exit ends a session; the membership lasts until its lease ends.
func (c *cell) exit(m *member, conn control.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members[m.id] == m && m.conn == conn {
		m.conn, m.away, m.said = nil, c.now(), nil
		m.cancel(nil)
		c.markLocked(m.id)
	}
}

// leave ends a membership without a word, if this session still stands for it:
// the last word of a page that was reloaded may come after the first of the new
// one. It tells whether it did.
func (c *cell) leave(m *member, conn control.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members[m.id] != m || m.conn != conn {
		return false
	}
	c.farewellLocked(m, c.now())
	c.removeLocked(m.id)
	return true
}

func (c *cell) removeLocked(id tuber.PeerID) {
	m := c.members[id]
	if m == nil {
		return
	}
	if m.conn != nil {
		m.cancel(nil)
		m.conn = nil
	}
	if m.isBooster() {
		c.departed = append(c.departed, m.history())
	}
	delete(c.members, id)
	delete(c.adopted, id)
	delete(c.parts, id)
	delete(c.refed, id)
	c.postLocked(c.number, departure{c.number, id})
	c.markLocked(id)
}

// has tells whether a peer is a member.
func (c *cell) has(id tuber.PeerID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[id] != nil
}

// dismiss ends a membership and says why.
func (c *cell) dismiss(id tuber.PeerID, why wire.Refused) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dismissLocked(id, why)
}

func (c *cell) dismissLocked(id tuber.PeerID, why wire.Refused) {
	if m := c.members[id]; m != nil && m.conn != nil {
		m.send(why)
		m.cancel(&control.RefusedError{Code: why.Code, Sentence: why.Sentence})
		m.conn = nil
	}
	c.removeLocked(id)
}

// strike forgets what was to be saved of a booster that the book has lost.
func (c *cell) strike(id tuber.PeerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.departed = slices.DeleteFunc(c.departed, func(r tuber.BoosterRecord) bool { return r.ID == id })
}

// expire ends the leases of those not heard of, and plans again where time
// alone changes the plan.
func (c *cell) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for id, m := range c.members {
		if now.Sub(m.seen) > tuber.Lease {
			c.removeLocked(id)
			continue
		}
		if m.conn == nil && now.Sub(m.away) >= muteAfter && now.Sub(m.away) < muteAfter+2*tickEvery {
			c.markLocked(id)
		}
		m.forget(now)
		if m.forgetMet(now) {
			c.markLocked(id)
		}
	}
	c.forgetLocked(now)
	if !c.settled.IsZero() && !now.Before(c.settled) {
		c.settled = time.Time{}
		clear(c.ghosts)
		c.afresh = true
		c.touchLocked()
	}
	if !c.improve.IsZero() && !now.Before(c.improve) {
		c.improve, c.improving = time.Time{}, true
		c.touchLocked()
	}
}

// forget drops what is too old to matter.
func (m *member) forget(now time.Time) {
	for id, k := range m.known {
		if !k.ended.IsZero() && now.Sub(k.ended) > knownAfter {
			delete(m.known, id)
		}
	}
	for id, s := range m.avoid {
		if now.Sub(s.until) > 10*splitFor {
			delete(m.avoid, id)
		}
	}
}
