package planner

import (
	"slices"

	"github.com/tubercdn/tuber"
)

// Feed is a part of a content that one cell is given by another: partitions that
// come to one of its peers.
type Feed struct {
	Content    tuber.ContentID
	Partitions tuber.Partitions
}

// visits tells whether p belongs to another cell. A visitor receives its Feeds
// here, by links kept free for that, and gives nothing: its means are its own
// cell's. It counts as a viewer, for all of its cell hang below it; but what it
// lacks is counted there.
func (p *Peer) visits() bool { return p.Feeds != nil }

// needs is what a plan gives p of a content, a booster's share apart.
func (p *Peer) needs(c *tuber.Content) tuber.Partitions {
	var out tuber.Partitions
	if !p.visits() {
		if wantsContent(p, c.ID) {
			out = tuber.AllPartitions(c.K)
		}
		return out
	}
	for _, f := range p.Feeds {
		if f.Content == c.ID && p.Means.Reach != tuber.ReachNone {
			out |= f.Partitions & tuber.AllPartitions(c.K)
		}
	}
	return out
}

// sameFeeds tells whether two peers are no visitors both, or are given the same.
func sameFeeds(a, b *Peer) bool { return a.visits() == b.visits() && slices.Equal(a.Feeds, b.Feeds) }

// visits tells whether i is a visitor.
func (g *grove) visits(i int32) bool { return g.shares[i].traits&isVisitor != 0 }

// watches tells whether i is one whom the plan must serve: a viewer, or a
// visitor, behind whom there are others.
func (g *grove) watches(i int32) bool { return g.shares[i].traits&(isViewer|isVisitor) != 0 }
