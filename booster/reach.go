package booster

import (
	"net/netip"
	"slices"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/gateway"
	"github.com/tubercdn/tuber/peer"
)

// addresses is where the router lets the world reach the UDP port.
func (b *Booster) addresses() []netip.AddrPort {
	if b.mapper == nil {
		return nil
	}
	if m := b.mapper.State(); m.Phase == gateway.MappingOpen && m.Public {
		return []netip.AddrPort{m.External}
	}
	return nil
}

// frontLocked is the peer whose reach counts: of the two, the one for the world,
// unless all swarms are near.
func (b *Booster) frontLocked() *peer.Peer {
	far := func(s tuber.PublicKey) bool { return !isPrivate(b.swarms[s].host()) }
	if b.near != nil && !slices.ContainsFunc(b.order, far) {
		return b.near
	}
	return b.peer
}

// reachLocked is how others link to this booster.
func (b *Booster) reachLocked() tuber.ReachStatus {
	front := b.frontLocked()
	st := tuber.ReachStatus{Reach: front.Reach(), Port: b.record.Bound}
	for i, seen := range front.Seen() {
		if i > 0 {
			st.Seen += ", "
		}
		st.Seen += seen.String()
	}
	if b.mapper == nil {
		st.Mapping = "off"
		return st
	}
	st.Mapping, st.Trouble = b.mapper.State().Outcome()
	return st
}

// reachableLocked says it in words.
func (b *Booster) reachableLocked() string {
	p := b.frontLocked()
	switch reach := p.Reach(); {
	case reach == tuber.ReachDialable && p == b.peer && len(b.addresses()) > 0:
		return "mapped by " + b.mapper.State().By
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
