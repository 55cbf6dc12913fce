package planner

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryBook is a Book that forgets.
type memoryBook struct {
	mu       sync.Mutex // guards the fields below
	secrets  map[tuber.Digest]error
	boosters map[tuber.PeerID]tuber.BoosterRecord
}

func newBook() *memoryBook {
	return &memoryBook{secrets: map[tuber.Digest]error{}, boosters: map[tuber.PeerID]tuber.BoosterRecord{}}
}

func (b *memoryBook) Enrol(secret tuber.Digest, r tuber.BoosterRecord, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err, ok := b.secrets[secret]
	if !ok {
		return tuber.ErrInviteUnknown
	}
	if err != nil {
		return err
	}
	b.secrets[secret] = tuber.ErrInviteUsed
	b.boosters[r.ID] = r
	return nil
}

func (b *memoryBook) Booster(id tuber.PeerID) (tuber.BoosterRecord, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.boosters[id]
	return r, ok, nil
}

func (b *memoryBook) SaveBooster(r tuber.BoosterRecord) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.boosters[r.ID] = r
	return nil
}

func (b *memoryBook) RemoveBooster(id tuber.PeerID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.boosters, id)
	return nil
}

// house is a planner that runs, in a synctest bubble.
type house struct {
	t       *testing.T
	ctx     context.Context
	site    ed25519.PrivateKey
	book    *memoryBook
	planner *Planner
	stop    context.CancelFunc // of the planner, as a crash would
	running *sync.WaitGroup
	content tuber.Content
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, ctx: t.Context(), site: testKey("site"), book: newBook(), content: testContent("/live.m3u8", 4, 1.5e6)}
	h.start(1)
	return h
}

// start starts a planner of this epoch; stop ends it.
func (h *house) start(epoch tuber.Epoch) {
	key := testKey(fmt.Sprint("planner", epoch))
	h.planner = New(Config{
		Key: key, Site: tuber.PublicKeyOf(h.site), Epoch: epoch, Origin: tuber.PublicKeyOf(testKey("origin")).PeerID(), Book: h.book,
		Certificate: func() []byte {
			return tuber.SignCertificate(h.site, tuber.Certificate{
				Planner: tuber.PublicKeyOf(key), Epoch: epoch, Expires: tuber.MillisOf(time.Now().Add(tuber.CertificateLife)),
			})
		},
	})
	h.running = &sync.WaitGroup{}
	var ctx context.Context
	ctx, h.stop = context.WithCancel(h.ctx)
	p := h.planner
	h.running.Go(func() { _ = p.Run(ctx) })
	p.SetContents([]tuber.Content{h.content})
}

func (h *house) close() {
	h.stop()
	h.running.Wait()
}

// guest is one peer's end of its control connection.
type guest struct {
	h      *house
	key    ed25519.PrivateKey
	id     tuber.PeerID
	role   tuber.Role
	conn   control.Conn
	served chan error
	heard  []wire.Message
	plan   *tuber.PeerPlan
	done   chan struct{}
	mu     sync.Mutex // guards heard and plan
}

// join lets somebody join and read what comes.
func (h *house) join(name string, role tuber.Role, change ...func(*wire.Join)) (*guest, error) {
	key := testKey(name)
	g := &guest{h: h, key: key, role: role, id: tuber.PublicKeyOf(key).PeerID(), served: make(chan error, 1), done: make(chan struct{})}
	fingerprint := tuber.Fingerprint{1}
	j := wire.Join{
		Role: role, Fingerprint: fingerprint[:],
		Means:   tuber.Means{Upload: 10e6, Relay: true, Reach: tuber.ReachPunchable, Quota: 1 << 30},
		Changes: true,
	}
	switch role {
	case tuber.RoleViewer:
		j.Ticket = h.planner.Ticket(fingerprint)
	case tuber.RoleBooster:
		_ = h.book.SaveBooster(tuber.BoosterRecord{ID: g.id, Key: tuber.PublicKeyOf(key), Name: name})
	}
	for _, f := range change {
		f(&j)
	}
	return g, g.connect(j)
}

func (g *guest) connect(j wire.Join) error {
	ours, theirs := control.Pipe()
	g.conn = ours
	p := g.h.planner
	go func() { g.served <- p.Serve(g.h.ctx, theirs) }()
	_, err := control.Join(g.h.ctx, ours, control.Identity{Key: g.key, Site: tuber.PublicKeyOf(g.h.site), Join: j})
	if err != nil {
		_ = ours.Close()
		<-g.served
		close(g.done)
		return err
	}
	go g.listen(ours)
	synctest.Wait() // until it is entered
	return nil
}

func (g *guest) listen(conn control.Conn) {
	defer close(g.done)
	var heard *tuber.PeerPlan
	for {
		m, err := conn.Receive(g.h.ctx)
		if err != nil {
			return
		}
		if m, err = wire.WholePlan(m, &heard); err != nil {
			g.h.t.Error(err)
			return
		}
		g.mu.Lock()
		g.heard = append(g.heard, m)
		if p, ok := m.(wire.Plan); ok && (g.plan == nil || p.Newer(g.plan)) {
			g.plan = &p.PeerPlan
		}
		g.mu.Unlock()
	}
}

func (g *guest) say(m wire.Message) {
	if err := g.conn.Send(g.h.ctx, m); err != nil {
		g.h.t.Errorf("say %T: %v", m, err)
	}
}

func (g *guest) want() { g.say(wire.Want{Contents: []tuber.ContentID{g.h.content.ID}}) }

// hangUp closes the connection without a word, and waits for both ends.
func (g *guest) hangUp() error {
	_ = g.conn.Close()
	<-g.done
	return <-g.served
}

// lastPlan is the newest plan that came.
func (g *guest) lastPlan() *tuber.PeerPlan {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.plan == nil {
		return &tuber.PeerPlan{}
	}
	return g.plan
}

// got lists the messages of one kind that came.
func got[M wire.Message](g *guest) []M {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []M
	for _, m := range g.heard {
		if m, ok := m.(M); ok {
			out = append(out, m)
		}
	}
	return out
}

// must joins and fails the test otherwise.
func (h *house) must(name string, role tuber.Role, change ...func(*wire.Join)) *guest {
	h.t.Helper()
	g, err := h.join(name, role, change...)
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	return g
}

// story runs in a bubble with a planner; guests still there hang up at the end.
func story(t *testing.T, tell func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		tell(h)
		h.close()
		synctest.Wait()
	})
}

// passes lets time pass while these keep their leases.
func passes(d time.Duration, alive ...*guest) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for _, g := range alive {
			g.say(wire.Alive{})
		}
		<-time.After(min(10*time.Second, time.Until(end)))
		synctest.Wait()
	}
}

// refusal is the code of a refusal, or "".
func refusal(err error) wire.Code {
	var r *control.RefusedError
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// last is the code of the refusal that came last.
func (g *guest) last() wire.Code {
	if r := got[wire.Refused](g); len(r) > 0 {
		return r[len(r)-1].Code
	}
	return ""
}

func sources(p *tuber.PeerPlan, from tuber.PeerID) tuber.Partitions {
	var out tuber.Partitions
	for _, s := range p.Sources {
		if s.From == from && !s.Standby {
			out |= s.Partitions
		}
	}
	return out
}
