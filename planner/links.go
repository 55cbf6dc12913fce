package planner

import (
	"slices"

	"github.com/tubercdn/tuber"
)

// link is what one peer knows of its link to another. Both keep one, in no order.
type link struct {
	peer  int32
	back  int32 // its place among the other's links
	edges int16 // partitions that it carries, either way
	helps int16 // standby relations, either way
}

// find is the place of b among a's links. It looks through the shorter list.
func (g *grove) find(a, b int32) (int32, bool) {
	if g.shares[a].near&bitOf(b) == 0 || g.shares[b].near&bitOf(a) == 0 {
		return 0, false
	}
	if x, y := g.links[a], g.links[b]; len(x) <= len(y) {
		for n := range x {
			if x[n].peer == b {
				return int32(n), true
			}
		}
	} else {
		for n := range y {
			if y[n].peer == a {
				return y[n].back, true
			}
		}
	}
	return 0, false
}

// bitOf is the bit of a peer in near.
func bitOf(i int32) uint64 { return 1 << (uint32(i) * 0x9e3779b1 >> 26) }

// active tells whether a link of a and b carries partitions.
func (g *grove) active(a, b int32) bool {
	at, ok := g.find(a, b)
	return ok && g.links[a][at].edges > 0
}

// tie counts edges and standby relations on the link of a and b. A link without
// either is none; one that carries nothing is a standby link.
func (g *grove) tie(a, b int32, edges, helps int16) {
	at, ok := g.find(a, b)
	if !ok {
		at = int32(len(g.links[a]))
		g.addLink(a, link{peer: b, back: int32(len(g.links[b]))})
		g.addLink(b, link{peer: a, back: at})
	}
	x := &g.links[a][at]
	back := x.back
	y := &g.links[b][back]
	wasActive, wasStandby := x.counts()
	x.edges, x.helps = x.edges+edges, x.helps+helps
	y.edges, y.helps = x.edges, x.helps
	active, standby := x.counts()
	for _, s := range [...]*share{&g.shares[a], &g.shares[b]} {
		s.linked += active - wasActive
		s.spare -= standby - wasStandby
	}
	if x.edges == 0 && x.helps == 0 {
		g.cutLink(a, at)
		g.cutLink(b, back)
	}
}

// counts is 1 for the kind of link that l is.
func (l *link) counts() (active, standby int32) {
	switch {
	case l.edges > 0:
		return 1, 0
	case l.helps > 0:
		return 0, 1
	}
	return 0, 0
}

func (g *grove) addLink(a int32, l link) {
	g.links[a] = append(g.links[a], l)
	g.shares[a].near |= bitOf(l.peer)
}

// cutLink takes the link at a place out of a's list; the last one gets its place.
func (g *grove) cutLink(a, at int32) {
	const crowd = 48 // of links, whose bits nearly all are set anyway
	list := g.links[a]
	last := len(list) - 1
	if moved := list[last]; int(at) != last {
		list[at] = moved
		g.links[moved.peer][moved.back].back = at
	}
	list = list[:last]
	g.links[a] = list
	if last > crowd {
		return
	}
	near := uint64(0)
	for n := range list {
		near |= bitOf(list[n].peer)
	}
	g.shares[a].near = near
}

// traits is what links and places in a tree depend on, in two bytes.
type traits uint16

const (
	isViewer traits = 1 << iota
	relays
	isDialable
	isSymmetric
	isNowhere // it cannot be reached at all
	isPicky   // some peers it may not be linked to: Peer says which
	isAway
	isVisitor
	isProven // somebody has confirmed what it sent
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
	add(isProven, p.Proven || p.permanent())
	return t
}

// avoided tells whether a and b are kept apart.
func (g *grove) avoided(a, b int32) bool {
	if (g.shares[a].traits|g.shares[b].traits)&isPicky == 0 {
		return false
	}
	x, y := &g.peers[a], &g.peers[b]
	return slices.Contains(x.Avoid, y.ID) || slices.Contains(y.Avoid, x.ID)
}

// linkable tells whether a link between a and b may and can be opened, and
// shows neither a viewer's address that it may not see.
func (g *grove) linkable(a, b int32) bool {
	x, y := g.shares[a].traits, g.shares[b].traits
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
	return g.active(a, b) || g.shares[a].linked < g.shares[a].room && g.shares[b].linked < g.shares[b].room && g.linkable(a, b)
}

// mayFeed tells whether parent can take i as a child without using up the links
// over which its own partitions are still to come.
func (g *grove) mayFeed(parent, i int32) bool {
	if parent == i || g.avoided(parent, i) {
		return false
	}
	return g.active(parent, i) || g.shares[parent].linked+g.shares[parent].pending < g.shares[parent].room && g.shares[i].linked < g.shares[i].room && g.linkable(parent, i)
}

// fits tells whether a and b may be linked, the number of links apart.
func (g *grove) fits(a, b int32) bool {
	return !g.avoided(a, b) && (g.active(a, b) || g.linkable(a, b))
}

// shortOfLinks tells whether i had better use the links that it has.
func (g *grove) shortOfLinks(i int32) bool { return 2*g.shares[i].linked > g.shares[i].room }
