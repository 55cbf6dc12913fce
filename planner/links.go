package planner

import (
	"slices"

	"github.com/tubercdn/tuber"
)

// link is what one peer knows of its link to another. Both keep one.
type link struct {
	key   uint64 // of the other: lists are in the order of ids
	peer  int32
	edges int16 // partitions that it carries, either way
	helps int16 // standby relations, either way
}

// find is the place of b among a's links, or where it would be.
func (g *grove) find(a, b int32) (int, bool) {
	list, key := g.links[a], g.key[b]
	lo, hi := 0, len(list)
	for lo < hi {
		mid := (lo + hi) / 2
		if l := &list[mid]; l.key < key || l.key == key && l.peer < b {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(list) && list[lo].peer == b
}

// bitOf is the bit of a peer in near.
func bitOf(i int32) uint64 { return 1 << (uint32(i) * 0x9e3779b1 >> 26) }

// active tells whether a link of a and b carries partitions.
func (g *grove) active(a, b int32) bool {
	if g.near[a]&bitOf(b) == 0 {
		return false
	}
	if len(g.links[a]) > len(g.links[b]) {
		a, b = b, a
	}
	at, ok := g.find(a, b)
	return ok && g.links[a][at].edges > 0
}

// tie counts edges and standby relations on the link of a and b. A link without
// either is none; one that carries nothing is a standby link.
func (g *grove) tie(a, b int32, edges, helps int16) {
	g.tieOne(a, b, edges, helps)
	g.tieOne(b, a, edges, helps)
}

func (g *grove) tieOne(a, b int32, edges, helps int16) {
	at, ok := g.find(a, b)
	if !ok {
		g.links[a] = slices.Insert(g.links[a], at, link{key: g.key[b], peer: b})
		g.near[a] |= bitOf(b)
	}
	l := &g.links[a][at]
	wasActive, wasSpare := l.edges > 0, l.edges == 0 && l.helps > 0
	l.edges, l.helps = l.edges+edges, l.helps+helps
	isActive, isSpare := l.edges > 0, l.edges == 0 && l.helps > 0
	switch {
	case isActive && !wasActive:
		g.linked[a]++
	case wasActive && !isActive:
		g.linked[a]--
	}
	switch {
	case isSpare && !wasSpare:
		g.spare[a]--
	case wasSpare && !isSpare:
		g.spare[a]++
	}
	if !isActive && !isSpare {
		g.links[a] = slices.Delete(g.links[a], at, at+1)
		g.near[a] = 0
		for n := range g.links[a] {
			g.near[a] |= bitOf(g.links[a][n].peer)
		}
	}
}

// traits is what links depend on, in one byte.
type traits uint8

const (
	isViewer traits = 1 << iota
	relays
	isDialable
	isSymmetric
	isNowhere // it cannot be reached at all
	isPicky   // some peers it may not be linked to: Peer says which
	isAway
	isVisitor
)

func traitsOf(p *Peer) traits {
	var t traits
	add := func(trait traits, has bool) {
		if has {
			t |= trait
		}
	}
	add(isViewer, p.Role == tuber.RoleViewer)
	add(relays, p.Means.Relay)
	add(isDialable, p.Means.Reach == tuber.ReachDialable)
	add(isSymmetric, p.Means.Reach == tuber.ReachSymmetric)
	add(isNowhere, p.Means.Reach == tuber.ReachNone)
	add(isPicky, len(p.Avoid) > 0 || p.Met != nil)
	add(isAway, p.Away)
	add(isVisitor, p.visits())
	return t
}

// avoided tells whether a and b are kept apart.
func (g *grove) avoided(a, b int32) bool {
	if (g.traits[a]|g.traits[b])&isPicky == 0 {
		return false
	}
	x, y := &g.peers[a], &g.peers[b]
	return slices.Contains(x.Avoid, y.ID) || slices.Contains(y.Avoid, x.ID)
}

// linkable tells whether a link between a and b may and can be opened, and
// shows neither a viewer's address that it may not see.
func (g *grove) linkable(a, b int32) bool {
	x, y := g.traits[a], g.traits[b]
	switch {
	case x&y&isViewer != 0 && x&y&relays == 0,
		(x|y)&isNowhere != 0,
		x&isSymmetric != 0 && y&isDialable == 0,
		y&isSymmetric != 0 && x&isDialable == 0:
		return false
	}
	return (x|y)&isPicky == 0 || g.maySee(a, b) && g.maySee(b, a)
}

func (g *grove) maySee(a, b int32) bool {
	x, y := &g.peers[a], &g.peers[b]
	if x.Met == nil || x.Role != tuber.RoleViewer || y.Role != tuber.RoleViewer {
		return true
	}
	return slices.Contains(x.Met, y.ID)
}

// mayLink tells whether a and b are linked by the plan, or could be.
func (g *grove) mayLink(a, b int32) bool {
	if a == b || g.avoided(a, b) {
		return false
	}
	return g.active(a, b) || g.linked[a] < g.room[a] && g.linked[b] < g.room[b] && g.linkable(a, b)
}

// mayFeed tells whether parent can take i as a child without using up the links
// over which its own partitions are still to come.
func (g *grove) mayFeed(parent, i int32) bool {
	if parent == i || g.avoided(parent, i) {
		return false
	}
	return g.active(parent, i) || g.linked[parent]+g.pending[parent] < g.room[parent] && g.linked[i] < g.room[i] && g.linkable(parent, i)
}

// fits tells whether a and b may be linked, the number of links apart.
func (g *grove) fits(a, b int32) bool {
	return !g.avoided(a, b) && (g.active(a, b) || g.linkable(a, b))
}

// shortOfLinks tells whether i had better use the links that it has.
func (g *grove) shortOfLinks(i int32) bool { return 2*g.linked[i] > g.room[i] }
