package planner

import (
	"slices"

	"github.com/tubercdn/tuber"
)

// way is one partition of a content.
type way struct {
	content tuber.ContentID
	p       int
}

// unfed is a partition that a member is to have from outside, and that nobody
// sends it, or only somebody to whom it does not come either.
type unfed struct {
	way
	peer tuber.PeerID
}

// unfedLocked compares what was ordered with what the feeder does.
func (c *cell) unfedLocked() []unfed {
	var out []unfed
	for i := range c.ordered {
		p := &c.ordered[i]
		fed := c.parts[p.ID]
		for _, f := range p.Feeds {
			lacks := f.Partitions
			if fed != nil {
				for _, s := range fed.plan.Sources {
					if s.Content == f.Content && !s.Standby {
						lacks &^= s.Partitions
					}
				}
				for _, d := range fed.dry {
					if d.Content == f.Content {
						lacks |= d.Partitions & f.Partitions
					}
				}
			}
			for rest := lacks; rest != 0; rest &= rest - 1 {
				out = append(out, unfed{way{f.Content, first(rest)}, p.ID})
			}
		}
	}
	return out
}

// dryLocked are those, members and visitors, to whom partitions do not come that
// the plan of this cell gives them: who is unfed, and who hangs below.
func (c *cell) dryLocked() map[tuber.PeerID][]Feed {
	dry := map[tuber.PeerID]map[tuber.ContentID]tuber.Partitions{}
	queue := c.unfedLocked()
	for len(queue) > 0 {
		u := queue[0]
		queue = queue[1:]
		if dry[u.peer] == nil {
			dry[u.peer] = map[tuber.ContentID]tuber.Partitions{}
		}
		if dry[u.peer][u.content]&(1<<u.p) != 0 {
			continue
		}
		dry[u.peer][u.content] |= 1 << u.p
		pp := c.plan.Peers[u.peer]
		if pp == nil {
			continue
		}
		for _, a := range pp.Assignments {
			if a.Content == u.content && a.Partitions&(1<<u.p) != 0 {
				queue = append(queue, unfed{u.way, a.To})
			}
		}
	}
	out := map[tuber.PeerID][]Feed{}
	for id, feeds := range dry {
		for content, parts := range feeds {
			out[id] = append(out[id], Feed{content, parts})
		}
		slices.SortFunc(out[id], func(a, b Feed) int { return slices.Compare(a.Content[:], b.Content[:]) })
	}
	return out
}
