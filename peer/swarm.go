package peer

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/internal/beat"
	"github.com/tubercdn/tuber/wire"
)

const (
	// Repairs, pulls, pings and parked chunks: at work, and a rest more while
	// nothing is wanted.
	tickEvery = 50 * time.Millisecond
	tickRest  = 450 * time.Millisecond

	fullAfter = 2 * time.Second // that a chunk waits which the plan wants, a line counts as full: no asks are taken on

	maxQuarantined = 4096
	shunFor        = 10 * time.Minute // a peer of another version, or one that could not prove itself

	// A chunk waits in a queue for as long as its playlist is of use: three
	// target durations (design section 4), within these bounds.
	minLife, maxLife = 2 * time.Second, 30 * time.Second
)

// swarm is one membership: the neighbours of one host's contents.
type swarm struct {
	peer *Peer
	site tuber.PublicKey
	m    Membership
	log  *slog.Logger

	ctx     context.Context // ends with the membership
	cancel  context.CancelFunc
	tasks   sync.WaitGroup // everything that Join waits for
	reports chan struct{}  // capacity 1: report at once
	born    time.Time
	beat    *beat.Beat  // of tick
	full    atomic.Bool // what the plan wants waits too long here for more to be taken on

	mu          sync.Mutex // guards the fields below
	conn        control.Conn
	offset      time.Duration // the origin's clock minus ours
	means       tuber.Means   // the owner's
	told        tuber.Means   // to the planner of this session
	want        wire.Want
	stun        []netip.AddrPort // the planner's STUN servers
	plan        *tuber.PeerPlan
	intros      map[tuber.PeerID]tuber.Introduction
	keepers     map[tuber.PeerID]context.CancelFunc // of the introductions that this side offers
	openings    map[tuber.PeerID]*opening
	offered     map[tuber.PeerID]*allowance // offers taken from a neighbour
	early       []wire.Signal               // offers that came before their introduction
	links       map[tuber.PeerID]*link
	contents    map[tuber.ContentID]tuber.Content
	ks          map[tuber.ContentID]int
	wants       map[tuber.ContentID]*wantSet
	sends, gets legs // of plans before, that go on for a while
	pulled      map[tuber.ContentID]*pull
	quarantined map[tuber.PeerID]time.Time
	shunned     map[tuber.PeerID]time.Time
	gone        map[tuber.PeerID]*tuber.LinkReport // of links that ended since the last report
	sent        uint64                             // of links that ended
	received    uint64
	rooted      uint64 // of received, from the origin's own peer
}

func newSwarm(p *Peer, ctx context.Context, m Membership) *swarm {
	s := &swarm{
		peer: p, site: m.Site, m: m, means: m.Means, reports: make(chan struct{}, 1), born: time.Now(),
		beat:        beat.New(tickEvery, tickRest),
		log:         p.log.With("swarm", m.Site.PeerID().String()[:8]),
		intros:      make(map[tuber.PeerID]tuber.Introduction),
		keepers:     make(map[tuber.PeerID]context.CancelFunc),
		openings:    make(map[tuber.PeerID]*opening),
		links:       make(map[tuber.PeerID]*link),
		offered:     make(map[tuber.PeerID]*allowance),
		pulled:      make(map[tuber.ContentID]*pull),
		contents:    make(map[tuber.ContentID]tuber.Content),
		ks:          make(map[tuber.ContentID]int),
		wants:       make(map[tuber.ContentID]*wantSet),
		sends:       make(legs),
		gets:        make(legs),
		quarantined: make(map[tuber.PeerID]time.Time),
		shunned:     make(map[tuber.PeerID]time.Time),
		gone:        make(map[tuber.PeerID]*tuber.LinkReport),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// tick does what time alone brings about.
func (s *swarm) tick() {
	ranges := time.Now()
	for work := false; s.beat.Wait(s.ctx, work); {
		now := time.Now()
		work = false
		full := false
		for _, l := range s.allLinks() {
			parked := l.tick(now)
			work = work || parked
			full = full || l.behind(now) > fullAfter
		}
		s.full.Store(full && s.peer.cfg.Role != tuber.RoleOrigin)
		s.tellMeans()
		wanting := s.repair(now)
		pulling, overlapping := s.pull(now), s.overlap(now)
		work = work || wanting || pulling || overlapping
		if now.Sub(ranges) >= tuber.ReportEvery {
			ranges = now
			for _, l := range s.allLinks() {
				s.sendRanges(l)
			}
		}
	}
}

func (s *swarm) allLinks() []*link {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*link, 0, len(s.links))
	for _, l := range s.links {
		out = append(out, l)
	}
	return out
}

func (s *swarm) link(id tuber.PeerID) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[id]
}

