package swarmtest

import (
	"context"
	"crypto/ed25519"
	"net"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
)

// Actor is somebody in a story. Its verbs return at once; the stage waits for
// what they started.
type Actor struct {
	s    *Stage
	name string
	key  ed25519.PrivateKey
	id   tuber.PeerID

	peer   *peer.Peer
	conn   *shaped
	chunks *shelf
	cancel context.CancelFunc
	ended  chan struct{} // closed once the membership is over

	mu      sync.Mutex // guards the fields below
	role    tuber.Role
	means   tuber.Means // as it declares them
	joined  int
	left    time.Time // zero while here
	plan    *tuber.PeerPlan
	http    []tuber.ChunkNumber // fetched outside the swarm
	liar    bool
	refused error
}

func newActor(s *Stage, name string) *Actor {
	key := keyOf(name)
	return &Actor{s: s, name: name, key: key, id: tuber.PublicKeyOf(key).PeerID(), ended: make(chan struct{})}
}

// Watch opens the page.
func (a *Actor) Watch() *Actor { return a.WatchBehind(home) }

// WatchBehind is Watch on a line that is not like the others'; what it declares is.
func (a *Actor) WatchBehind(l line) *Actor {
	a.s.t.Helper()
	a.enter(tuber.RoleViewer, 10e6, l)
	a.s.wg.Go(a.play)
	return a
}

// Boost is a friend's PC that gives so much.
func (a *Actor) Boost(upload tuber.BitsPerSecond) *Actor {
	a.s.t.Helper()
	return a.boost(upload, home)
}

// Boast is a booster that declares ten times what its line carries.
func (a *Actor) Boast(upload tuber.BitsPerSecond) *Actor {
	a.s.t.Helper()
	narrow := home
	narrow.rate = upload
	return a.boost(10*upload, narrow)
}

func (a *Actor) boost(upload tuber.BitsPerSecond, l line) *Actor {
	a.s.t.Helper()
	_ = a.s.book.SaveBooster(tuber.BoosterRecord{ID: a.id, Key: tuber.PublicKeyOf(a.key), Name: a.name})
	a.enter(tuber.RoleBooster, upload, l)
	return a
}

// Hide puts the tab into the background: from now on it gives nothing.
func (a *Actor) Hide() {
	a.s.t.Helper()
	at := step()
	a.flowed(at)
	means := a.means
	means.Upload, means.Relay = 0, false
	if err := a.peer.SetMeans(a.s.Site(), means); err != nil {
		a.s.t.Fatalf("%s: %v", at, err)
	}
}

// enter makes the peer and keeps it in the swarm until it leaves or dies.
func (a *Actor) enter(role tuber.Role, upload tuber.BitsPerSecond, l line) {
	s := a.s
	s.t.Helper()
	at := step()
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	st, err := store.New(store.Options{Site: s.Site()}) // memory only
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	a.role, a.chunks, a.conn = role, newShelf(a, st), shape(udp, l, uint64(a.id[0])<<8|uint64(a.id[1]))
	a.peer, err = peer.New(peer.Config{Key: a.key, Role: role, Conn: a.conn, AllowPrivate: true, Log: s.log.With("who", a.name)})
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	var ctx context.Context
	ctx, a.cancel = context.WithCancel(s.ctx)
	s.wg.Go(func() {
		if err := a.peer.Run(ctx); err != nil {
			s.t.Errorf("%s: run %s: %v", at, a.name, err)
		}
	})
	m := peer.Membership{
		Site: s.Site(), Name: a.name, Chunks: a.chunks, Dial: s.dial, Joined: a.onJoined, Planned: a.onPlan,
		Means: tuber.Means{Upload: upload, Relay: true, Reach: tuber.ReachPunchable, Quota: 1 << 30},
	}
	if role == tuber.RoleViewer {
		m.Ticket = s.ticket
	} else {
		m.Means.Reach = tuber.ReachDialable
	}
	a.means = m.Means
	s.wg.Go(func() {
		defer close(a.ended)
		err := a.peer.Join(ctx, m)
		a.mu.Lock()
		a.refused = err
		a.mu.Unlock()
	})
}

