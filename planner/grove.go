package planner

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// none stands for no peer among indices of peers.
const none = int32(-1)

// grove is a plan in the making: the trees of all contents over the same peers,
// whose uplinks and links they share. Peers are named by their index.
type grove struct {
	now       time.Time
	settled   bool
	peers     []Peer // sorted by id
	index     map[tuber.PeerID]int32
	origin    int32             // none if the origin is not here
	budget    []float64         // bits per second not assigned yet; a kept edge may overdraw
	room      []int             // links that a peer may have, standby ones apart
	spare     []int             // standby links that it may have
	links     []map[int32]int32 // neighbour to the number of edges on that link
	pending   []int             // partitions without a parent: each may need a link yet
	avoid     map[[2]int32]bool
	dialable  []int32                  // peers that anyone can dial
	met       map[int32]map[int32]bool // of viewers that may meet no more, whom they have
	forests   []*forest
	byID      map[tuber.ContentID]*forest
	moves     int                           // improvements still allowed
	spareRate *float64                      // what left has summed up
	meant     map[int32]tuber.BitsPerSecond // what viewers are to come down to, once fit was asked
}

// forest is the K trees of one content.
type forest struct {
	tuber.Content
	slot    float64            // bits per second of one partition
	viewers int                // who want it
	scarce  bool               // some of them can be fed by dialable peers only
	needs   []tuber.Partitions // by peer
	trees   []tree             // by partition
}

// tree is the way of one partition. A peer is attached when its parents lead to
// the origin.
type tree struct {
	parent []int32
	kids   [][]int32
	depth  []int32   // hops from the origin, 0 while not attached
	open   [][]place // by depth: attached peers that may have a slot left
	mark   []uint32  // by peer: of the one place in open that counts, 0 if there is none
	marks  uint32    // given so far
}

// place is a peer's place in a list of those that may have a slot left. It
// counts while the peer has the same mark; others are swept out now and then.
type place struct {
	peer int32
	mark uint32
}

func newGrove(st State, now time.Time) *grove {
	g := &grove{now: now, settled: !now.Before(st.Settled), peers: sortedPeers(st.Peers), origin: none}
	n := len(g.peers)
	g.index = make(map[tuber.PeerID]int32, n)
	g.budget, g.room, g.spare = make([]float64, n), make([]int, n), make([]int, n)
	g.links, g.pending = make([]map[int32]int32, n), make([]int, n)
	g.avoid = map[[2]int32]bool{}
	g.byID = map[tuber.ContentID]*forest{}
	for i := range g.peers {
		p := &g.peers[i]
		g.index[p.ID] = int32(i)
		g.room[i], g.spare[i] = p.links()
		g.links[i] = map[int32]int32{}
		if p.Means.Reach == tuber.ReachDialable {
			g.dialable = append(g.dialable, int32(i))
		}
		if p.ID == st.Origin && p.Role == tuber.RoleOrigin {
			g.origin = int32(i)
		}
	}
	for i := range g.peers {
		for _, other := range g.peers[i].Avoid {
			if j, ok := g.index[other]; ok {
				g.avoid[pair(int32(i), j)] = true
			}
		}
	}
	g.readMet()
	for _, c := range sortedContents(st.Contents) {
		g.addForest(c)
	}
	for i := range g.peers {
		g.budget[i] = useOfUplink * g.uplink(int32(i))
	}
	return g
}

func (g *grove) addForest(c tuber.Content) {
	if c.Rate <= 0 {
		c.Rate = guessedRate
	}
	n := len(g.peers)
	f := &forest{Content: c, slot: float64(c.Rate) / float64(c.K), needs: make([]tuber.Partitions, n), trees: make([]tree, c.K)}
	for p := range f.trees {
		t := &f.trees[p]
		*t = tree{make([]int32, n), make([][]int32, n), make([]int32, n), make([][]place, maxDepth+1), make([]uint32, n), 0}
		for i := range t.parent {
			t.parent[i] = none
		}
	}
	for i := range g.peers {
		p := &g.peers[i]
		if p.Role == tuber.RoleViewer && p.Means.Reach != tuber.ReachNone && slices.Contains(p.Wants, c.ID) {
			f.needs[i] = tuber.AllPartitions(c.K)
			f.viewers++
			f.scarce = f.scarce || p.needsDialable()
		}
	}
	g.forests, g.byID[c.ID] = append(g.forests, f), f
}

