package peer

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// linked waits until a has a link to b that is past its hello on both sides.
func linked(t testing.TB, ns *nodes, a, b *node) *link {
	t.Helper()
	find := func(x, y *node) *link {
		s, err := x.swarm(ns.Site())
		if err != nil {
			t.Fatal(err)
		}
		return s.link(y.ID())
	}
	eventually(t, fmt.Sprintf("%s and %s are linked", a.name, b.name), func() bool {
		return find(a, b) != nil && find(b, a) != nil
	})
	return find(a, b)
}

// eventually looks again and again, for what no channel announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("gave up waiting until %s", what)
		}
	}
}

func TestChainOfThreeHops(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a, b, v := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster),
		ns.add("ben", tuber.RoleBooster), ns.add("vic", tuber.RoleViewer)
	st := newStream(t, ns.site, 4)
	ns.chain(st, o, a, b, v)
	linked(t, ns, o, a)
	linked(t, ns, a, b)
	linked(t, ns, b, v)
	for range 5 {
		publish(t, o, ns.Site(), st.segment(40))
	}
	for _, n := range []*node{a, b, v} {
		n.has(t, st.content.ID, 200)
		st.same(n)
		if _, playlist := n.chunks.Update(st.content.ID); !bytes.Equal(playlist, st.playlist) {
			t.Errorf("%s: playlist of %d bytes, want %d", n.name, len(playlist), len(st.playlist))
		}
	}
	total := 0
	for _, b := range st.bytes {
		total += len(b)
	}
	// The origin's own uplink carried each byte once, whatever came after it.
	if got := o.Stats()[ns.Site()].Sent; got != uint64(total) {
		t.Errorf("the origin sent %d bytes of payload, want %d", got, total)
	}
}

func TestPartitionsFromTwoParents(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a, b, v := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster),
		ns.add("ben", tuber.RoleBooster), ns.add("vic", tuber.RoleViewer)
	st := newStream(t, ns.site, 4)
	part := func(to *node, p tuber.Partitions) tuber.Assignment {
		x := assign(st, to)
		x.Partitions = p
		return x
	}
	from := func(n *node, p tuber.Partitions) tuber.Source {
		x := source(st, n, false)
		x.Partitions = p
		return x
	}
	ns.plan(o, tuber.PeerPlan{
		Assignments:   []tuber.Assignment{part(a, 0b0011), part(b, 0b1100)},
		Introductions: []tuber.Introduction{a.intro(false), b.intro(false)},
	})
	for _, x := range []struct {
		n *node
		p tuber.Partitions
		o *node
		q tuber.Partitions
	}{{a, 0b0011, b, 0b1100}, {b, 0b1100, a, 0b0011}} {
		ns.plan(x.n, tuber.PeerPlan{
			Assignments:   []tuber.Assignment{part(v, x.p), part(x.o, x.p)},
			Sources:       []tuber.Source{from(o, x.p), from(x.o, x.q)},
			Introductions: []tuber.Introduction{o.intro(true), v.intro(false), x.o.intro(x.n == a)},
		})
	}
	ns.plan(v, tuber.PeerPlan{
		Sources:       []tuber.Source{from(a, 0b0011), from(b, 0b1100)},
		Introductions: []tuber.Introduction{a.intro(true), b.intro(true)},
	})
	linked(t, ns, v, a)
	linked(t, ns, v, b)
	linked(t, ns, o, a)
	linked(t, ns, o, b)
	linked(t, ns, a, b)
	for range 4 {
		publish(t, o, ns.Site(), st.segment(25))
	}
	for _, n := range []*node{a, b, v} {
		n.has(t, st.content.ID, 100)
		st.same(n)
	}
	var got uint64
	for _, n := range []*node{v} {
		for _, l := range n.Stats()[ns.Site()].Links {
			if l.Received == 0 {
				t.Errorf("%s got nothing from one of its parents", n.name)
			}
			got += l.Received
		}
	}
	want := uint64(0)
	for _, b := range st.bytes {
		want += uint64(len(b))
	}
	if got != want {
		t.Errorf("the viewer received %d bytes, want %d", got, want)
	}
}

// A peer that comes later gets the live window from its parent, and what is
// older than its assignment by asking for the past.
func TestLateComerGetsThePast(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 4)
	ns.chain(st, o, a)
	linked(t, ns, o, a)
	for range 3 {
		publish(t, o, ns.Site(), st.segment(30))
	}
	a.has(t, st.content.ID, 90)
	v := ns.add("vic", tuber.RoleViewer)
	ns.chain(st, o, a, v)
	v.has(t, st.content.ID, 90)
	st.same(v)
	if got := v.Stats()[ns.Site()].Links; len(got) != 1 || got[0].Peer != a.ID() {
		t.Errorf("got links %v, want one to ann", got)
	}
}

