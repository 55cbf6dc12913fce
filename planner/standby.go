package planner

import (
	"math/bits"

	"github.com/tubercdn/tuber"
)

// chooseStandbys names for every receiver up to two peers to ask for what does
// not come: parents of other partitions, which are linked already, then
// boosters, then viewers with something left to give.
func (w *writer) chooseStandbys() {
	g := w.g
	var boosters []int32
	load := make([]int, len(g.peers)) // children that have a peer on standby
	for i := range g.peers {
		if g.peers[i].Role == tuber.RoleBooster && !g.peers[i].Away {
			boosters = append(boosters, int32(i))
		}
	}
	for n, f := range g.forests {
		for i := range g.peers {
			if f.needs[i] == 0 || i == int(g.origin) {
				continue
			}
			c := &standbyChoice{w: w, f: f, n: int32(n), i: int32(i), load: load}
			c.previous()
			c.parents()
			c.among(boosters)
			c.viewers()
		}
	}
}

type standbyChoice struct {
	w    *writer
	f    *forest
	n    int32
	i    int32
	load []int
}

func (c *standbyChoice) full() bool { return len(c.w.standby[c.i][c.n]) >= tuber.StandbyLinks }

// previous keeps the standbys of the plan before, where they still can help.
func (c *standbyChoice) previous() {
	g := c.w.g
	if c.w.st.Previous == nil {
		return
	}
	old := c.w.st.Previous.Peers[g.peers[c.i].ID]
	if old == nil {
		return
	}
	for _, s := range old.Sources {
		if j, ok := g.index[s.From]; ok && s.Standby && s.Content == c.f.ID {
			c.try(j)
		}
	}
}

func (c *standbyChoice) parents() {
	for p := range c.f.trees {
		if j := c.f.trees[p].parent[c.i]; j != none {
			c.try(j)
		}
	}
}

// among tries those with the fewest children on standby first.
func (c *standbyChoice) among(list []int32) {
	for !c.full() {
		best := none
		for _, j := range list {
			if (best == none || c.load[j] < c.load[best]) && c.can(j) {
				best = j
			}
		}
		if best == none {
			return
		}
		c.try(best)
	}
}

// viewers looks at a bounded number of viewers, beginning at a different one
// for everybody.
func (c *standbyChoice) viewers() {
	const looks = 24
	g := c.w.g
	n := len(g.peers)
	var list []int32
	for step := 1; step < n && len(list) < looks && step < 8*looks && !c.full(); step++ {
		j := int32((int(c.i) + step) % n)
		if g.peers[j].Role == tuber.RoleViewer && g.budget[j] >= c.f.slot {
			list = append(list, j)
		}
	}
	c.among(list)
}

func (c *standbyChoice) can(j int32) bool {
	g := c.w.g
	if j == c.i || j == g.origin || g.peers[j].Away || c.has(j) || c.helpful(j) == 0 {
		return false
	}
	if g.links[c.i][j] > 0 || c.w.helps[j][c.i] || c.w.helps[c.i][j] {
		return !g.avoid[pair(c.i, j)]
	}
	return g.spare[c.i] > 0 && g.spare[j] > 0 && !g.avoid[pair(c.i, j)] && g.linkable(c.i, j)
}

func (c *standbyChoice) has(j int32) bool {
	for _, s := range c.w.standby[c.i][c.n] {
		if s.From == c.w.g.peers[j].ID {
			return true
		}
	}
	return false
}

// helpful is the set of partitions that j receives otherwise than through i,
// and does not send to i anyway.
func (c *standbyChoice) helpful(j int32) tuber.Partitions {
	var out tuber.Partitions
	for p := range c.f.trees {
		t := &c.f.trees[p]
		if c.f.needs[c.i]&(1<<p) != 0 && t.depth[j] > 0 && t.parent[c.i] != j && !t.below(j, c.i) {
			out |= 1 << p
		}
	}
	return out
}

func (c *standbyChoice) try(j int32) {
	if c.full() || !c.can(j) {
		return
	}
	g := c.w.g
	ps := c.helpful(j)
	if bits.OnesCount8(uint8(ps)) == 0 {
		return
	}
	if g.links[c.i][j] == 0 && !c.w.helps[j][c.i] && !c.w.helps[c.i][j] {
		g.spare[c.i]--
		g.spare[j]--
	}
	c.w.helps[j][c.i] = true
	c.load[j]++
	c.w.standby[c.i][c.n] = append(c.w.standby[c.i][c.n], tuber.Source{
		Content: c.f.ID, Partitions: ps, From: g.peers[j].ID, Standby: true,
	})
}
