package planner

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// State is all that a plan is made of.
type State struct {
	Epoch    tuber.Epoch // of the planner
	Origin   tuber.PeerID
	Contents []tuber.Content
	Peers    []Peer
	Previous *tuber.Plan // nil before the first one
	// Settled ends the time after a planner's start in which peers rejoin and
	// nothing of what they carry out is taken away.
	Settled time.Time
}

// Peer is one peer as a plan sees it.
type Peer struct {
	ID     tuber.PeerID
	Key    tuber.PublicKey
	Role   tuber.Role
	Upload tuber.BitsPerSecond // learnt, never above the cap
	Proven bool                // somebody has confirmed what it sent
	Means  tuber.Means         // as declared
	Since  time.Time           // when it joined; a booster's earlier time counts
	Wants  []tuber.ContentID   // of a viewer
	Hidden bool                // its tab is not visible
	Avoid  []tuber.PeerID      // links to these failed, or one accused the other
	// Met are the viewers whose addresses this viewer may have seen, if it may
	// see no others for now; nil while it may.
	Met []tuber.PeerID
	// Feeds make it a visitor: a peer of another cell, which is given these here
	// and nothing else, and gives nothing.
	Feeds []Feed
	// Away: its session broke and its lease runs on, or it has not rejoined
	// after the planner's start. It keeps what it has and is given nothing new.
	Away bool
	// Mute: away for so long that it is not a parent any more.
	Mute bool
}

// The shape of plans.
const (
	useOfUplink     = 0.95 // of a peer's uplink that assignments may take
	permanentLinks  = 96   // of a Go peer that names no number itself
	maxDepth        = 16   // hops from the origin
	guessedRate     = tuber.BitsPerSecond(2e6)
	uploadPerStream = 2 // a viewer sends at most this many times what it receives
)

// permanent tells whether p is a Go program, not a browser page.
func (p *Peer) permanent() bool { return p.Role != tuber.RoleViewer }

// links is how many links the plan may give p, standby ones apart.
func (p *Peer) links() (active, standby int) {
	n := p.Means.Links
	switch {
	case p.permanent() && n == 0:
		n = permanentLinks
	case !p.permanent() && (n == 0 || n > tuber.MaxLinks):
		n = tuber.MaxLinks
	}
	standby = min(tuber.StandbyLinks, n/4)
	if p.permanent() {
		standby = n / 3 // many lean on it when something fails
	}
	return n - standby, standby
}

// canLink tells whether a link between a and b may and can be opened.
func canLink(a, b *Peer) bool {
	if a.Role == tuber.RoleViewer && b.Role == tuber.RoleViewer && !(a.Means.Relay && b.Means.Relay) {
		return false
	}
	x, y := a.Means.Reach, b.Means.Reach
	switch {
	case x == tuber.ReachNone || y == tuber.ReachNone:
		return false
	case x == tuber.ReachSymmetric:
		return y == tuber.ReachDialable
	case y == tuber.ReachSymmetric:
		return x == tuber.ReachDialable
	}
	return true
}

// rank orders peers: boosters, visible tabs, wide uplinks, long-lived ones. It
// is coarse, so that what is learnt of a peer seldom changes it.
func (p *Peer) rank(now time.Time) int {
	r := 2 * bits.Len64(uint64(max(p.Upload, 0))/125_000)
	switch age := now.Sub(p.Since); {
	case age > 10*time.Minute:
		r += 2
	case age > time.Minute:
		r++
	}
	if p.Role == tuber.RoleBooster {
		r += 1000
	}
	if p.Hidden {
		r -= 500
	}
	return r
}

// needsDialable tells whether only dialable peers can feed p: their slots are
// scarce, and p comes before those with a choice.
func (p *Peer) needsDialable() bool { return p.Means.Reach == tuber.ReachSymmetric }

// inOrder lists peers in the order in which they are attached: boosters, for they
// feed the others; then those that few can feed; then by rank. It is the same for
// every order of the input.
func inOrder(in []Peer, now time.Time) []*Peer {
	type entry struct {
		order int
		key   uint64 // see keyOf
		at    int32
	}
	all := make([]entry, len(in))
	for i := range in {
		all[i] = entry{in[i].order(now), keyOf(in[i].ID), int32(i)}
	}
	slices.SortFunc(all, func(a, b entry) int {
		switch {
		case a.order != b.order:
			return cmp.Compare(b.order, a.order)
		case a.key != b.key:
			return cmp.Compare(a.key, b.key)
		}
		return bytes.Compare(in[a.at].ID[:], in[b.at].ID[:])
	})
	out := make([]*Peer, len(all))
	for n := range all {
		out[n] = &in[all[n].at]
	}
	return out
}

// order is rank with those first that cannot wait.
func (p *Peer) order(now time.Time) int {
	switch {
	case p.visits():
		return 90_000
	case p.Role == tuber.RoleBooster:
		return 100_000 + p.rank(now)
	case p.needsDialable():
		return 50_000
	}
	return p.rank(now)
}

// keyOf is the first half of an id: most often enough to tell the order of two.
func keyOf(id tuber.PeerID) uint64 { return binary.BigEndian.Uint64(id[:]) }

func sortedContents(in []tuber.Content) []tuber.Content {
	out := slices.Clone(in)
	slices.SortFunc(out, func(a, b tuber.Content) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	out = slices.CompactFunc(out, func(a, b tuber.Content) bool { return a.ID == b.ID })
	return slices.DeleteFunc(out, func(c tuber.Content) bool { return c.K < 1 || c.K > tuber.MaxPartitions })
}
