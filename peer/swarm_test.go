package peer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

// patience is how long a test waits for what must come.
const patience = 15 * time.Second

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// script is a planner that says what a test tells it to say: it admits
// everyone, relays signals and keeps what it was told.
type script struct {
	t       testing.TB
	ctx     context.Context
	site    ed25519.PrivateKey
	key     ed25519.PrivateKey
	cert    []byte
	wg      sync.WaitGroup
	refuse  func(wire.Join) *wire.Refused
	stun    []string      // that its welcome names
	changed chan struct{} // guarded by mu: closed at each change

	mu      sync.Mutex // guards the fields below
	away    bool
	conns   map[tuber.PeerID]control.Conn
	joins   map[tuber.PeerID][]wire.Join
	reports map[tuber.PeerID][]wire.Report
	means   map[tuber.PeerID]tuber.Means
	plans   map[tuber.PeerID]*tuber.PeerPlan
	version tuber.Version
	mute    func(from tuber.PeerID, s wire.Signal) bool // signals that get lost
	mangle  func(*wire.Signal)                          // signals that a planner falsifies
	signals int
}

func newScript(t testing.TB, ctx context.Context) *script {
	s := &script{
		t: t, ctx: ctx, site: newKey(t), key: newKey(t), changed: make(chan struct{}),
		conns: map[tuber.PeerID]control.Conn{}, joins: map[tuber.PeerID][]wire.Join{},
		reports: map[tuber.PeerID][]wire.Report{}, means: map[tuber.PeerID]tuber.Means{}, plans: map[tuber.PeerID]*tuber.PeerPlan{},
	}
	s.cert = tuber.SignCertificate(s.site, tuber.Certificate{
		Planner: tuber.PublicKeyOf(s.key), Epoch: 1, Expires: tuber.MillisOf(time.Now().Add(time.Hour)),
	})
	return s
}

func (s *script) Site() tuber.PublicKey { return tuber.PublicKeyOf(s.site) }

var errAway = errors.New("the planner is away")

func (s *script) dial(context.Context) (control.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	a, b := control.Pipe()
	s.wg.Go(func() { s.serve(b) })
	return a, nil
}

func (s *script) serve(conn control.Conn) {
	defer conn.Close()
	j, err := control.Admit(s.ctx, conn, control.Authority{
		Key: s.key, Certificate: s.cert, Epoch: 1, STUN: s.stun, Now: tuber.MillisOf(time.Now()),
	}, func(j wire.Join) *wire.Refused {
		if s.refuse != nil {
			return s.refuse(j)
		}
		return nil
	})
	if err != nil {
		return
	}
	id := j.Key.PeerID()
	s.mu.Lock()
	s.conns[id] = conn
	s.joins[id] = append(s.joins[id], j)
	plan := s.plans[id]
	s.changeLocked()
	s.mu.Unlock()
	if plan != nil {
		_ = conn.Send(s.ctx, wire.Plan{PeerPlan: *plan})
	}
	for {
		m, err := conn.Receive(s.ctx)
		if err != nil {
			return
		}
		s.heard(id, conn, m)
	}
}

func (s *script) heard(id tuber.PeerID, conn control.Conn, m wire.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := m.(type) {
	case wire.Signal:
		s.signals++
		if s.mangle != nil {
			s.mangle(&m)
		}
		if to := s.conns[m.Peer]; to != nil && (s.mute == nil || !s.mute(id, m)) {
			m.Peer = id
			_ = to.Send(s.ctx, m)
		}
	case wire.Report:
		s.reports[id] = append(s.reports[id], m)
	case wire.Means:
		s.means[id] = m.Means
	case wire.Alive:
		_ = conn.Send(s.ctx, wire.Alive{})
	}
	s.changeLocked()
}

func (s *script) changeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// until waits for what ok says, looking again at each change.
func (s *script) until(what string, ok func() bool) {
	s.t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		done, changed := ok(), s.changed
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-limit:
			s.t.Fatalf("gave up waiting until %s", what)
		}
	}
}

// plan says it to a peer, now and whenever it joins again.
func (s *script) plan(to *node, p tuber.PeerPlan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	p.Epoch, p.Version = 1, s.version
	s.plans[to.ID()] = &p
	if c := s.conns[to.ID()]; c != nil {
		_ = c.Send(s.ctx, wire.Plan{PeerPlan: p})
	}
}

func (s *script) say(to *node, m wire.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conns[to.ID()]; c != nil {
		_ = c.Send(s.ctx, m)
	}
}

// setAway breaks all sessions and takes no new ones, or takes them again.
func (s *script) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
	if away {
		for id, c := range s.conns {
			c.Close()
			delete(s.conns, id)
		}
	}
}