func TestBigPlaylistInParts(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 1)
	for i := 0; len(st.playlist) < 300_000; i++ {
		st.playlist = append(st.playlist, fmt.Sprintf("#EXTINF:2,\n/a/long/enough/name/of/a/segment/%d.ts\n", i)...)
	}
	publish(t, o, ns.Site(), st.segment(3))
	ns.chain(st, o, a)
	linked(t, ns, o, a)
	a.has(t, st.content.ID, 3)
	publish(t, o, ns.Site(), st.segment(3))
	a.has(t, st.content.ID, 6)
	eventually(t, "the playlist is there", func() bool {
		_, playlist := a.chunks.Update(st.content.ID)
		return bytes.Equal(playlist, st.playlist)
	})
}

// An edit that fits nothing makes the receiver ask for the whole playlist.
func TestGapInUpdates(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 1)
	ns.chain(st, o, a)
	l := linked(t, ns, o, a)
	publish(t, o, ns.Site(), st.segment(2))
	a.has(t, st.content.ID, 2)
	lost := st.segment(2) // ann never hears of this one, but the origin thinks so
	o.chunks.AddUpdate(lost.Update, lost.Playlist)
	o.chunks.AddManifest(lost.Manifests[0])
	for _, c := range lost.Chunks {
		if _, err := o.chunks.Put(c); err != nil {
			t.Fatal(err)
		}
	}
	l.mu.Lock()
	f := l.flows[st.content.ID]
	f.out, f.outPlaylist = lost.Update, lost.Playlist
	f.known.add(lost.Manifests[0].Manifest().First)
	l.mu.Unlock()
	publish(t, o, ns.Site(), st.segment(2))
	eventually(t, "the newest playlist is there", func() bool {
		_, playlist := a.chunks.Update(st.content.ID)
		return bytes.Equal(playlist, st.playlist)
	})
	a.has(t, st.content.ID, 6) // the lost chunks by repair
	st.same(a)
}

func TestUpdatesCrossOnce(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 2)
	ns.chain(st, o, a)
	l := linked(t, ns, o, a)
	p := st.segment(10)
	publish(t, o, ns.Site(), p)
	publish(t, o, ns.Site(), p)
	l.sendUpdate(p.Content.ID, p.Update, p.Playlist, p.Manifests)
	l.mu.Lock()
	waiting := len(l.ctl)
	l.mu.Unlock()
	a.has(t, st.content.ID, 10)
	before := l.current().records.Load()
	l.sendUpdate(p.Content.ID, p.Update, p.Playlist, p.Manifests)
	if after := l.current().records.Load(); after != before || waiting > 1 {
		t.Errorf("an update crossed again: %d frames waiting, %d records after %d", waiting, after, before)
	}
}

func TestWithdrawDrops(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 1)
	ns.chain(st, o, a)
	publish(t, o, ns.Site(), st.segment(4))
	linked(t, ns, o, a)
	a.has(t, st.content.ID, 4)
	ns.say(a, withdrawOf(st))
	eventually(t, "the content is gone", func() bool {
		n, _ := a.chunks.count(st.content.ID)
		return n == 0
	})
}

func TestFilledGapIsNoNewsToWhoHasIt(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	a, b := ns.add("ann", tuber.RoleBooster), ns.add("ben", tuber.RoleBooster)
	st := newStream(t, ns.site, 4)
	p := st.segment(100)
	b.chunks.AddManifest(p.Manifests[0])
	for _, c := range p.Chunks {
		if _, err := b.chunks.Put(c); err != nil {
			t.Fatal(err)
		}
	}
	ns.chain(st, a, b)
	l := linked(t, ns, a, b)
	s := l.s
	s.setK(st.content.ID, st.content.K)
	eventually(t, "ann knows what ben has", func() bool { return l.covers(st.content.ID, 0, 99) })
	if err := a.Give(ns.Site(), st.content.ID, p.Manifests, p.Chunks); err != nil {
		t.Fatal(err)
	}
	// Only what may still be under way from another parent crosses.
	aside := int(s.underWay(st.content.ID))
	eventually(t, "the newest were sent", func() bool { return l.hasSent(p.Chunks[99]) })
	sent := 0
	for _, c := range p.Chunks {
		if l.hasSent(c) {
			sent++
		}
	}
	if sent != aside || aside == 0 || aside > 50 {
		t.Errorf("%d chunks were sent again, want the newest %d", sent, aside)
	}
}
