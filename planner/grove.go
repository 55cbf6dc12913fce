package planner

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// none stands for no peer among indices of peers.
const none = int32(-1)

// grove is a plan in the making: the trees of all contents over the same peers,
// whose uplinks and links they share. Peers are named by their index; everything
// that is asked for often is in slices by index, so that no step of planning
// depends on how many peers there are. What a step costs is mostly the cache lines
// that it touches: what is asked together lies together.
type grove struct {
	now      time.Time
	settled  bool
	peers    []Peer   // by index; one that left has no role
	names    []name   // by index
	shares   []share  // by index
	links    [][]link // by index
	index    map[tuber.PeerID]int32
	free     []int32 // indices of those who left
	origin   int32   // none if the origin is not here
	boosters []int32 // in the order of ids
	dialable []int32 // peers that anyone can dial, in the order of ids
	forests  []*forest
	byID     map[tuber.ContentID]*forest
	moves    int // improvements still allowed
	turn     int // of trees, in improve
	changed  []int32
	left     upload                        // upload that nobody was assigned, of those who are here
	released int                           // slots that came free since the waiting were last looked at
	adrift   bool                          // subtrees have been taken off that keep their depths: see rooted
	small    bool                          // a booster's share depends on how many viewers there are
	forgone  bool                          // some booster forgoes something
	meant    map[int32]tuber.BitsPerSecond // what viewers are to come down to
	grant0   tuber.BitsPerSecond           // to who wants nothing yet
	whole    bool                          // everybody's words are written at once, so nothing is noted as changed
	scratch  words
	mixing   mixing
	pent     []int32 // see pentUp
	pentRead bool
}

// name is what others are told of a peer, in one cache line.
type name struct {
	ID   tuber.PeerID
	Key  tuber.PublicKey
	Role tuber.Role
}

// share is what a peer has to give and what it was given: all that is asked of it
// for every edge, in one cache line.
type share struct {
	key          uint64 // the first bytes of the id: the order of ids in one comparison
	near         uint64 // a bit for each of its links, see bitOf; others may share it
	base, budget upload // in all, and not assigned yet; a kept edge may overdraw
	room         int32  // links that it may have, standby ones apart
	linked       int32  // links that it has, standby ones apart
	spare        int32  // standby links that it may still get
	pending      int32  // partitions without a parent: each may need a link yet
	traits       traits
	changed      bool // it is in grove.changed
	_            [14]byte
}

// upload is counted in eighths of a bit per second: a slot is a whole number of
// them, so that what is given and taken back leaves no rest.
type upload int64

func uploadOf(perSecond float64) upload { return upload(8 * min(perSecond, 1e15)) }

func (u upload) perSecond() float64 { return float64(u) / 8 }

// forest is the K trees of one content.
type forest struct {
	tuber.Content
	n        int                // its index
	slot     upload             // one partition
	viewers  int                // who want it
	scarce   int                // of them, those whom dialable peers only can feed
	needs    []tuber.Partitions // by peer: that it is to receive
	fed      []tuber.Partitions // by peer: for which it has a parent
	has      []tuber.Partitions // by peer: that come to it from the origin
	feeds    []tuber.Partitions // by peer: in which it has children
	home     []tuber.Partitions // by peer: in which it takes children
	main     []uint8            // by peer: its first home + 1, 0 if it has none yet
	helpers  [][tuber.StandbyLinks]helper
	deputies []int32                     // by tree: see deputy; index + 1
	supply   [tuber.MaxPartitions]upload // by tree: the uplinks of those at home in it
	trees    []tree                      // by partition
	nodes    []node                      // by peer, then by partition; see tree.at
	queued   []queued                    // by peer: in which of the next two it is
	fresh    []int32                     // lack a parent since the last look
	waiting  []int32                     // have lacked one for longer
	lacking  int                         // partitions that viewers lack
	short    int                         // viewers who lack some
	grants   [2]tuber.BitsPerSecond      // to those who lack nothing, and to the others; see setGrants
	scarcer  [2]upload                   // of dialable peers: what is free, and what the scarce still need
}

// helper is a standby parent; the zero value is none.
type helper struct {
	peer  int32 // index + 1
	parts tuber.Partitions
}

