package planner

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// none stands for no peer among indices of peers.
const none = int32(-1)

// grove is a plan in the making: the trees of all contents over the same peers,
// whose uplinks and links they share. Peers are named by their index; everything
// that is asked for often is in slices by index, so that no step of planning
// depends on how many peers there are.
type grove struct {
	now       time.Time
	settled   bool
	peers     []Peer   // by index; one that left has no role
	traits    []traits // by index: what is asked of it most often
	near      []uint64 // by index: a bit for each of its links, see bitOf; others may share it
	key       []uint64 // the first bytes of the id: the order of ids in one comparison
	index     map[tuber.PeerID]int32
	free      []int32 // indices of those who left
	origin    int32   // none if the origin is not here
	base      []upload
	budget    []upload // not assigned yet, of base; a kept edge may overdraw
	room      []int32  // links that a peer may have, standby ones apart
	linked    []int32  // links that it has, standby ones apart
	spare     []int32  // standby links that it may still get
	links     [][]link // by the order of ids
	pending   []int32  // partitions without a parent: each may need a link yet
	boosters  []int32  // in the order of ids
	dialable  []int32  // peers that anyone can dial, in the order of ids
	forests   []*forest
	byID      map[tuber.ContentID]*forest
	moves     int // improvements still allowed
	turn      int // of trees, in improve
	changed   []int32
	isChanged []bool
	left      upload                        // upload that nobody was assigned, of those who are here
	released  int                           // slots that came free since the waiting were last looked at
	adrift    bool                          // subtrees have been taken off that keep their depths: see rooted
	small     bool                          // a booster's share depends on how many viewers there are
	meant     map[int32]tuber.BitsPerSecond // what viewers are to come down to
	grant0    tuber.BitsPerSecond           // to who wants nothing yet
	whole     bool                          // everybody's words are written at once, so nothing is noted as changed
	scratch   words
}

// upload is counted in eighths of a bit per second: a slot is a whole number of
// them, so that what is given and taken back leaves no rest.
type upload int64

func uploadOf(perSecond float64) upload { return upload(8 * min(perSecond, 1e15)) }

func (u upload) perSecond() float64 { return float64(u) / 8 }

// forest is the K trees of one content.
type forest struct {
	tuber.Content
	n       int                // its index
	slot    upload             // one partition
	viewers int                // who want it
	scarce  int                // of them, those whom dialable peers only can feed
	needs   []tuber.Partitions // by peer: that it is to receive
	has     []tuber.Partitions // by peer: that come to it from the origin
	feeds   []tuber.Partitions // by peer: in which it has children
	home    []tuber.Partitions // by peer: in which it takes children
	main    []uint8            // by peer: its first home + 1, 0 if it has none yet
	helpers [][tuber.StandbyLinks]helper
	supply  [tuber.MaxPartitions]upload // by tree: the uplinks of those at home in it
	trees   []tree                      // by partition
	queued  []queued                    // by peer: in which of the next two it is
	fresh   []int32                     // lack a parent since the last look
	waiting []int32                     // have lacked one for longer
	lacking int                         // partitions that viewers lack
	short   int                         // viewers who lack some
	grants  [2]tuber.BitsPerSecond      // to those who lack nothing, and to the others; see setGrants
	scarcer [2]upload                   // of dialable peers: what is free, and what the scarce still need
}

// helper is a standby parent; the zero value is none.
type helper struct {
	peer  int32 // index + 1
	parts tuber.Partitions
}

func newGrove(st State, now time.Time) *grove {
	g := &grove{now: now, settled: !now.Before(st.Settled), origin: none}
	sorted := sortedPeers(st.Peers)
	n := len(sorted)
	g.index = make(map[tuber.PeerID]int32, n)
	g.byID = map[tuber.ContentID]*forest{}
	g.extend(n)
	for _, c := range sortedContents(st.Contents) {
		g.addForest(c, n)
	}
	const usual = 16 // links of most
	room := make([]link, usual*n)
	for i := range sorted {
		g.links[i] = room[usual*i : usual*i : usual*(i+1)]
	}
	for i := range sorted {
		g.enter(int32(i), &sorted[i], st.Origin)
	}
	return g
}

// extend makes place for so many peers.
func (g *grove) extend(n int) {
	more := n - len(g.peers)
	g.peers = append(g.peers, make([]Peer, more)...)
	g.key = append(g.key, make([]uint64, more)...)
	g.traits = append(g.traits, make([]traits, more)...)
	g.near = append(g.near, make([]uint64, more)...)
	g.base = append(g.base, make([]upload, more)...)
	g.budget = append(g.budget, make([]upload, more)...)
	g.room = append(g.room, make([]int32, more)...)
	g.linked = append(g.linked, make([]int32, more)...)
	g.spare = append(g.spare, make([]int32, more)...)
	g.links = append(g.links, make([][]link, more)...)
	g.pending = append(g.pending, make([]int32, more)...)
	g.isChanged = append(g.isChanged, make([]bool, more)...)
	for _, f := range g.forests {
		f.extend(more)
	}
}

