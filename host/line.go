package host

import (
	"context"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/beat"
	"github.com/tubercdn/tuber/peer"
)

// What is learnt of a home line that was not declared.
const (
	lineEvery = time.Second
	lineFull  = 4               // looks in a row, before it counts as full: links are pinged every two seconds
	lineRest  = 6 * time.Second // after a change, until what is measured is of the new rate
	lineInUse = 0.8             // of the rate must leave for the line to be in use
	lineUse   = 10              // looks in a row at which it was in use and not full, before more is tried
	lineSure  = 0.9             // of what left a full line, so that its queue empties
	lineDrop  = 0.3             // at most, at once: a look may fall into a moment when nothing left
	lineMore  = 1.25            // times the rate
	lineLeast = tuber.BitsPerSecond(500e3)
	lineAge   = 0.99 // each second, of the most that it was seen to carry
	lineNear  = 0.5  // of that must leave a full line: less says that something else is slow

	// How long more is not tried after the line was full: longer each time that it
	// was too much.
	leastPatience, mostPatience = 20 * time.Second, 5 * time.Minute

	// What left is charged while something leaves, and a rest later while nothing does.
	chargeEvery = 50 * time.Millisecond
	chargeRest  = 200 * time.Millisecond

	// A shorter queue is not told from a busy machine, and one link alone may be
	// slow itself.
	slowerBy      = 250 * time.Millisecond // than the link itself was
	slowerThanAny = 400 * time.Millisecond // than the nearest ever was
	slowerLinks   = 2

	// behindAfter and a segment's duration is how long the oldest chunk may wait on
	// a link: segments come at once.
	behindAfter = time.Second
)

// homeLine learns what the host's uplink carries, where its owner did not say. It is
// not capped until it was seen to be full, see isFull. What left it then is what it
// carries.
type homeLine struct {
	rate     tuber.BitsPerSecond // Unlimited while it was never seen full
	changed  time.Time
	fullAt   time.Time // when it was seen full last
	patience time.Duration
	most     float64 // that it carried lately, bits per second
	full     int     // looks in a row
	used     int
}

// look takes in one look: the bits per second that left over the last seconds,
// and whether it was full. It tells whether the rate changed.
func (l *homeLine) look(now time.Time, sent tuber.BitsPerSecond, full bool) bool {
	l.most = max(float64(sent), lineAge*l.most)
	if now.Sub(l.changed) < lineRest {
		return false
	}
	was := l.rate
	switch {
	case full:
		l.used = 0
		if l.full++; l.full < lineFull || float64(sent) < lineNear*l.most || sent == 0 {
			return false
		}
		l.fullAt, l.patience = now, min(max(2*l.patience, leastPatience), mostPatience)
		carries := lineSure * float64(min(was, sent))
		if was != tuber.Unlimited {
			carries = max(carries, lineDrop*float64(was))
		}
		l.rate = max(lineLeast, tuber.BitsPerSecond(carries))
	case was != tuber.Unlimited && float64(sent) >= lineInUse*float64(was):
		l.full = 0
		if l.used++; l.used < lineUse || now.Sub(l.fullAt) < l.patience {
			return false
		}
		if l.changed.After(l.fullAt) {
			l.patience = 0 // more was tried, and it was not too much
		}
		if l.rate = tuber.BitsPerSecond(lineMore * float64(was)); l.rate > undeclared {
			l.rate = tuber.Unlimited
		}
	default:
		l.full, l.used = 0, 0
	}
	if l.rate == was {
		return false
	}
	l.full, l.used, l.changed = 0, 0, now
	return true
}

// tendLine keeps room on the uplink for the first copies of what is watched, and
// watches a line that was not declared, until ctx ends.
func (h *Host) tendLine(ctx context.Context) error {
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	l := homeLine{rate: tuber.Unlimited}
	var before seen
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if wanted, age := h.planning.wanted(); age > 0 { // else the links live on as they are
			h.uplink.Reserve(firstCopies(h.planning.streams(), wanted))
		}
		if h.cfg.Uplink > 0 {
			continue
		}
		full := before.full(h.peer.Stats()[h.Site()].Links, behindAfter+h.planning.longestSegment())
		was := l.rate
		if !l.look(time.Now(), h.meter.rate(), full) {
			continue
		}
		if l.rate < was {
			h.cfg.Log.Warn("the home line is full", "carries", l.rate, "mend", "declare it with --uplink")
		}
		h.uplink.SetRate(tuber.OnLine(l.rate))
		h.upload.Store(int64(tuber.InPayload(min(l.rate, undeclared))))
		if err := h.peer.SetMeans(h.Site(), h.means()); err != nil {
			h.cfg.Log.Debug("the line's rate is told with the next join", "err", err)
		}
	}
}

// charge tells the uplink what has left the line, headers and all, until ctx ends.
func (h *Host) charge(ctx context.Context) error {
	var before uint64
	pace := beat.New(chargeEvery, chargeRest)
	for left := uint64(0); pace.Wait(ctx, left > 0); {
		now := h.sent.Load()
		left, before = now-before, now
		h.uplink.Charge(left)
	}
	return nil
}

// firstCopies is what one copy of each stream takes that anybody watches.
func firstCopies(streams []tuber.Content, wanted []tuber.ContentID) tuber.BitsPerSecond {
	const spare = 1.05 // segments are not all of one length
	var sum tuber.BitsPerSecond
	for _, c := range streams {
		if slices.Contains(wanted, c.ID) {
			sum += c.Rate
		}
	}
	return tuber.BitsPerSecond(spare * float64(sum))
}

// seen is what looks at a line's links have shown so far.
type seen struct {
	links map[tuber.PeerID]seenLink
	least time.Duration // that anybody took to answer, 0 if nobody has
}

type seenLink struct {
	sent uint64
	rtt  time.Duration // the least so far
}

// full tells whether most links that are in use wait for longer than limit, or
// each takes longer to answer than it did, or than any should: then a queue stands
// before the line. A link that began behind the queue knows no better.
func (s *seen) full(links []peer.LinkStats, limit time.Duration) bool {
	used, waiting, slower, measured := 0, 0, 0, 0
	now := map[tuber.PeerID]seenLink{}
	for _, l := range links {
		was := s.links[l.Peer]
		is := seenLink{l.Sent, l.RTT}
		if l.RTT > 0 {
			measured++
			if was.rtt > 0 {
				is.rtt = min(was.rtt, l.RTT)
			}
			if s.least == 0 || is.rtt < s.least {
				s.least = is.rtt
			}
			if l.RTT > is.rtt+slowerBy || l.RTT > s.least+slowerThanAny {
				slower++
			}
		}
		now[l.Peer] = is
		if l.Sent > was.sent || l.Behind > 0 {
			used++
		}
		if l.Behind > limit {
			waiting++
		}
	}
	s.links = now
	return 2*waiting > used || measured >= slowerLinks && slower == measured
}

// means are what the host's own peer offers.
func (h *Host) means() tuber.Means {
	return tuber.Means{Upload: tuber.BitsPerSecond(h.upload.Load()), Relay: true, Reach: h.reach()}
}
