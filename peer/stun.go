package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/tubercdn/tuber/wire"
)

// resolveWithin bounds all look-ups of one welcome.
const resolveWithin = 5 * time.Second

// takeSTUN resolves the STUN servers that the planner named. Like every other
// address that a planner names they pass the filter.
func (s *swarm) takeSTUN(ctx context.Context, named []string) {
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	var servers []netip.AddrPort
	for _, at := range named[:min(len(named), wire.MaxSTUN)] {
		a, err := resolve(ctx, at, s.m.Host)
		if err != nil {
			s.log.Debug("a STUN server is of no use", "err", err)
		} else if usable(a.Addr(), s.peer.cfg.AllowPrivate) {
			servers = append(servers, a)
		}
	}
	s.mu.Lock()
	s.stun = servers
	s.mu.Unlock()
	select {
	case s.peer.asks <- struct{}{}:
	default: // one is enough
	}
}

// resolve finds the address of HOST:PORT, or of :PORT at the given host.
func resolve(ctx context.Context, at, host string) (netip.AddrPort, error) {
	name, portText, err := net.SplitHostPort(at)
	if err != nil {
		return netip.AddrPort{}, errors.New("it is not HOST:PORT")
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, errors.New("it has no port")
	}
	if name == "" {
		name = host
	}
	if name == "" {
		return netip.AddrPort{}, errors.New("it has no host")
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(found) == 0 {
		return netip.AddrPort{}, errors.New("its name was not found")
	}
	best := found[0].Unmap()
	for _, a := range found { // NATs are an affair of IPv4
		if a = a.Unmap(); a.Is4() {
			best = a
			break
		}
	}
	return netip.AddrPortFrom(best, uint16(port)), nil
}

func (s *swarm) stunServers() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.stun)
}

// iceServers are the STUN servers for a socket of a lane's own; the mux asks
// by itself.
func (s *swarm) iceServers(api *webrtc.API) []webrtc.ICEServer {
	servers := s.stunServers()
	if len(servers) == 0 || s.peer.mux != nil && api == s.peer.takes {
		return nil
	}
	return []webrtc.ICEServer{{URLs: []string{"stun:" + servers[0].String()}}}
}
