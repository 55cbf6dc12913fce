package peer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	maxCtl      = 4 << 20 // bytes of ctl frames waiting on one link
	maxKnown    = 1024    // manifests, and chunks asked for, remembered per content and link
	maxSentKept = 2048    // sent chunks remembered per content and link
	maxFlows    = 64      // contents on one link
	pingEvery   = 2 * time.Second
	pongBurst   = 8                // answers at once, then one a second
	probeBurst  = 4                // signs of life asked for at once, then one a second: no more than are answered
	pingTimeout = 10 * time.Second // without an answer the link is dead, whatever ICE says

	silentAfter  = 700 * time.Millisecond // without a word a source is asked for a sign of life; the plan's steps are no longer
	answerWithin = 500 * time.Millisecond // which takes no longer, or three round trips
)

// link is one neighbour in one swarm.
type link struct {
	s     *swarm
	in    tuber.Introduction
	since time.Time

	ctx    context.Context // ends with the link
	cancel context.CancelFunc
	ctlUp  chan struct{} // capacity 1: the ctl writer has something to do
	dataUp chan struct{} // capacity 1: the data writer has

	changed   chan struct{} // capacity 2, for both writers: another lane
	condemned atomic.Bool   // it lied: nothing more is read
	heard     atomic.Int64  // when something came last, Unix ns

	mu     sync.Mutex // guards the fields below
	lane   *lane
	q      queue
	ctl    [][]byte
	ctlLen int
	ctlIn  uint64 // frames queued so far
	ctlOut uint64 // of these, written
	flows  map[tuber.ContentID]*flow
	parked []parked
	waits  *wait               // the last one
	rate   tuber.BitsPerSecond // assigned by the plan
	pasts  allowance
	pongs  allowance
	probes allowance
	ping   pinger
	count  counters // since the link began
	told   counters // of these, reported
	bad    *tuber.Blame
}

// counters are what a report says of a link.
type counters struct {
	sent, received uint64
	twice          uint64 // received, of chunks that were here already
	late, repairs  uint32
	busy           time.Duration // that something waited to be sent
}

// flow is what has crossed a link of one content.
type flow struct {
	out, in                 *tuber.SignedUpdate // the newest sent, and received
	outPlaylist, inPlaylist []byte              // what the next edit refers to
	known                   recent[tuber.ChunkNumber]
	sent                    recent[tuber.ChunkNumber]
	asked                   recent[tuber.ChunkNumber] // of the neighbour, by this side
	has                     tuber.Range
	started                 bool                         // the playlist and the live window were sent
	pastAsked               tuber.Partitions             // of the neighbour, by this side
	brings                  [tuber.MaxPartitions]stretch // by partition
	wholeAsked              time.Time
}

// parked is a chunk that came before its manifest.
type parked struct {
	frame wire.Chunk
	until time.Time
}

func newLink(s *swarm, in tuber.Introduction) *link {
	l := &link{
		s: s, in: in, since: time.Now(), flows: make(map[tuber.ContentID]*flow),
		ctlUp: make(chan struct{}, 1), dataUp: make(chan struct{}, 1),
		changed: make(chan struct{}, 2),
	}
	l.heard.Store(l.since.UnixNano())
	l.ctx, l.cancel = context.WithCancel(s.ctx)
	return l
}

func (l *link) id() tuber.PeerID { return l.in.Peer }

// use makes ln the lane that is written to, and returns the one before.
func (l *link) use(ln *lane) *lane {
	l.mu.Lock()
	old := l.lane
	l.lane = ln
	l.ping = pinger{id: l.ping.id, rtt: l.ping.rtt, long: l.ping.long}
	l.mu.Unlock()
	ln.data.OnBufferedAmountLow(func() { wake(l.dataUp) })
	ln.ctl.SetBufferedAmountLowThreshold(ctlBudget)
	ln.ctl.OnBufferedAmountLow(func() { wake(l.ctlUp) })
	wake(l.changed)
	wake(l.changed)
	wake(l.ctlUp)
	wake(l.dataUp)
	return old
}

func (l *link) current() *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lane
}

// serve reads a lane until it is down, then closes it. A link whose current
// lane is down is dropped.
func (l *link) serve(ln *lane) {
	var readers sync.WaitGroup
	readers.Go(func() { l.read(ln, false) })
	readers.Go(func() { l.read(ln, true) })
	<-ln.down
	ln.close()
	readers.Wait()
	if l.current() == ln {
		l.s.drop(l, ln.reason())
	}
}

// flowLocked finds or begins the flow of a content; nil if there are too many.
func (l *link) flowLocked(c tuber.ContentID) *flow {
	f := l.flows[c]
	if f == nil && len(l.flows) < maxFlows {
		f = &flow{known: newRecent[tuber.ChunkNumber](maxKnown), sent: newRecent[tuber.ChunkNumber](maxSentKept), asked: newRecent[tuber.ChunkNumber](maxKnown)}
		l.flows[c] = f
	}
	return f
}

// forget drops what is remembered of a content.
func (l *link) forget(c tuber.ContentID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.flows, c)
}

