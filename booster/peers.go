package booster

import (
	"context"
	"errors"
	"fmt"
	"net"

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

func (b *Booster) newPeer(conn *net.UDPConn, near bool) (*peer.Peer, error) {
	cfg := peer.Config{
		Key: b.key, Role: tuber.RoleBooster, Conn: &countedConn{conn, &b.line}, Sent: b.line.sent,
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

// tellPlanners sends every planner what this booster can give, if that changed.
func (b *Booster) tellPlanners() {
	type word struct {
		m     *membership
		means tuber.Means
	}
	var words []word
	b.mu.Lock()
	for site, m := range b.swarms {
		if means := b.meansLocked(site); m.told == nil || *m.told != means {
			m.told = &means
			words = append(words, word{m, means})
		}
	}
	b.mu.Unlock()
	for _, w := range words {
		if p := b.peerOf(w.m); p != nil {
			// One that is not joined yet tells its means when it joins.
			_ = p.SetMeans(w.m.site, w.means)
		}
	}
}

// retell makes sure that the means are told again: they may have changed while
// a session began.
func (m *membership) retell() {
	m.b.mu.Lock()
	m.told = nil
	m.b.mu.Unlock()
	m.b.changed()
}

// closePeer closes a peer that was never run.
func closePeer(p *peer.Peer) error {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	return p.Run(done)
}
