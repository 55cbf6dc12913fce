package peer

import (
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	lateAfter   = 500 * time.Millisecond // after its manifest a chunk is late (design section 5.5)
	lateBy      = 3                      // or once so many higher numbers of its partition came
	pastGrace   = 2 * time.Second        // what was asked for as the past may take longer
	askWithin   = 2 * time.Second        // an answer later than this is of no use
	minAskAgain = 150 * time.Millisecond // 2 RTT, but never less: the answer takes its time to send,
	answersFor  = 600 * time.Millisecond // 4 RTT, and on a full line more: so long if the one who was asked gives a sign of life
	askRounds   = 3                      // of all who may have it
	roundEvery  = time.Second
	maxWants    = 4096 // chunks looked out for, per content
)

// want is a chunk that should have come by assignment.
type want struct {
	due    time.Time      // when it is asked for (again)
	higher int            // numbers of its partition that overtook it
	past   bool           // it is older than the assignment
	asked  []tuber.PeerID // in this round
	at     time.Time      // when the last of them was; zero once that one has said that it lacks it
	rounds int
}

type wantSet struct {
	m         map[tuber.ChunkNumber]*want
	lowest    tuber.ChunkNumber // none below is in m
	pastUntil time.Time         // what becomes known before then was asked for as the past
}

func (w *wantSet) add(n tuber.ChunkNumber, x *want) {
	if len(w.m) == 0 || n < w.lowest {
		w.lowest = n
	}
	w.m[n] = x
}

// below visits the wants under n. Chunks come nearly in order, so there are few
// between the lowest and n, however many are looked out for above.
func (w *wantSet) below(n tuber.ChunkNumber, visit func(tuber.ChunkNumber, *want)) {
	for w.lowest < n && len(w.m) > 0 && w.m[w.lowest] == nil && n-w.lowest <= maxWants {
		w.lowest++
	}
	if n <= w.lowest {
		return
	}
	if n-w.lowest > tuber.ChunkNumber(len(w.m)) { // numbers far apart
		for m, x := range w.m {
			if m < n {
				visit(m, x)
			}
		}
		return
	}
	for m := w.lowest; m < n; m++ {
		if x := w.m[m]; x != nil {
			visit(m, x)
		}
	}
}

func (s *swarm) wantsLocked(c tuber.ContentID) *wantSet {
	w := s.wants[c]
	if w == nil {
		w = &wantSet{m: make(map[tuber.ChunkNumber]*want)}
		s.wants[c] = w
		s.beat.Wake()
	}
	return w
}

// sourcesLocked are the partitions of c that neighbours are assigned to send.
func (s *swarm) sourcesLocked(c tuber.ContentID) (all tuber.Partitions) {
	if s.plan == nil {
		return 0
	}
	for _, x := range s.plan.Sources {
		if x.Content == c && !x.Standby {
			all |= x.Partitions
		}
	}
	return all
}

// expect looks out for the chunks of new manifests.
func (s *swarm) expect(c tuber.ContentID, fresh []*tuber.SignedManifest) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	k, parts := s.ks[c], s.sourcesLocked(c)
	if k == 0 || parts == 0 {
		return
	}
	w := s.wantsLocked(c)
	for _, m := range fresh {
		for n := m.Manifest().First; n < m.Manifest().Next(); n++ {
			if !parts.Has(n.Partition(k)) || len(w.m) >= maxWants || w.m[n] != nil {
				continue
			}
			x := &want{due: now.Add(lateAfter)}
			if now.Before(w.pastUntil) {
				x.past, x.due = true, now.Add(pastGrace)
			}
			w.add(n, x)
		}
	}
}

// wantNow looks for a chunk elsewhere than with the one who falsified it.
func (s *swarm) wantNow(b tuber.Blame, liar tuber.PeerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wantsLocked(b.Content)
	if len(w.m) < maxWants {
		w.add(b.Number, &want{due: time.Now(), asked: []tuber.PeerID{liar}})
	}
}

// wanted tells whether the chunk is still looked out for.
func (s *swarm) wanted(v tuber.VerifiedChunk) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wants[v.Content()]
	return w != nil && w.m[v.Number()] != nil
}

// arrived ends the wait for a chunk, and tells whether l brought it only after
// another neighbour was asked for it, and whether of its own accord. What it overtook
// then becomes more urgent. The others were asked for it too, or are to send it, and
// need not any more.
func (s *swarm) arrived(l *link, v tuber.VerifiedChunk) (late, unasked bool, others []*link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, w, k := v.Number(), s.wants[v.Content()], s.ks[v.Content()]
	unasked = !l.asked(v.Content(), n)
	if w == nil || w.m[n] == nil || k == 0 {
		return false, unasked, nil // it was here
	}
	x := w.m[n]
	late = len(x.asked) > 0 && unasked
	others = s.othersLocked(l, v.Content(), n, x)
	delete(w.m, n)
	if x.past || !unasked {
		return late, false, others // the past was asked for too; neither says that what is lower was lost
	}
	w.below(n, func(m tuber.ChunkNumber, y *want) {
		if m.Partition(k) == n.Partition(k) && !y.past {
			if y.higher++; y.higher == lateBy && len(y.asked) == 0 {
				y.due = time.Time{}
			}
		}
	})
	return late, unasked, others
}

func (s *swarm) onMissing(l *link, f wire.Missing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wants[f.Content]
	if w == nil {
		return
	}
	for _, n := range f.Numbers {
		if x := w.m[n]; x != nil && slices.Contains(x.asked, l.id()) {
			x.due, x.at = time.Time{}, time.Time{}
		}
	}
}

type askKey struct {
	l *link
	c tuber.ContentID
}

