// Package booster is a friend's PC: one peer, its memberships in the swarms of
// several hosts, and what the owner allows. It runs without a window and is
// the same under tuber boost and under the app.
//
// Invariants:
//   - the owner's caps are totals over all swarms, and hard: everything that
//     leaves passes one Uplink, everything that comes one download limiter;
//   - a pause stops sending within a second, and outlives restarts and sleep;
//   - what is kept of a swarm is deleted when it is left;
//   - private addresses are dialled only for a host that has one itself, or
//     where the owner allows it;
//   - one program at a time has the state directory.
package booster

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/gateway"
	"github.com/tubercdn/tuber/internal/admin"
	"github.com/tubercdn/tuber/internal/beat"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
)

// Config is what a booster is made of. Only Dir must be set.
type Config struct {
	// Dir keeps the book and the chunk files. It is made if it is not there.
	Dir string
	// Name is what hosts see, at most tuber.MaxName bytes; empty: the machine's name.
	Name string
	// Listen is the one UDP port for links; empty or port 0: a free one, kept
	// for the next start.
	Listen string
	// Change alters the owner's settings before the start; nil leaves them.
	Change func(*tuber.Settings)
	// AllowPrivate lets links use addresses of private networks in every swarm.
	AllowPrivate bool
	// UPnP asks the router to map the UDP port, unless the owner's settings
	// leave the router alone.
	UPnP bool
	// WatchFacts tells what is known of the machine, at once and whenever it
	// changes, until its context ends; nil: nothing is known.
	WatchFacts func(context.Context, func(tuber.Facts)) error
	// Log is told what happens, never with an address; nil discards.
	Log *slog.Logger
}

// Booster is the engine. Run runs it; all other methods may be called while it
// runs, from any goroutine.
type Booster struct {
	cfg      Config
	log      *slog.Logger
	book     *store.Book
	key      ed25519.PrivateKey
	peer     *peer.Peer
	conn     *net.UDPAddr // its port
	admin    net.Listener
	line     line
	uplink   *tuber.Uplink // under the cap
	home     *tuber.Uplink // to the home network, where the owner leaves that out of the caps
	exempt   atomic.Bool   // that is so
	download *rate.Limiter
	mapper   *gateway.Mapper // nil without UPnP
	kick     chan struct{}   // settings or memberships changed
	ready    chan struct{}   // closed once Run runs

	events events

	mu       sync.Mutex // guards the fields below
	record   record
	facts    tuber.Facts
	verdict  verdict
	sent     sent // over all swarms
	helped   helped
	down     meter // over all swarms
	received uint64
	near     *peer.Peer // of swarms in private networks; nil until one is joined
	fault    error      // the last thing that went wrong with the engine itself
	unsaved  error      // why the record is not in the book as it is here
	swarms   map[tuber.PublicKey]*membership
	order    []tuber.PublicKey // of joining
	ran      bool              // the peer is closed, or Run will do it
	running  context.Context   // nil before Run and after it
	members  sync.WaitGroup
}

var (
	// ErrJoined is returned by Join for a swarm that the booster is in.
	ErrJoined = errors.New("this swarm was joined already; there is nothing to do")
	// ErrOffline is returned by Join when the host did not answer in time: the
	// invite is kept, and the host is tried again until it does.
	ErrOffline = errors.New("it is tried again until it does")
	// ErrUnknown is returned by Leave for a swarm that the booster is not in.
	ErrUnknown = errors.New("this swarm was not joined")
)

