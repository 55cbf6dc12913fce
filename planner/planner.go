// Package planner is the Central Planner: it knows the peers and the contents
// of one swarm and decides who sends what to whom.
//
// Invariants:
//   - MakePlan is pure; everything else only gathers its state and carries its
//     answer out;
//   - all soft state of a peer is in one cell, under one mutex that is never waited
//     under: sending on a control.Conn only queues. Cells share nothing; what they
//     have for each other goes by the root, as values;
//   - a peer is a member only after it proved its key and was entitled to join:
//     a viewer by a ticket, a booster by the book, the origin by its id;
//   - signals pass only between peers that the plan introduced;
//   - what a peer says of itself never raises what it is trusted with: means
//     are learnt from its receivers.
//
// Addresses pass through in signals and are neither kept nor logged.
package planner

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
)

// Book is the durable part of what a planner knows.
type Book interface {
	// Enrol burns a secret and writes the booster's key in one transaction; the
	// error is tuber.ErrInviteUsed or one of its siblings.
	Enrol(secret tuber.Digest, b tuber.BoosterRecord, now time.Time) error
	Booster(id tuber.PeerID) (tuber.BoosterRecord, bool, error)
	SaveBooster(tuber.BoosterRecord) error
	RemoveBooster(id tuber.PeerID) error
}

// DefaultMaxPeers is how many viewers one planner admits unless told otherwise.
const DefaultMaxPeers = 4096

// Config is what a planner is made of.
type Config struct {
	Key         ed25519.PrivateKey // of the planner
	Certificate func() []byte      // the site key's word for Key and Epoch, fresh at every call
	Site        tuber.PublicKey
	Epoch       tuber.Epoch  // of the planner: higher at every start
	Origin      tuber.PeerID // the host's own peer, trusted for its id
	Book        Book
	STUN        []string // told to every member, as in wire.Welcome
	Name        string   // of the host, told to every member
	MaxPeers    int      // viewers, DefaultMaxPeers if 0
	MaxCell     int      // peers of one cell, DefaultMaxCell if 0
	Log         *slog.Logger
	Now         func() time.Time // time.Now if nil
}

// Planner serves one swarm.
type Planner struct {
	cfg  Config
	root *root
	book sync.Mutex // held from reading the book to acting on it, so that no record comes back
}

// New makes a planner. Serve may be called at once; plans are made by Run.
func New(cfg Config) *Planner {
	if cfg.MaxPeers == 0 {
		cfg.MaxPeers = DefaultMaxPeers
	}
	if cfg.MaxCell <= 0 {
		cfg.MaxCell = DefaultMaxCell
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Planner{cfg: cfg, root: newRoot(cfg)}
}

// The rhythm of planning.
const (
	debounce     = 50 * time.Millisecond  // changes gathered into one plan
	planRest     = 150 * time.Millisecond // with debounce: at most five plans a second
	planShare    = 4                      // of the time that plans take, left to everything else
	tickEvery    = time.Second
	saveEvery    = time.Minute
	improveEvery = 2 * time.Second // between plans that improve on their own
)

// ErrStopped is returned by Serve once Run has ended.
var ErrStopped = errors.New("the planner has stopped")

// Run makes plans, ends leases and keeps the book, until ctx ends. Then it ends
// every session, so that peers look for a planner elsewhere or later.
func (p *Planner) Run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	defer p.stop()
	saved := p.cfg.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			now := p.cfg.Now()
			if p.root.expire(now) || now.Sub(saved) >= saveEvery {
				saved = now
				p.saveBoosters()
			}
		case <-p.root.dirty:
			if !pause(ctx, debounce) {
				return ctx.Err()
			}
			if !pause(ctx, max(planRest, planShare*p.replan())) {
				return ctx.Err()
			}
		}
	}
}

func (p *Planner) stop() {
	p.root.stop()
	p.saveBoosters()
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// replan plans outside the lock and returns how long that took.
func (p *Planner) replan() time.Duration {
	now := p.cfg.Now()
	p.root.replan(now)
	return p.cfg.Now().Sub(now)
}

func (p *Planner) saveBoosters() {
	if p.cfg.Book == nil {
		return
	}
	p.book.Lock()
	defer p.book.Unlock()
	for _, c := range p.root.all() {
		for _, r := range c.boosterRecords() {
			if err := p.cfg.Book.SaveBooster(r); err != nil {
				p.cfg.Log.Error("booster's history is not saved", "booster", r.ID, "err", err)
			}
		}
	}
}

// SetContents replaces the list of what may be wanted.
func (p *Planner) SetContents(contents []tuber.Content) { p.root.setContents(contents) }

// Ticket admits the viewer with this DTLS fingerprint for tuber.TicketLife.
func (p *Planner) Ticket(f tuber.Fingerprint) string {
	expires := tuber.MillisOf(p.cfg.Now().Add(tuber.TicketLife))
	return tuber.SignTicket(p.cfg.Key, tuber.Ticket{Fingerprint: f, Expires: expires})
}

// SetOff is the kill switch: while it is set everybody but the origin is sent
// away.
func (p *Planner) SetOff(off bool) { p.root.setOff(off) }

// Quarantine ends a peer's membership for as long as this planner runs, and
// tells the others.
func (p *Planner) Quarantine(id tuber.PeerID) { p.root.quarantine(id) }

// Withdraw has every peer delete these contents.
func (p *Planner) Withdraw(contents []tuber.ContentID) { p.root.withdraw(contents) }

// Remove takes a booster out of the book and out of the swarm.
func (p *Planner) Remove(id tuber.PeerID) error {
	p.book.Lock()
	defer p.book.Unlock()
	if err := p.cfg.Book.RemoveBooster(id); err != nil {
		return fmt.Errorf("remove booster: %w", err)
	}
	for _, c := range p.root.all() {
		c.dismiss(id, refusedUnknown)
		c.strike(id)
		p.root.post(c)
	}
	return nil
}

// Free is what the plan leaves of the origin's uplink, for what is asked over
// HTTP; false while the origin's own peer is not here.
func (p *Planner) Free() (tuber.BitsPerSecond, bool) { return p.root.first().free() }

// Status lists the members and what the means do not suffice for.
func (p *Planner) Status() ([]tuber.PeerStatus, []tuber.Shortage) { return p.root.status() }

// Share says where viewers' bytes came from.
func (p *Planner) Share() Share { return p.root.share() }

func (p *Planner) authority() control.Authority {
	return control.Authority{
		Key: p.cfg.Key, Certificate: p.cfg.Certificate(), Epoch: p.cfg.Epoch, Now: tuber.MillisOf(p.cfg.Now()),
		STUN: p.cfg.STUN, Name: p.cfg.Name,
	}
}
