package peer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/ice/v2"

	"github.com/tubercdn/tuber"
)

const (
	mappingEvery   = 25 * time.Second       // NATs forget UDP mappings after 30 s at the earliest (RFC 4787, REQ-5 wants 2 min)
	mappingTimeout = 700 * time.Millisecond // for one request
	mappingTries   = 3
	mappingCache   = time.Millisecond // every question goes out: it keeps the mapping alive
	silentRounds   = 3                // without any answer, after which what was learnt counts no more

	// Without UDP both hold: no STUN server answers, and links do not open.
	hopelessAfter = 2                // links in a row
	hopelessFor   = 10 * time.Minute // then it is tried again
)

// outlook is how the peer looks from outside, as far as it knows. Peer.mu
// guards it.
type outlook struct {
	seen     []netip.AddrPort // Conn, as STUN servers see it
	reach    tuber.Reach      // by their answers
	silence  int              // rounds in a row without any answer
	failed   int              // links in a row that did not open
	failedAt time.Time        // the last of them
}

// sighting is one STUN server's answer.
type sighting struct{ server, seen netip.AddrPort }

// Reach is how others can link to this peer, as far as it is known now. A
// planner is told it with the means.
func (p *Peer) Reach() tuber.Reach {
	if p.cfg.Addresses != nil && len(p.cfg.Addresses()) > 0 {
		return tuber.ReachDialable
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o := &p.outlook
	if o.silence >= silentRounds && o.failed >= hopelessAfter && time.Since(o.failedAt) < hopelessFor {
		return tuber.ReachNone
	}
	return o.reach
}

// Seen is where STUN servers see this peer's one socket, or none if it has none
// or nobody has answered lately. It is for the owner alone.
func (p *Peer) Seen() []netip.AddrPort {
	if p.mux == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.outlook.seen)
}

// opened and unopened tell the outlook what became of a link.
func (p *Peer) opened() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outlook.failed = 0
}

func (p *Peer) unopened() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outlook.failed++
	p.outlook.failedAt = time.Now()
}

// watchMapping learns, out of the mux's own socket, how it looks from outside
// (RFC 8489), and keeps the NAT's mapping alive by asking again.
//
// Without Conn every lane has a socket of its own; then it is the NAT's manner
// that is learnt, by a socket like those.
func (p *Peer) watchMapping(ctx context.Context) {
	from := p.mux
	defer func() {
		if from != nil && from != p.mux {
			_ = from.Close() // nothing was sent by it that could be lost
		}
	}()
	for ctx.Err() == nil {
		if servers := p.stunServers(); len(servers) > 0 {
			if from == nil {
				from = askingSocket()
			}
			if from != nil {
				p.learn(sightings(ctx, from, servers))
				p.tellReach()
			}
		}
		select {
		case <-ctx.Done():
		case <-p.asks:
		case <-time.After(mappingEvery):
		}
	}
}

// stunServers are those of all swarms.
func (p *Peer) stunServers() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []netip.AddrPort
	for _, s := range p.swarms {
		for _, a := range s.stunServers() {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// askingSocket is one to ask STUN servers with, nil if there is none to be had.
func askingSocket() *ice.UniversalUDPMuxDefault {
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return nil
	}
	return newMux(conn)
}

// sightings asks all at once: until they answer, the planner may introduce
// peers that cannot link.
func sightings(ctx context.Context, from *ice.UniversalUDPMuxDefault, servers []netip.AddrPort) []sighting {
	var wg sync.WaitGroup
	answers := make([]netip.AddrPort, len(servers))
	for i, server := range servers {
		wg.Go(func() {
			for try := 0; try < mappingTries && ctx.Err() == nil; try++ {
				if seen, err := askMapping(from, server); err == nil {
					answers[i] = seen
					return
				}
			}
		})
	}
	wg.Wait()
	var out []sighting
	for i, seen := range answers {
		if seen.IsValid() {
			out = append(out, sighting{servers[i], seen})
		}
	}
	return out
}

func askMapping(from *ice.UniversalUDPMuxDefault, server netip.AddrPort) (netip.AddrPort, error) {
	x, err := from.GetXORMappedAddr(net.UDPAddrFromAddrPort(server), mappingTimeout)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("ask STUN server: %w", err)
	}
	ip, ok := netip.AddrFromSlice(x.IP)
	if !ok {
		return netip.AddrPort{}, errors.New("ask STUN server: it answered no address")
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(x.Port)), nil
}

// learn takes a round of answers in. One lost answer changes nothing.
func (p *Peer) learn(round []sighting) {
	var seen []netip.AddrPort
	for _, s := range round {
		if !slices.Contains(seen, s.seen) {
			seen = append(seen, s.seen)
		}
	}
	reach := reachOf(round, p.owns)
	p.mu.Lock()
	defer p.mu.Unlock()
	o := &p.outlook
	switch {
	case len(round) > 0:
		if reach != tuber.ReachUnknown || !sameAddresses(seen, o.seen) {
			o.reach = reach
		}
		o.seen, o.silence = seen, 0
	case o.silence < silentRounds:
		o.silence++
		if o.silence == silentRounds {
			o.seen, o.reach = nil, tuber.ReachUnknown
		}
	}
}

// tellReach lets every planner know at once what was learnt.
func (p *Peer) tellReach() {
	p.mu.Lock()
	swarms := slices.Collect(maps.Values(p.swarms))
	p.mu.Unlock()
	for _, s := range swarms {
		s.tellMeans()
	}
}

// sameAddresses tells whether all of now was known before.
func sameAddresses(now, before []netip.AddrPort) bool {
	for _, a := range now {
		if !slices.Contains(before, a) {
			return false
		}
	}
	return true
}

// reachOf judges a round of answers. Two servers that see two addresses stand
// for a mapping that depends on the destination (RFC 4787 section 4.1); that
// they may be two ports of one machine is as good (RFC 5780 section 4.3 asks
// for another address too, but few mappings depend on the address alone). One
// answer says little.
func reachOf(round []sighting, owns func(netip.AddrPort) bool) tuber.Reach {
	reach := tuber.ReachUnknown
	for i, a := range round {
		if owns(a.seen) {
			return tuber.ReachDialable
		}
		for _, b := range round[:i] {
			switch {
			case a.seen.Addr().Is4() != b.seen.Addr().Is4() || a.server == b.server:
			case a.seen != b.seen:
				reach = tuber.ReachSymmetric
			case reach == tuber.ReachUnknown:
				reach = tuber.ReachPunchable
			}
		}
	}
	return reach
}

// owns tells whether the address is the mux's own: nothing translates it.
func (p *Peer) owns(a netip.AddrPort) bool {
	if p.mux == nil {
		return false
	}
	for _, own := range p.mux.GetListenAddresses() {
		if udp, ok := own.(*net.UDPAddr); ok {
			if x := udp.AddrPort(); netip.AddrPortFrom(x.Addr().Unmap().WithZone(""), x.Port()) == a {
				return true
			}
		}
	}
	return false
}

// outside is where the world may reach the mux, apart from its own address.
func (p *Peer) outside() []netip.AddrPort {
	p.mu.Lock()
	out := slices.Clone(p.outlook.seen)
	p.mu.Unlock()
	if p.cfg.Addresses != nil {
		for _, a := range p.cfg.Addresses() {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}
