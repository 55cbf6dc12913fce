package host

import (
	"net"
	"net/netip"
	"slices"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/gateway"
)

// reach is dialable where the world can send to the UDP port: a public address,
// or a swarm on this machine or network only.
func (h *Host) reach() tuber.Reach {
	ip, err := netip.ParseAddr(hostOf(h.cfg.PublicHost))
	if err == nil && (ip.IsLoopback() || ip.IsGlobalUnicast()) {
		return tuber.ReachDialable
	}
	return tuber.ReachUnknown
}

// udpPort is the port of all links on this machine.
func (h *Host) udpPort() uint16 {
	return uint16(h.sockets.udp.LocalAddr().(*net.UDPAddr).Port)
}

// mappings is where the world reaches the UDP port, as far as it is known.
func (h *Host) mappings() []netip.AddrPort {
	var out []netip.AddrPort
	if m := h.mapped.Load(); m != nil && m.Phase == gateway.MappingOpen && m.Public {
		out = append(out, m.External)
	}
	for _, ip := range h.declared() {
		out = append(out, netip.AddrPortFrom(ip, h.udpPort()))
	}
	return out
}

// declared are the addresses out in the world for which the public host stands.
func (h *Host) declared() []netip.Addr {
	if ip, err := netip.ParseAddr(hostOf(h.cfg.PublicHost)); err == nil {
		return worldly([]netip.Addr{ip})
	}
	if named := h.named.Load(); named != nil {
		return *named
	}
	return nil
}

// reached is how the world gets to the UDP port, for the owner. That a public
// address was declared is no proof: it may be a router's that lets nobody in.
func (h *Host) reached() tuber.ReachStatus {
	st := tuber.ReachStatus{Port: h.udpPort(), Mapping: "off"}
	if h.cfg.MapPort {
		st.Mapping = ""
		if m := h.mapped.Load(); m != nil {
			st.Mapping, st.Trouble = m.Outcome()
		}
		if st.Mapping != "" {
			st.Reach = tuber.ReachDialable
		}
	}
	if own, err := net.InterfaceAddrs(); err == nil && anyOf(h.declared(), own) {
		st.Reach = tuber.ReachDialable
	}
	return st
}

// anyOf tells whether one of the declared addresses is this machine's own.
func anyOf(declared []netip.Addr, own []net.Addr) bool {
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		if !ok {
			return false
		}
		ip, _ := netip.AddrFromSlice(n.IP)
		return slices.Contains(declared, ip.Unmap())
	})
}