// repair asks for what is late and not merely behind: a standby first, then
// whoever says to have it, each in turn after two round trips. It tells whether
// anything is wanted.
func (s *swarm) repair(now time.Time) (wanting bool) {
	asks := make(map[askKey][]tuber.ChunkNumber)
	s.mu.Lock()
	for c, w := range s.wants {
		for n, x := range w.m {
			if now.Before(x.due) {
				continue
			}
			if !x.past && len(x.asked) == 0 && x.rounds == 0 && x.higher < lateBy && s.goesOnLocked(c, n, now) {
				x.due = now.Add(lateAfter)
				continue
			}
			if until := s.answersUntilLocked(x); now.Before(until) {
				x.due = until
				continue
			}
			l := s.helperLocked(c, n, x)
			if l == nil {
				if x.rounds++; x.rounds >= askRounds {
					delete(w.m, n)
				}
				x.asked, x.due = nil, now.Add(roundEvery)
				continue
			}
			x.asked, x.at = append(x.asked, l.id()), now
			x.due = now.Add(max(2*l.rtt(), minAskAgain))
			asks[askKey{l, c}] = append(asks[askKey{l, c}], n)
		}
		if len(w.m) == 0 && now.After(w.pastUntil) {
			delete(s.wants, c)
		}
	}
	wanting = len(s.wants) > 0
	s.mu.Unlock()
	for key, numbers := range asks {
		if key.l.mayProbe(now) {
			key.l.probe(now)
		}
		slices.Sort(numbers)
		key.l.askFor(key.c, numbers)
	}
	return wanting
}

// answersUntilLocked is how long the one who was asked last has to answer: who is
// gone gives no sign of life, and who lacks the chunk says so.
func (s *swarm) answersUntilLocked(x *want) time.Time {
	if len(x.asked) == 0 || x.at.IsZero() {
		return time.Time{}
	}
	l := s.links[x.asked[len(x.asked)-1]]
	if l == nil || l.heard.Load() <= x.at.UnixNano() {
		return time.Time{}
	}
	return x.at.Add(max(4*l.rtt(), answersFor))
}

func (l *link) askFor(c tuber.ContentID, numbers []tuber.ChunkNumber) {
	l.mu.Lock()
	l.count.repairs += uint32(len(numbers))
	if f := l.flowLocked(c); f != nil {
		for _, n := range numbers {
			f.asked.add(n)
		}
	}
	l.mu.Unlock()
	for part := range slices.Chunk(numbers, wire.MaxAsk) {
		l.send(wire.Ask{Content: c, Within: uint32(askWithin.Milliseconds()), Numbers: part})
	}
}

// asked tells whether this side asked the neighbour for a chunk lately.
func (l *link) asked(c tuber.ContentID, n tuber.ChunkNumber) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.flows[c]
	return f != nil && f.asked.has(n)
}

// helperLocked is who is asked next: standbys of the partition, then links whose
// range covers the number, and last the source that should have sent it. Nobody
// is asked twice in a round; nil ends it.
func (s *swarm) helperLocked(c tuber.ContentID, n tuber.ChunkNumber, x *want) *link {
	k := s.ks[c]
	if k == 0 || s.plan == nil {
		return nil
	}
	p := n.Partition(k)
	open := func(id tuber.PeerID) *link {
		if l := s.links[id]; l != nil && !slices.Contains(x.asked, id) && !l.condemned.Load() {
			return l
		}
		return nil
	}
	var last *link
	for _, src := range s.plan.Sources {
		l := open(src.From)
		switch {
		case l == nil || src.Content != c || !src.Partitions.Has(p):
		case src.Standby:
			return l
		default:
			last = l
		}
	}
	for id := range s.links {
		if l := open(id); l != nil && l != last && l.covers(c, p, n) {
			return l
		}
	}
	return last
}

func (l *link) covers(c tuber.ContentID, p tuber.Partition, n tuber.ChunkNumber) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.flows[c]
	return f != nil && f.has.Partitions.Has(p) && f.has.First <= n && n < f.has.Next
}

// askPast asks a source, once for its partitions, for what is older than the
// assignment. A viewer spares the origin and asks others.
func (s *swarm) askPast(l *link, c tuber.ContentID) {
	if s.peer.cfg.Role == tuber.RoleViewer && l.in.Role == tuber.RoleOrigin {
		return
	}
	now := time.Now()
	s.mu.Lock()
	var parts tuber.Partitions
	if s.plan != nil {
		for _, x := range s.plan.Sources {
			if x.Content == c && x.From == l.id() && !x.Standby {
				parts |= x.Partitions
			}
		}
	}
	k, w := s.ks[c], s.wants[c]
	if k == 0 || w == nil || parts == 0 {
		s.mu.Unlock()
		return
	}
	l.mu.Lock()
	f := l.flowLocked(c)
	if f == nil || parts&^f.pastAsked == 0 {
		l.mu.Unlock()
		s.mu.Unlock()
		return
	}
	parts &^= f.pastAsked
	f.pastAsked |= parts
	l.mu.Unlock()
	from, found := w.takeAsPast(parts, k, now)
	s.mu.Unlock()
	if found {
		l.send(wire.Past{Content: c, Partitions: parts, From: from})
	}
}

// takeAsPast gives what is wanted of these partitions the time that the past
// takes, and returns the lowest number.
func (w *wantSet) takeAsPast(parts tuber.Partitions, k int, now time.Time) (from tuber.ChunkNumber, found bool) {
	w.pastUntil = now.Add(time.Second)
	for n, x := range w.m {
		if !parts.Has(n.Partition(k)) {
			continue
		}
		x.past, x.due = true, now.Add(pastGrace)
		if !found || n < from {
			from, found = n, true
		}
	}
	return from, found
}