// node is a peer in a test's swarm.
type node struct {
	*Peer
	name   string
	key    ed25519.PrivateKey
	chunks *memory
	rest   Chunks     // what Join is given: chunks, but in benches
	left   chan error // what Join returned
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nodes is a swarm of a test: everything ends with the test.
type nodes struct {
	*script
	stop context.CancelFunc
	wg   sync.WaitGroup
}

func newNodes(t testing.TB) *nodes {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ns := &nodes{script: newScript(t, ctx), stop: cancel}
	t.Cleanup(func() {
		cancel()
		ns.wg.Wait()
		ns.script.wg.Wait()
	})
	return ns
}

type option func(*Config)

func (ns *nodes) add(name string, role tuber.Role, opts ...option) *node {
	ns.t.Helper()
	n := ns.bare(name, role, opts...)
	ns.join(n)
	return n
}

func (ns *nodes) join(n *node) {
	ns.t.Helper()
	n.left = make(chan error, 1)
	ns.wg.Go(func() {
		n.left <- n.Join(ns.ctx, Membership{
			Site: ns.Site(), Name: n.name, Chunks: n.rest, Dial: ns.dial, Means: tuber.Means{Upload: 10e6, Relay: true},
		})
	})
	ns.until(n.name+" has joined", func() bool { return ns.conns[n.ID()] != nil })
}

// bare is a running peer that has not joined.
func (ns *nodes) bare(name string, role tuber.Role, opts ...option) *node {
	ns.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		ns.t.Fatal(err)
	}
	cfg := Config{Key: newKey(ns.t), Role: role, Conn: conn, AllowPrivate: true}
	for _, o := range opts {
		o(&cfg)
	}
	p, err := New(cfg)
	if err != nil {
		ns.t.Fatal(err)
	}
	m := newMemory()
	n := &node{Peer: p, name: name, key: cfg.Key, chunks: m, rest: m}
	ns.wg.Go(func() {
		if err := p.Run(ns.ctx); err != nil {
			ns.t.Errorf("run %s: %v", name, err)
		}
	})
	return n
}

func (n *node) intro(offer bool) tuber.Introduction {
	return tuber.Introduction{Peer: n.ID(), Key: tuber.PublicKeyOf(n.key), Role: n.cfg.Role, Offer: offer}
}

// has waits until n holds count chunks of c.
func (n *node) has(t testing.TB, c tuber.ContentID, count int) {
	t.Helper()
	limit := time.After(patience)
	for {
		got, changed := n.chunks.count(c)
		if got >= count {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("%s holds %d chunks, want %d", n.name, got, count)
		}
	}
}

func publish(t testing.TB, o *node, site tuber.PublicKey, p Publication) {
	t.Helper()
	if err := o.Publish(site, p); err != nil {
		t.Fatal(err)
	}
}

// assign is an assignment of all partitions.
func assign(st *stream, to *node) tuber.Assignment {
	return tuber.Assignment{
		Content: st.content.ID, Partitions: tuber.AllPartitions(st.content.K), To: to.ID(), Rate: st.content.Rate, Priority: 10,
	}
}

func source(st *stream, from *node, standby bool) tuber.Source {
	return tuber.Source{Content: st.content.ID, Partitions: tuber.AllPartitions(st.content.K), From: from.ID(), Standby: standby}
}

// chain makes each node feed the next one; the later one offers.
func (ns *nodes) chain(st *stream, list ...*node) {
	for i, n := range list {
		var p tuber.PeerPlan
		if i > 0 {
			p.Introductions = append(p.Introductions, list[i-1].intro(true))
			p.Sources = append(p.Sources, source(st, list[i-1], false))
		}
		if i+1 < len(list) {
			p.Introductions = append(p.Introductions, list[i+1].intro(false))
			p.Assignments = append(p.Assignments, assign(st, list[i+1]))
		}
		ns.plan(n, p)
	}
}

func TestTwoPeers(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, b := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 4)
	first := st.segment(40)
	ns.chain(st, o, b)
	publish(t, o, ns.Site(), first)
	publish(t, o, ns.Site(), st.segment(40))
	b.has(t, st.content.ID, 80)
	publish(t, o, ns.Site(), st.segment(40))
	b.has(t, st.content.ID, 120)
	st.same(b)
	u, playlist := b.chunks.Update(st.content.ID)
	if u == nil || !bytes.Equal(playlist, st.playlist) {
		t.Errorf("playlist of %d bytes, want %d", len(playlist), len(st.playlist))
	}
}