// countPending begins the count that set and cut keep.
func (g *grove) countPending() {
	for _, f := range g.forests {
		for i, n := range f.needs {
			g.pending[i] += n.Len()
		}
	}
}

// unfed is the number of partitions that still lack a parent.
func (g *grove) unfed() int {
	n := 0
	for _, p := range g.pending {
		n += p
	}
	return n
}

// uplink is what peer i may send in bits per second.
func (g *grove) uplink(i int32) float64 {
	p := &g.peers[i]
	u := float64(max(p.Upload, 0))
	if p.Role == tuber.RoleViewer {
		if p.needsDialable() || p.Means.Reach == tuber.ReachNone {
			return 0
		}
		var receives float64
		for _, f := range g.forests {
			if f.needs[i] != 0 {
				receives += float64(f.Rate)
			}
		}
		u = min(u, uploadPerStream*receives)
	}
	return u
}

func pair(a, b int32) [2]int32 { return [2]int32{min(a, b), max(a, b)} }

// mayLink tells whether a and b are linked by the plan, or could be.
func (g *grove) mayLink(a, b int32) bool {
	if a == b || g.avoid[pair(a, b)] {
		return false
	}
	if g.links[a][b] > 0 {
		return true
	}
	return len(g.links[a]) < g.room[a] && len(g.links[b]) < g.room[b] && g.linkable(a, b)
}

// mayFeed tells whether parent can take i as a child without using up the links
// over which its own partitions are still to come.
func (g *grove) mayFeed(parent, i int32) bool {
	return g.mayLink(parent, i) && (g.links[parent][i] > 0 || len(g.links[parent])+g.pending[parent] < g.room[parent])
}

// set makes parent feed child. If parent is attached, so is child's subtree.
func (g *grove) set(f *forest, p int, parent, child int32) {
	t := &f.trees[p]
	t.parent[child] = parent
	g.pending[child]--
	t.kids[parent] = append(t.kids[parent], child)
	g.budget[parent] -= f.slot
	g.links[parent][child]++
	g.links[child][parent]++
	if parent == g.origin {
		t.settle(child, 1)
	} else if d := t.depth[parent]; d > 0 {
		t.settle(child, d+1)
	}
}

// cut takes child and its subtree from its parent.
func (g *grove) cut(f *forest, p int, child int32) {
	t := &f.trees[p]
	parent := t.parent[child]
	t.parent[child] = none
	g.pending[child]++
	t.kids[parent] = slices.DeleteFunc(t.kids[parent], func(i int32) bool { return i == child })
	g.unlink(parent, child)
	g.budget[parent] += f.slot
	t.settle(child, 0)
	for _, f := range g.forests { // the parent has a slot again
		for p := range f.trees {
			f.trees[p].list(parent)
		}
	}
}

func (g *grove) unlink(a, b int32) {
	for _, e := range [][2]int32{{a, b}, {b, a}} {
		if g.links[e[0]][e[1]]--; g.links[e[0]][e[1]] == 0 {
			delete(g.links[e[0]], e[1])
		}
	}
}

// settle gives i and what hangs below it their depths; 0 says not attached.
func (t *tree) settle(i, depth int32) {
	if t.depth[i] != depth {
		t.depth[i], t.mark[i] = depth, 0
	}
	t.list(i)
	next := depth + 1
	if depth == 0 {
		next = 0
	}
	for _, k := range t.kids[i] {
		t.settle(k, next)
	}
}

// list notes that i may have a slot left.
func (t *tree) list(i int32) {
	if d := t.depth[i]; d > 0 && d < maxDepth && t.mark[i] == 0 {
		t.marks++
		t.mark[i] = t.marks
		t.open[d] = append(t.open[d], place{i, t.marks})
	}
}

// sweep drops the places that do not count any more.
func (t *tree) sweep(d int32) {
	t.open[d] = slices.DeleteFunc(t.open[d], func(at place) bool { return t.mark[at.peer] != at.mark })
}

// below tells whether i is x or hangs below it.
func (t *tree) below(i, x int32) bool {
	for ; i != none; i = t.parent[i] {
		if i == x {
			return true
		}
	}
	return false
}

// height is the number of levels that hang below i.
func (t *tree) height(i int32) int32 {
	var h int32
	for _, k := range t.kids[i] {
		h = max(h, 1+t.height(k))
	}
	return h
}
