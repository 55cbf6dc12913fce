package origin

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// publishRun hands a run on, or keeps it until the stream is announced: before
// its rate is known there is no K.
func (s *stream) publishRun(p Publication) {
	content := s.announcement()
	if content == nil {
		s.cut.held = append(s.cut.held, p)
		return
	}
	p.Content = *content
	s.f.publish(p)
}

// publishList signs a playlist whose segments were cut, as far as they could be.
func (s *stream) publishList(w work) {
	m := w.list.list.Media
	content := s.announceOnce(m.Target)
	if content == nil {
		return // nothing could be cut yet: the next playlist tries again
	}
	s.cut.sequence++
	now := s.f.now()
	u := tuber.Update{
		Content: s.content, Epoch: s.f.cfg.Epoch, Sequence: s.cut.sequence,
		Issued: tuber.MillisOf(now), Expires: tuber.MillisOf(now.Add(margin * m.Target)),
		Next: s.cut.next, LastFirst: s.cut.next, LastNext: s.cut.next,
		Target: uint32(m.Target.Milliseconds()), K: uint8(s.cut.k), Ended: m.Ended,
		URL: s.url, Type: typeOf(w.list.header),
	}
	if w.last != nil {
		if first, next, ok := s.f.memory.span(w.last.piece.Load()); ok {
			u.LastFirst, u.LastNext = first, next
		}
	}
	signed, err := tuber.SignUpdate(s.f.cfg.Key, u, w.list.list.Raw)
	if err != nil {
		s.f.cfg.Log.Warn("a playlist was not published", "path", pathOf(s.url), "err", err)
		return
	}
	p := Publication{Content: *content, Update: signed, Playlist: w.list.list.Raw}
	for _, held := range s.cut.held {
		p.Manifests = append(p.Manifests, held.Manifests...)
		p.Chunks = append(p.Chunks, held.Chunks...)
	}
	s.cut.held = nil
	s.f.publish(p)
}

// typeOf is the Content-Type that goes with a signed playlist.
func typeOf(h http.Header) string {
	if t := h.Get("Content-Type"); t != "" && len(t) <= 255 {
		return t
	}
	return "application/vnd.apple.mpegurl" // RFC 8216 section 10
}

// measure adds a whole segment to what is known of the rate.
func (s *stream) measure(e *entry, bytes int64) {
	const memory = 60 // seconds that the mean looks back
	if e.seconds <= 0 {
		return
	}
	if s.cut.seconds > memory {
		s.cut.bits, s.cut.seconds = s.cut.bits/2, s.cut.seconds/2
	}
	s.cut.bits += float64(bytes) * 8
	s.cut.seconds += e.seconds
}

// announcement is the content as the planner knows it; nil while it does not.
func (s *stream) announcement() *tuber.Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.announced
}

// announceOnce tells the planner of the stream, and again when its rate has
// changed: a plan for less than comes fills lines that it means to keep free.
func (s *stream) announceOnce(target time.Duration) *tuber.Content {
	_, rate := s.f.listing(s.url)
	if s.cut.seconds > 0 {
		rate = tuber.BitsPerSecond(s.cut.bits / s.cut.seconds)
	}
	old := s.announcement()
	switch {
	case old == nil && (rate == 0 || len(s.cut.held) == 0):
		return nil
	case old != nil && float64(rate) > 0.85*float64(old.Rate) && float64(rate) < 1.03*float64(old.Rate):
		return old
	}
	if s.cut.k == 0 {
		s.cut.k = partitionsFor(rate)
	}
	c := &tuber.Content{
		ID: s.content, URL: s.url, K: s.cut.k, Rate: rate, Epoch: s.f.cfg.Epoch,
		Target: tuber.Millis(target.Milliseconds()),
	}
	s.mu.Lock()
	s.announced = c
	s.mu.Unlock()
	s.f.announce()
	return c
}

// announce gives the planner's side the whole list.
func (f *follower) announce() {
	if f.cfg.Publisher == nil {
		return
	}
	f.announcing.Lock()
	defer f.announcing.Unlock()
	var list []tuber.Content
	for _, s := range f.all() {
		if c := s.announcement(); c != nil {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b tuber.Content) int { return strings.Compare(a.URL, b.URL) })
	f.cfg.Publisher.SetContents(list)
}