func newGrove(st State, now time.Time) *grove {
	g := &grove{now: now, settled: !now.Before(st.Settled), origin: none}
	n := len(st.Peers)
	g.peers = make([]Peer, 0, n)
	g.index = make(map[tuber.PeerID]int32, n)
	for _, p := range inOrder(st.Peers, now) { // so that what is done one after the other lies so
		if _, twice := g.index[p.ID]; !twice {
			g.index[p.ID] = int32(len(g.peers))
			g.peers = append(g.peers, *p)
		}
	}
	n = len(g.peers)
	g.byID = map[tuber.ContentID]*forest{}
	g.names, g.shares, g.links = make([]name, n), make([]share, n), make([][]link, n)
	for _, c := range sortedContents(st.Contents) {
		g.addForest(c, n)
	}
	room := make([]link, roomForLinks(g.peers))
	for i := range g.peers {
		n := usualLinks(&g.peers[i])
		g.links[i], room = room[:0:n], room[n:]
		g.enter(int32(i), st.Origin)
	}
	return g
}

// usualLinks is how many p seldom has more than.
func usualLinks(p *Peer) int {
	active, standby := p.links()
	return min(active+standby, permanentLinks)
}

func roomForLinks(peers []Peer) int {
	n := 0
	for i := range peers {
		n += usualLinks(&peers[i])
	}
	return n
}

// extend makes place for so many peers.
func (g *grove) extend(n int) {
	more := n - len(g.peers)
	g.peers = append(g.peers, make([]Peer, more)...)
	g.names = append(g.names, make([]name, more)...)
	g.shares = append(g.shares, make([]share, more)...)
	g.links = append(g.links, make([][]link, more)...)
	for _, f := range g.forests {
		f.extend(more)
	}
}

func (f *forest) extend(more int) {
	f.needs = append(f.needs, make([]tuber.Partitions, more)...)
	f.fed = append(f.fed, make([]tuber.Partitions, more)...)
	f.has = append(f.has, make([]tuber.Partitions, more)...)
	f.feeds = append(f.feeds, make([]tuber.Partitions, more)...)
	f.home = append(f.home, make([]tuber.Partitions, more)...)
	f.main = append(f.main, make([]uint8, more)...)
	f.helpers = append(f.helpers, make([][tuber.StandbyLinks]helper, more)...)
	f.queued = append(f.queued, make([]queued, more)...)
	old := len(f.nodes)
	f.nodes = append(f.nodes, make([]node, more*f.K)...)
	for n := old; n < len(f.nodes); n++ {
		f.nodes[n] = noNode
	}
	for p := range f.trees {
		f.trees[p].nodes, f.trees[p].stride = f.nodes[min(p, len(f.nodes)):], f.K
	}
}

func (g *grove) addForest(c tuber.Content, n int) {
	if c.Rate <= 0 {
		c.Rate = guessedRate
	}
	f := &forest{Content: c, n: len(g.forests), slot: upload(8 * c.Rate / tuber.BitsPerSecond(c.K)), trees: make([]tree, c.K), deputies: make([]int32, c.K)}
	f.extend(n)
	f.fresh = make([]int32, 0, n)
	g.forests, g.byID[c.ID] = append(g.forests, f), f
}

// enter begins with the peer at index i. It is given nothing yet.
func (g *grove) enter(i int32, origin tuber.PeerID) {
	p := &g.peers[i]
	g.names[i] = name{p.ID, p.Key, p.Role}
	active, standby := p.links()
	g.shares[i] = share{key: keyOf(p.ID), room: int32(active), spare: int32(standby), traits: traitsOf(p), changed: g.shares[i].changed}
	g.links[i] = g.links[i][:0]
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
	g.setBase(i, uploadOf(g.uplink(i)))
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
	case g.shares[a].key != g.shares[b].key:
		if g.shares[a].key < g.shares[b].key {
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
	g.shares[i].pending += more
	if g.shares[i].traits&isSymmetric != 0 {
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
	if lacks := f.needs[i] &^ f.has[i]; lacks != 0 && !g.visits(i) {
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
	g.spend(i, g.shares[i].base-base)
	g.shares[i].base = base
}

// spend takes something from what i may still send.
func (g *grove) spend(i int32, b upload) {
	before := max(0, g.shares[i].budget)
	g.shares[i].budget -= b
	after := max(0, g.shares[i].budget)
	if g.shares[i].traits&isAway == 0 {
		g.left += after - before
	}
	if g.shares[i].traits&isDialable != 0 && i != g.origin {
		for _, f := range g.forests {
			f.scarcer[0] += after - before
		}
	}
}

// uplink is what peer i may send in bits per second, in payload.
func (g *grove) uplink(i int32) float64 {
	p := &g.peers[i]
	u := useOfUplink * float64(max(p.Upload, 0))
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
	for i := range g.shares {
		n += int(g.shares[i].pending)
	}
	return n
}

// note remembers that what i is told may have changed.
func (g *grove) note(i int32) {
	if i != none && !g.whole && !g.shares[i].changed {
		g.shares[i].changed = true
		g.changed = append(g.changed, i)
	}
}