// now is the origin's clock.
func (s *swarm) now() tuber.Millis {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tuber.MillisOf(time.Now().Add(s.offset))
}

// shares tells whether the content is one that the planner or this side's own
// plan named: a neighbour cannot make this peer hold anything else.
func (s *swarm) shares(c tuber.ContentID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.contents[c]; ok {
		return true
	}
	if s.plan == nil {
		return false
	}
	return slices.ContainsFunc(s.plan.Sources, func(x tuber.Source) bool { return x.Content == c }) ||
		slices.ContainsFunc(s.plan.Assignments, func(x tuber.Assignment) bool { return x.Content == c }) ||
		slices.ContainsFunc(s.plan.Holds, func(x tuber.Hold) bool { return x.Content == c })
}

// k is the content's number of partitions, 0 if it is not known yet.
func (s *swarm) k(c tuber.ContentID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ks[c]
}

func (s *swarm) setK(c tuber.ContentID, k int) {
	if k != 1 && k != 2 && k != 4 && k != 8 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ks[c] = k
}

// life is how long a chunk of the content is of use to a neighbour.
func (s *swarm) life(c tuber.ContentID) time.Duration {
	u, _ := s.m.Chunks.Update(c)
	if u == nil {
		return maxLife
	}
	return min(max(3*time.Duration(u.Update().Target)*time.Millisecond, minLife), maxLife)
}

// class is what this peer's own pushes are on the uplink.
func (s *swarm) class() tuber.Class {
	if s.peer.cfg.Role == tuber.RoleOrigin {
		return tuber.ClassRoot
	}
	return tuber.ClassRest
}

// nextNumber is the first number that no manifest names yet.
func (s *swarm) nextNumber(c tuber.ContentID) tuber.ChunkNumber {
	if ms := s.m.Chunks.Manifests(c, 0); len(ms) > 0 {
		return ms[len(ms)-1].Manifest().Next()
	}
	return 0
}

func (s *swarm) sendRanges(l *link) {
	for i, c := range s.m.Chunks.Contents() {
		if r, ok := s.m.Chunks.Range(c); ok && i < maxFlows {
			l.send(wire.Range{Range: r})
		}
	}
}

// retryParked looks again at the chunks that waited for manifests of c. Blame
// falls on the link that brought the chunk.
func (s *swarm) retryParked(c tuber.ContentID, now *link) error {
	for _, l := range s.allLinks() {
		if l == now {
			continue
		}
		if err := l.retryParked(c); err != nil {
			l.punish(l.current(), err)
		}
	}
	return now.retryParked(c)
}

// attach makes a proved lane the one of its link.
func (s *swarm) attach(in tuber.Introduction, ln *lane) bool {
	s.mu.Lock()
	_, known := s.intros[in.Peer]
	_, bad := s.quarantined[in.Peer]
	if s.ctx.Err() != nil || !known || bad {
		s.mu.Unlock()
		return false
	}
	l := s.links[in.Peer]
	begin := l == nil
	if begin {
		l = newLink(s, in)
		s.links[in.Peer] = l
		s.beat.Wake()
	}
	old := l.use(ln)
	s.mu.Unlock()
	s.tasks.Go(func() { l.serve(ln) })
	if old != nil {
		s.tasks.Go(func() { s.retire(old) })
	}
	if begin {
		s.peer.opened()
		s.tasks.Go(l.writeCtl)
		s.tasks.Go(l.writeData)
		s.sendRanges(l)
		s.start(l)
		s.log.Debug("link open", "peer", in.Peer, "role", in.Role)
	}
	return true
}

// drop ends a link whose lane is down.
func (s *swarm) drop(l *link, why error) {
	s.mu.Lock()
	if s.links[l.id()] != l {
		s.mu.Unlock()
		return
	}
	delete(s.links, l.id())
	s.beat.Wake() // what it sent has to come from elsewhere
	r := l.takeReport(time.Now())
	r.Failed = s.ctx.Err() == nil && s.intros[l.id()].Peer == l.id() && !l.current().endedWell()
	s.keepReportLocked(r)
	l.mu.Lock()
	s.sent += l.count.sent
	s.received += l.count.received
	if l.in.Role == tuber.RoleOrigin {
		s.rooted += l.count.received
	}
	l.mu.Unlock()
	s.mu.Unlock()
	l.cancel()
	if r.Failed {
		wake(s.reports)
	}
	s.log.Debug("link closed", "peer", l.id(), "err", why)
}