func (a *Actor) onJoined() {
	a.mu.Lock()
	a.joined++
	a.mu.Unlock()
	if a.role == tuber.RoleViewer {
		_ = a.peer.SetWant(a.s.Site(), []tuber.ContentID{a.s.content().ID}) // it fails only once the peer has gone
	}
}

func (a *Actor) onPlan(p *tuber.PeerPlan) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plan = p
}

func (a *Actor) joins() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.joined
}

// children is how many partitions the plan has it send.
func (a *Actor) children() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	if a.plan != nil {
		for _, x := range a.plan.Assignments {
			n += x.Partitions.Len()
		}
	}
	return n
}

// IsTrustedWith waits until the plan has it send no more than that.
func (a *Actor) IsTrustedWith(most tuber.BitsPerSecond) *Actor {
	a.s.t.Helper()
	const reports = 4 * tuber.ReportEvery // trust shrinks by so much with each
	a.s.await(step(), a.name+": is given no more than it can send", reports, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.plan == nil {
			return false
		}
		var sum tuber.BitsPerSecond
		for _, x := range a.plan.Assignments {
			sum += x.Rate
		}
		return sum <= most
	})
	return a
}

func (a *Actor) planEpoch() tuber.Epoch {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.plan == nil {
		return 0
	}
	return a.plan.Epoch
}

func (a *Actor) until(what string, ok func() bool) {
	a.s.t.Helper()
	a.s.await(step(), a.name+": "+what, patience, ok)
}

// sent is the payload that it gave to its links.
func (a *Actor) sent() uint64 { return a.peer.Stats()[a.s.Site()].Sent }

// Carries waits until it sends to others: a fault before that would be void.
func (a *Actor) Carries() *Actor {
	a.s.t.Helper()
	a.until("carries chunks to others", func() bool { return a.children() > 0 && a.sent() > 4*chunkSize })
	return a
}

// HasCarried waits until it has sent to others, whether or not it still does.
func (a *Actor) HasCarried() *Actor {
	a.s.t.Helper()
	a.until("has carried chunks to others", func() bool { return a.sent() > 4*chunkSize })
	return a
}

// Leave closes the page or the program: neighbours are told.
func (a *Actor) Leave() {
	a.s.t.Helper()
	a.flowed(step())
	_ = a.peer.Leave(a.s.Site(), false) // it fails only where nobody joined
	a.goes()
}

// Die ends it without a word to its neighbours.
func (a *Actor) Die() {
	a.s.t.Helper()
	a.flowed(step())
	a.conn.cut.Store(true)
	a.goes()
}

// Hang leaves its session with the planner alive and its socket deaf and mute.
func (a *Actor) Hang() {
	a.s.t.Helper()
	at := step()
	a.flowed(at)
	if a.sent() == 0 {
		a.s.t.Fatalf("%s: void: %s carried nothing before it hung", at, a.name)
	}
	a.conn.cut.Store(true)
}

func (a *Actor) goes() {
	a.mu.Lock()
	a.left = time.Now()
	a.mu.Unlock()
	a.cancel()
}

// flowed makes a story void in which nothing reached somebody before its fault.
func (a *Actor) flowed(at string) {
	a.s.t.Helper()
	if a.chunks == nil || a.chunks.count() == 0 {
		a.s.t.Fatalf("%s: void: no chunk had reached %s", at, a.name)
	}
}

// Lie makes it falsify, from now on, every chunk that it passes on.
func (a *Actor) Lie() {
	a.s.t.Helper()
	at := step()
	a.flowed(at)
	if a.sent() == 0 {
		a.s.t.Fatalf("%s: void: %s carried nothing before it lied", at, a.name)
	}
	a.mu.Lock()
	a.liar = true
	a.mu.Unlock()
	a.chunks.lie()
	a.s.wg.Go(a.falsify)
}