// send queues a ctl frame; a neighbour that does not take them is dropped.
func (l *link) send(f wire.Frame) {
	b := f.Append(nil)
	l.mu.Lock()
	l.ctlLen += len(b)
	full := l.ctlLen > maxCtl
	if !full {
		l.ctl = append(l.ctl, b)
		l.ctlIn++
	}
	ln := l.lane
	l.mu.Unlock()
	if full {
		ln.fail(errors.New("the neighbour does not read"))
		return
	}
	wake(l.ctlUp)
}

// setRate is the plan's; it decides how much SCTP may hold.
func (l *link) setRate(r tuber.BitsPerSecond) {
	l.mu.Lock()
	l.rate = r
	l.mu.Unlock()
	wake(l.dataUp)
}

// behind is how long the oldest assigned chunk has waited.
func (l *link) behind(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.q.behind(now)
}

// pinger measures the round trip.
type pinger struct {
	id   uint32
	sent time.Time // of the ping under way; zero if none is
	last time.Time // when the last one was answered
	rtt  time.Duration
	long time.Duration // the longest lately: it goes on for some answers
}

// tick sends a ping when one is due and finds a dead lane. It tells whether
// chunks are parked.
func (l *link) tick(now time.Time) (parked bool) {
	l.mu.Lock()
	ln, p := l.lane, &l.ping
	dead := !p.sent.IsZero() && now.Sub(p.sent) > pingTimeout
	due := now.Sub(p.last) >= pingEvery
	l.unparkLocked(now)
	parked = len(l.parked) > 0
	l.mu.Unlock()
	switch {
	case dead:
		ln.fail(errors.New("no answer to a ping"))
	case due:
		l.probe(now)
	}
	return parked
}

// silent tells whether nothing comes from a source, not even an answer to a ping,
// long before ICE finds it dead. If probe is set, one is to be sent.
func (l *link) silent(now time.Time) (silent, probe bool) {
	heard := time.Unix(0, l.heard.Load())
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.ping.sent
	switch {
	case now.Sub(heard) < silentAfter:
		return false, false
	case sent.IsZero():
		return false, l.probes.take(probeBurst, now)
	}
	return sent.After(heard) && now.Sub(sent) > max(answerWithin, 3*l.ping.rtt), false
}

// mayProbe tells whether one more sign of life may be asked for.
func (l *link) mayProbe(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ping.sent.IsZero() && l.probes.take(probeBurst, now)
}

// probe sends a ping unless one is under way.
func (l *link) probe(now time.Time) {
	l.mu.Lock()
	ln, p := l.lane, &l.ping
	due := p.sent.IsZero()
	if due {
		p.id++
		p.sent = now
	}
	id := p.id
	l.mu.Unlock()
	if due {
		l.sendPing(ln, wire.Ping{ID: id})
	}
}

// sendPing passes by the queue and the uplink: six bytes that must not wait
// behind a playlist that a paused peer may not send.
func (l *link) sendPing(ln *lane, f wire.Ping) {
	if err := ln.write(false, f.Append(nil)); err != nil && !errors.Is(err, errSealed) {
		ln.fail(err)
	}
}

func (l *link) onPing(ln *lane, f wire.Ping) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !f.Answer {
		if l.pongs.take(pongBurst, time.Now()) {
			l.sendPing(ln, wire.Ping{Answer: true, ID: f.ID})
		}
		return
	}
	if p := &l.ping; f.ID == p.id && !p.sent.IsZero() {
		p.last = time.Now()
		p.rtt, p.sent = p.last.Sub(p.sent), time.Time{}
		p.long = max(p.rtt, (3*p.long+p.rtt)/4)
	}
}

// rtt is the last round trip, 0 if none was measured.
func (l *link) rtt() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ping.rtt
}

// wake tells a loop that there is something to do.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// recent remembers the last limit values, and when each was added.
type recent[T comparable] struct {
	limit int
	when  map[T]time.Time
	ring  []T
	at    int // of the oldest, once the ring is full
}

func newRecent[T comparable](limit int) recent[T] {
	return recent[T]{limit: limit, when: make(map[T]time.Time)}
}

// add tells whether v is new; one that is known counts as added again.
func (r *recent[T]) add(v T) bool {
	_, known := r.when[v]
	r.when[v] = time.Now()
	switch {
	case known:
		return false
	case len(r.ring) < r.limit:
		r.ring = append(r.ring, v)
		return true
	}
	delete(r.when, r.ring[r.at])
	r.ring[r.at] = v
	r.at = (r.at + 1) % r.limit
	return true
}

func (r *recent[T]) has(v T) bool {
	_, ok := r.when[v]
	return ok
}

// allowance lets a few costly requests through at once and then one a second.
type allowance struct {
	spent float64
	at    time.Time
}

func (a *allowance) take(burst float64, now time.Time) bool {
	a.spent = max(0, a.spent-now.Sub(a.at).Seconds())
	a.at = now
	if a.spent+1 > burst {
		return false
	}
	a.spent++
	return true
}
