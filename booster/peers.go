package booster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/peer"
)

// peerFor is the peer for the swarm of a host. There are two at most, with one
// key and one uplink between them: the links of the second may use private
// addresses, and it is made only when a host needs that, so that no planner of
// another swarm can lead this booster into its owner's network.
func (b *Booster) peerFor(host string) (*peer.Peer, error) {
	if b.cfg.AllowPrivate || !isPrivate(host) {
		return b.peer, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.near != nil {
		return b.near, nil
	}
	if b.running == nil {
		return nil, peer.ErrClosed
	}
	at := *b.conn
	at.Port = 0
	conn, err := net.ListenUDP("udp", &at)
	if err != nil {
		return nil, fmt.Errorf("listen for the home network: %w", err)
	}
	p, err := b.newPeer(conn, true)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	b.near = p
	ctx := b.running
	b.members.Go(func() { b.note(p.Run(ctx)) })
	return p, nil
}

func (b *Booster) newPeer(conn net.PacketConn, near bool) (*peer.Peer, error) {
	cfg := peer.Config{
		Key: b.key, Role: tuber.RoleBooster, Conn: conn,
		Uplink: b.uplink, Download: b.download, AllowPrivate: near, Log: b.log,
	}
	if !near || b.cfg.AllowPrivate {
		cfg.Addresses = b.addresses
	}
	return peer.New(cfg)
}

// peerOf is the peer that a membership's swarm is with, if it was made.
func (b *Booster) peerOf(m *membership) *peer.Peer {
	if b.cfg.AllowPrivate || !isPrivate(m.host()) {
		return b.peer
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.near
}

// stats are those of all swarms.
func (b *Booster) stats() map[tuber.PublicKey]peer.SwarmStats {
	out := b.peer.Stats()
	b.mu.Lock()
	near := b.near
	b.mu.Unlock()
	if near != nil {
		for site, s := range near.Stats() {
			out[site] = s
		}
	}
	return out
}

// tellPlanners sends the means to every planner if they changed.
func (b *Booster) tellPlanners() {
	b.mu.Lock()
	means := b.meansLocked()
	same := means == b.told && len(b.swarms) == b.toldTo
	b.told, b.toldTo = means, len(b.swarms)
	var all []*membership
	for _, m := range b.swarms {
		all = append(all, m)
	}
	b.mu.Unlock()
	if same {
		return
	}
	for _, m := range all {
		if p := b.peerOf(m); p != nil {
			// One that is not joined yet tells its means when it joins.
			_ = p.SetMeans(m.site, means)
		}
	}
}

// retell makes sure that the means are told again: they may have changed while
// a session began.
func (b *Booster) retell() {
	b.mu.Lock()
	b.toldTo = -1
	b.mu.Unlock()
	b.changed()
}

// reachableLocked says in words how others link to this booster; of its two
// peers the one for the world counts, unless all swarms are near.
func (b *Booster) reachableLocked() string {
	p := b.peer
	if b.near != nil && !slices.ContainsFunc(b.order, func(s tuber.PublicKey) bool { return !isPrivate(b.swarms[s].host()) }) {
		p = b.near
	}
	switch reach := p.Reach(); {
	case reach == tuber.ReachDialable && p == b.peer && len(b.addresses()) > 0:
		return "mapped by UPnP"
	default:
		return reachWords[reach]
	}
}

// reachWords never changes.
var reachWords = map[tuber.Reach]string{
	tuber.ReachDialable:  "reachable directly",
	tuber.ReachPunchable: "reachable after an introduction",
	tuber.ReachSymmetric: "reachable only for peers that can be dialled: the router gives every link another port",
	tuber.ReachNone:      "not reachable: no UDP passes",
}

// closePeer closes a peer that was never run.
func closePeer(p *peer.Peer) error {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	return p.Run(done)
}
