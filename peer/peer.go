// Package peer carries chunks. It opens links to the neighbours that a planner
// introduces, pushes verified chunks by assignment, answers what it is asked,
// repairs what comes late, and keeps one session with each planner.
//
// Invariants:
//   - nothing is stored or forwarded before its signature or digest was checked;
//   - nothing is read from a link before its hello proved the introduced key for
//     this very DTLS session, and a link belongs to one swarm;
//   - nothing leaves but through the Uplink, and every queue here is bounded;
//   - addresses are never logged.
//
// A neighbour is a link; the PeerConnection under it is a lane, and a lane is
// replaced by a new one before its DTLS session grows too old (replace.go).
package peer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"
	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// Config is what a peer is made of. Key and Role must be set.
type Config struct {
	Key  ed25519.PrivateKey
	Role tuber.Role

	// Conn is the one UDP socket at which other peers reach this one. The peer
	// owns it from New on and closes it. Without it every link has a socket of
	// its own, and only peers that can be dialled can be linked to.
	Conn net.PacketConn

	// Addresses returns where a router or the host's owner lets the world
	// reach Conn; nil for nowhere but the socket's own address.
	Addresses func() []netip.AddrPort

	// Sent is told of each datagram that leaves by a socket of the peer's own;
	// whoever gave Conn counts there. Nil for nobody.
	Sent func(to net.Addr, bytes int)

	Uplink   *tuber.Uplink // nil for no cap; a Membership may have its own
	Download *rate.Limiter // over all links; nil for no cap

	// AllowPrivate lets links use private, loopback and link-local addresses:
	// for a swarm on one machine or one LAN, with its owner's consent.
	AllowPrivate bool

	Log *slog.Logger // nil for none
}

// Peer is one program's end of all its links, in all its swarms.
type Peer struct {
	cfg        Config
	log        *slog.Logger
	id         tuber.PeerID
	cert       webrtc.Certificate
	print      tuber.Fingerprint
	mux        *ice.UniversalUDPMuxDefault // nil without Conn
	dials      *webrtc.API                 // sockets of their own, for offers
	takes      *webrtc.API                 // over the mux, for answers
	speaks     uint16                      // the wire version in its hellos
	maxRecords uint64                      // that one lane carries
	maxAge     time.Duration               // of one lane
	parkFor    time.Duration               // how long a chunk waits for its manifest

	ctx    context.Context // ends with the peer
	cancel context.CancelFunc
	joins  sync.WaitGroup
	asks   chan struct{} // capacity 1: the STUN servers changed

	mu      sync.Mutex // guards the fields below; taken before a swarm's
	swarms  map[tuber.PublicKey]*swarm
	outlook outlook
	closed  bool
}

var (
	// ErrClosed is returned once the peer's Run has ended.
	ErrClosed = errors.New("the peer has stopped")
	// ErrJoined is returned by Join for a swarm that the peer is in already.
	ErrJoined = errors.New("this swarm was joined already")
	// ErrNotJoined is returned for a swarm that the peer is not in.
	ErrNotJoined = errors.New("this swarm was not joined")
)

// New makes a peer. Run must be called to end it: it owns Conn from here on.
func New(cfg Config) (*Peer, error) {
	if len(cfg.Key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("peer: private key of %d bytes, want %d", len(cfg.Key), ed25519.PrivateKeySize)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	cert, print, err := newCertificate()
	if err != nil {
		return nil, err
	}
	p := &Peer{
		cfg: cfg, log: log, id: tuber.PublicKeyOf(cfg.Key).PeerID(), cert: cert, print: print,
		speaks: wire.Version, maxRecords: maxRecords, maxAge: maxAge, parkFor: parkFor,
		swarms: make(map[tuber.PublicKey]*swarm), asks: make(chan struct{}, 1),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.listen()
	return p, nil
}

// ID is the peer's own name.
func (p *Peer) ID() tuber.PeerID { return p.id }

// Fingerprint is that of the DTLS certificate of all links of this run. A
// viewer's ticket is bound to it.
func (p *Peer) Fingerprint() tuber.Fingerprint { return p.print }

// Run keeps the peer until ctx ends; then it ends every Join, closes every link
// and the socket, and waits for all of it.
func (p *Peer) Run(ctx context.Context) error {
	var stun sync.WaitGroup
	stun.Go(func() { p.watchMapping(ctx) })
	<-ctx.Done()
	stun.Wait()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.joins.Wait()
	if p.mux != nil {
		if err := p.mux.Close(); err != nil {
			return fmt.Errorf("close the UDP socket: %w", err)
		}
	}
	return nil
}

// enter adds a swarm; the caller calls leave when it has ended.
func (p *Peer) enter(s *swarm) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return ErrClosed
	case p.swarms[s.site] != nil:
		return ErrJoined
	}
	p.swarms[s.site] = s
	p.joins.Add(1)
	return nil
}

func (p *Peer) leave(s *swarm) {
	p.mu.Lock()
	delete(p.swarms, s.site)
	p.mu.Unlock()
	p.joins.Done()
}

func (p *Peer) swarm(site tuber.PublicKey) (*swarm, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.swarms[site]; s != nil {
		return s, nil
	}
	return nil, ErrNotJoined
}