func (f *forest) extend(more int) {
	f.needs = append(f.needs, make([]tuber.Partitions, more)...)
	f.has = append(f.has, make([]tuber.Partitions, more)...)
	f.feeds = append(f.feeds, make([]tuber.Partitions, more)...)
	f.home = append(f.home, make([]tuber.Partitions, more)...)
	f.main = append(f.main, make([]uint8, more)...)
	f.helpers = append(f.helpers, make([][tuber.StandbyLinks]helper, more)...)
	f.queued = append(f.queued, make([]queued, more)...)
	for p := range f.trees {
		t := &f.trees[p]
		old := len(t.nodes)
		t.nodes = append(t.nodes, make([]node, more)...)
		for i := old; i < len(t.nodes); i++ {
			t.nodes[i] = noNode
		}
	}
}

func (g *grove) addForest(c tuber.Content, n int) {
	if c.Rate <= 0 {
		c.Rate = guessedRate
	}
	f := &forest{Content: c, n: len(g.forests), slot: upload(8 * c.Rate / tuber.BitsPerSecond(c.K)), trees: make([]tree, c.K)}
	f.extend(n)
	g.forests, g.byID[c.ID] = append(g.forests, f), f
}

// enter puts a peer at a free index. It is given nothing yet.
func (g *grove) enter(i int32, p *Peer, origin tuber.PeerID) {
	g.peers[i] = *p
	g.key[i] = binary.BigEndian.Uint64(p.ID[:])
	g.index[p.ID] = i
	active, standby := p.links()
	g.room[i], g.spare[i], g.linked[i], g.links[i], g.near[i] = int32(active), int32(standby), 0, g.links[i][:0], 0
	g.traits[i] = traitsOf(p)
	if p.ID == origin && p.Role == tuber.RoleOrigin {
		g.origin = i
	}
	if p.Role == tuber.RoleBooster && !p.visits() {
		g.boosters = g.insertByID(g.boosters, i)
	}
	if p.Means.Reach == tuber.ReachDialable {
		g.dialable = g.insertByID(g.dialable, i)
	}
	for _, f := range g.forests {
		g.need(f, i, p.needs(&f.Content))
	}
	g.setBase(i, uploadOf(useOfUplink*g.uplink(i)))
}

func (g *grove) insertByID(list []int32, i int32) []int32 {
	at, _ := slices.BinarySearchFunc(list, i, g.compare)
	return slices.Insert(list, at, i)
}

func (g *grove) removeByID(list []int32, i int32) []int32 {
	if at, ok := slices.BinarySearchFunc(list, i, g.compare); ok {
		return slices.Delete(list, at, at+1)
	}
	return list
}

// compare orders peers by their ids. Two ids with the same first half are in the
// order of their indices.
func (g *grove) compare(a, b int32) int {
	switch {
	case g.key[a] != g.key[b]:
		if g.key[a] < g.key[b] {
			return -1
		}
		return 1
	}
	return int(a) - int(b)
}

// need changes what i is to receive. What it is not to receive any more must
// have been taken from it before.
func (g *grove) need(f *forest, i int32, parts tuber.Partitions) {
	old := f.needs[i]
	if old == parts {
		return
	}
	f.count(g, i, -1)
	f.needs[i] = parts
	f.count(g, i, 1)
	more := int32(parts.Len() - old.Len())
	g.pending[i] += more
	if g.traits[i]&isSymmetric != 0 {
		f.scarcer[1] += upload(more) * f.slot
	}
	if parts&^old != 0 {
		f.queue(i)
	}
	g.note(i)
}

// count adds i to the sums of the content, or takes it out.
func (f *forest) count(g *grove, i int32, by int) {
	p := &g.peers[i]
	if !g.watches(i) || f.needs[i] == 0 {
		return
	}
	f.viewers += by
	if p.needsDialable() {
		f.scarce += by
	}
	if lacks := f.needs[i] &^ f.has[i]; lacks != 0 {
		f.lacking += by * lacks.Len()
		f.short += by
	}
}

// queued says in which list of those who lack a parent a peer is.
type queued uint8

const (
	inNone queued = iota
	inWaiting
	inFresh
)

// queue puts i among those who lack a parent since the last look.
func (f *forest) queue(i int32) {
	switch f.queued[i] {
	case inFresh:
		return
	case inWaiting:
		f.waiting = slices.DeleteFunc(f.waiting, func(j int32) bool { return j == i })
	}
	f.queued[i] = inFresh
	f.fresh = append(f.fresh, i)
}

// setBase changes what i may send in all.
func (g *grove) setBase(i int32, base upload) {
	g.spend(i, g.base[i]-base)
	g.base[i] = base
}

// spend takes something from what i may still send.
func (g *grove) spend(i int32, b upload) {
	before := max(0, g.budget[i])
	g.budget[i] -= b
	after := max(0, g.budget[i])
	if g.traits[i]&isAway == 0 {
		g.left += after - before
	}
	if g.traits[i]&isDialable != 0 && i != g.origin {
		for _, f := range g.forests {
			f.scarcer[0] += after - before
		}
	}
}

// uplink is what peer i may send in bits per second.
func (g *grove) uplink(i int32) float64 {
	p := &g.peers[i]
	u := float64(max(p.Upload, 0))
	if p.visits() {
		return 0
	}
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

// unfed is the number of partitions that still lack a parent.
func (g *grove) unfed() int {
	n := 0
	for _, p := range g.pending {
		n += int(p)
	}
	return n
}

// note remembers that what i is told may have changed.
func (g *grove) note(i int32) {
	if i != none && !g.whole && !g.isChanged[i] {
		g.isChanged[i] = true
		g.changed = append(g.changed, i)
	}
}