// New opens the state directory and the UDP port. Run closes both; a booster
// that is not run needs Close.
func New(cfg Config) (*Booster, error) {
	if cfg.Dir == "" {
		return nil, errors.New("booster: the state directory is not named")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	b := &Booster{
		cfg: cfg, log: cfg.Log, uplink: tuber.NewUplink(0), home: tuber.NewUplink(0),
		kick: make(chan struct{}, 1), ready: make(chan struct{}), swarms: make(map[tuber.PublicKey]*membership),
		line: line{beat: beat.New(chargeEvery, chargeRest)},
	}
	if err := b.open(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// open reads the book and makes the peer.
func (b *Booster) open() error {
	if err := b.openBook(); err != nil {
		return err
	}
	if change := b.cfg.Change; change != nil {
		before := b.folderOf(b.record.Settings)
		change(&b.record.Settings)
		if err := b.record.Check(); err != nil {
			return err
		}
		if after := b.folderOf(b.record.Settings); after != before {
			if err := checkFolder(after); err != nil {
				return err
			}
			b.moveChunks(before, after)
		}
	}
	conn, err := listen(b.cfg.Listen, b.record.Port, b.record.Bound)
	if err != nil {
		return err
	}
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	b.record.Bound = port
	b.conn = conn.LocalAddr().(*net.UDPAddr)
	b.verdict = b.record.judge(time.Now(), b.circumstancesLocked())
	b.openLine(b.verdict)
	b.download = newDownload(b.record.Limits.Download)
	if b.cfg.UPnP && !b.record.NoMapping {
		if b.mapper, err = gateway.NewMapper(gateway.MapperConfig{Port: port, Log: b.log}); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	if b.peer, err = b.newPeer(conn, b.cfg.AllowPrivate); err != nil {
		return errors.Join(err, conn.Close())
	}
	if b.admin, err = admin.Listen(b.cfg.Dir); err != nil {
		return err
	}
	return b.save()
}

// listen opens the UDP port: the one that was asked for, else the first of the
// wished ones that is free, else any.
func listen(addr string, wished ...uint16) (*net.UDPConn, error) {
	if addr == "" {
		addr = ":0"
	}
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen at %q: %w; write ADDRESS:PORT or :PORT", addr, err)
	}
	for _, port := range wished {
		if at.Port != 0 || port == 0 {
			continue
		}
		wish := *at
		wish.Port = int(port)
		if c, err := net.ListenUDP("udp", &wish); err == nil {
			return c, nil
		}
	}
	c, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w; stop the program that has the port, or choose another with --listen", addr, err)
	}
	return c, nil
}

// Run boosts until ctx ends, and then closes everything that New opened.
func (b *Booster) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts sync.WaitGroup
	errs := make(chan error, 5)
	parts.Go(func() { defer cancel(); errs <- b.peer.Run(ctx) })
	parts.Go(func() { errs <- b.book.Run(ctx) })
	parts.Go(func() { errs <- b.serveAdmin(ctx) })
	parts.Go(func() { b.charge(ctx) })
	if b.mapper != nil {
		parts.Go(func() { errs <- b.mapper.Run(ctx) })
	}
	if b.cfg.WatchFacts != nil {
		parts.Go(func() { errs <- b.cfg.WatchFacts(ctx, b.learn) })
	}
	b.events.add(tuber.EventStarted, "", "")
	b.mu.Lock()
	b.running, b.ran = ctx, true
	for _, site := range b.order {
		b.startLocked(b.swarms[site])
	}
	b.mu.Unlock()
	close(b.ready)
	b.watch(ctx)
	b.mu.Lock()
	b.running = nil
	b.mu.Unlock()
	b.members.Wait()
	parts.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	b.count(time.Now(), 0)
	all = append(all, b.save())
	return errors.Join(append(all, b.Close())...)
}

// Close lets go of the state directory and the port of a booster that is not
// run. It may be called twice.
func (b *Booster) Close() error {
	var all []error
	if !b.ran && b.peer != nil {
		all = append(all, closePeer(b.peer))
	}
	b.ran = true
	if b.admin != nil {
		if err := b.admin.Close(); !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	if b.book != nil {
		all = append(all, b.book.Close())
		b.book = nil
	}
	return errors.Join(all...)
}

// learn takes in what is known of the machine.
func (b *Booster) learn(f tuber.Facts) {
	b.mu.Lock()
	news := b.facts != f
	b.facts = f
	b.mu.Unlock()
	if news {
		b.apply(time.Now())
	}
}

func (b *Booster) changed() {
	select {
	case b.kick <- struct{}{}:
	default: // one is enough
	}
}
