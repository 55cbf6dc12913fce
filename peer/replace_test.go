package peer

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// Lanes wear out while a stream flows: no chunk is lost, none comes twice, and
// the link stays the same.
func TestLaneIsReplaced(t *testing.T) {
	for name, wear := range map[string]func(*node){
		"by records": func(n *node) { n.maxRecords = 400 },
		"by age":     func(n *node) { n.maxAge = time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			replaced(t, wear)
		})
	}
}

func replaced(t *testing.T, wear func(*node)) {
	ns := newNodes(t)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.bare("ann", tuber.RoleBooster)
	wear(a)
	ns.join(a)
	st := newStream(t, ns.site, 2)
	ns.chain(st, o, a)
	l := linked(t, ns, o, a)
	first := l.current()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	lanes, total := map[*lane]bool{first: true}, 0
	for limit := time.After(patience); len(lanes) < 3; {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("got %d lanes, want 3", len(lanes))
		}
		publish(t, o, ns.Site(), st.segment(2))
		total += 2
		lanes[l.current()] = true
	}
	a.has(t, st.content.ID, total)
	st.same(a)
	if linked(t, ns, o, a) != l {
		t.Error("the link was broken by the replacement of its lane")
	}
	var want uint64
	for _, b := range st.bytes {
		want += uint64(len(b))
	}
	if got := o.Stats()[ns.Site()].Sent; got != want {
		t.Errorf("the origin sent %d bytes, want each once: %d", got, want)
	}
	<-first.down // the old lane is closed in the end
}

// withStandby has ann feed vic and ben stand by, both fed by the origin.
func withStandby(t *testing.T, opts ...option) (ns *nodes, st *stream, o, a, v *node) {
	t.Helper()
	ns = newNodes(t)
	o, a = ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster, opts...)
	b := ns.add("ben", tuber.RoleBooster)
	v = ns.add("vic", tuber.RoleViewer)
	st = newStream(t, ns.site, 2)
	ns.plan(o, tuber.PeerPlan{
		Assignments:   []tuber.Assignment{assign(st, a), assign(st, b)},
		Introductions: []tuber.Introduction{a.intro(false), b.intro(false)},
	})
	for _, n := range []*node{a, b} {
		p := tuber.PeerPlan{
			Introductions: []tuber.Introduction{o.intro(true), v.intro(false)},
			Sources:       []tuber.Source{source(st, o, false)},
		}
		if n == a {
			p.Assignments = []tuber.Assignment{assign(st, v)}
		}
		ns.plan(n, p)
		linked(t, ns, o, n)
	}
	ns.plan(v, tuber.PeerPlan{
		Introductions: []tuber.Introduction{a.intro(true), b.intro(true)},
		Sources:       []tuber.Source{source(st, a, false), source(st, b, true)},
	})
	linked(t, ns, v, a)
	linked(t, ns, b, v)
	publish(t, o, ns.Site(), st.segment(6))
	v.has(t, st.content.ID, 6)
	return ns, st, o, a, v
}

// A parent that dies leaves orphans, which ask its standby at once.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	ns, st, o, a, v := withStandby(t)
	dying := linked(t, ns, a, v)
	ns.plan(a, tuber.PeerPlan{}) // ann lets go of everyone
	<-dying.ctx.Done()
	publish(t, o, ns.Site(), st.segment(6))
	v.has(t, st.content.ID, 12)
	st.same(v)
}

// deaf is a socket that can be cut off without anybody being told.
type deaf struct {
	net.PacketConn
	cut atomic.Bool
}

func (d *deaf) WriteTo(b []byte, to net.Addr) (int, error) {
	if d.cut.Load() {
		return len(b), nil
	}
	return d.PacketConn.WriteTo(b, to)
}

// A parent that hangs is not waited for: its standby is asked while the link to it
// is still open.
func TestStandbyStandsInForTheSilent(t *testing.T) {
	t.Parallel()
	line := &deaf{}
	ns, st, o, a, v := withStandby(t, func(c *Config) { line.PacketConn, c.Conn = c.Conn, line })
	hanging := linked(t, ns, v, a)
	line.cut.Store(true)
	publish(t, o, ns.Site(), st.segment(6))
	v.has(t, st.content.ID, 12)
	st.same(v)
	if hanging.ctx.Err() != nil {
		t.Error("void: the link had ended")
	}
}

// What does not come is asked for: of a standby first.
func TestRepair(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, a, v := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster), ns.add("ben", tuber.RoleBooster)
	st := newStream(t, ns.site, 2)
	// ben's source ann names the manifests but never sends partition 1.
	half := assign(st, v)
	half.Partitions = 0b01
	ns.plan(o, tuber.PeerPlan{Assignments: []tuber.Assignment{assign(st, a)},
		Introductions: []tuber.Introduction{a.intro(false), v.intro(false)}})
	ns.plan(a, tuber.PeerPlan{Assignments: []tuber.Assignment{half}, Sources: []tuber.Source{source(st, o, false)},
		Introductions: []tuber.Introduction{o.intro(true), v.intro(false)}})
	ns.plan(v, tuber.PeerPlan{Sources: []tuber.Source{source(st, a, false), source(st, o, true)},
		Introductions: []tuber.Introduction{o.intro(true), a.intro(true)}})
	linked(t, ns, o, a)
	linked(t, ns, o, v)
	linked(t, ns, a, v)
	for range 3 {
		publish(t, o, ns.Site(), st.segment(10))
	}
	v.has(t, st.content.ID, 30)
	st.same(v)
	for _, l := range v.Stats()[ns.Site()].Links {
		if l.Peer == o.ID() && l.Received == 0 {
			t.Error("the standby was not asked")
		}
	}
}

// What is behind on a full line still comes: nobody else is asked for it, or it
// would come twice.
func TestBehindIsNotLate(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o := ns.add("origin", tuber.RoleOrigin)
	a := ns.add("ann", tuber.RoleBooster, func(c *Config) { c.Uplink = tuber.NewUplink(2e6) })
	v := ns.add("ben", tuber.RoleBooster)
	st := newStream(t, ns.site, 2)
	ns.plan(o, tuber.PeerPlan{Assignments: []tuber.Assignment{assign(st, a)},
		Introductions: []tuber.Introduction{a.intro(false), v.intro(false)}})
	ns.plan(a, tuber.PeerPlan{Assignments: []tuber.Assignment{assign(st, v)}, Sources: []tuber.Source{source(st, o, false)},
		Introductions: []tuber.Introduction{o.intro(true), v.intro(false)}})
	ns.plan(v, tuber.PeerPlan{Sources: []tuber.Source{source(st, a, false), source(st, o, true)},
		Introductions: []tuber.Introduction{o.intro(true), a.intro(true)}})
	linked(t, ns, o, a)
	linked(t, ns, o, v)
	swarm := linked(t, ns, v, a).s
	publish(t, o, ns.Site(), st.segment(2))
	v.has(t, st.content.ID, 2)
	eventually(t, "what ben asked for as the past is here", func() bool {
		swarm.mu.Lock()
		defer swarm.mu.Unlock()
		return swarm.wants[st.content.ID] == nil
	})
	publish(t, o, ns.Site(), st.segment(30)) // 3.9 Mbit: 2 s of ann's line
	v.has(t, st.content.ID, 32)
	st.same(v)
	for _, l := range v.Stats()[ns.Site()].Links {
		if l.Peer == o.ID() && l.Received > 0 {
			t.Errorf("the standby sent %d bytes of what was on its way", l.Received)
		}
	}
}
