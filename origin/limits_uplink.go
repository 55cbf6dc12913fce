package origin

import (
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

const (
	meterStep  = 16 << 10         // bytes per claim on the uplink, at least:
	meterTime  = time.Millisecond // more if the line takes no longer for it, a control message waits for it;
	meterMost  = copyBuffer       // and at most
	writeStall = 60 * time.Second // a client that does not take a step in this time is gone
	writeQuick = time.Second      // one that takes a step in this time gets twice as much next
	startSpan  = 10 * time.Second // of media to one visitor: a player that has nothing yet
	startAgain = 60 * time.Second // without media, and the visitor starts anew
	maxStarts  = 4096             // visitors remembered
)

// meter is a ResponseWriter whose body asks the uplink first.
type meter struct {
	http.ResponseWriter
	origin  *Origin
	request *http.Request
	from    visitor
	class   tuber.Class
	chosen  bool
	pace    *paced // nil unless the body is held back
	takes   int    // bytes that the client is thought to take without delay
	watch   *time.Timer
	control *http.ResponseController
}

func (o *Origin) metered(w http.ResponseWriter, r *http.Request, from visitor) *meter {
	m := &meter{ResponseWriter: w, origin: o, request: r, from: from, control: http.NewResponseController(w)}
	m.watch = time.AfterFunc(writeStall, m.cut)
	m.watch.Stop()
	return m
}

func (m *meter) done() {
	m.watch.Stop()
	m.pace.done()
}

// cut wakes a Write that the client does not take.
func (m *meter) cut() { _ = m.control.SetWriteDeadline(time.Unix(1, 0)) }

// Unwrap lets http.ResponseController reach the server's own writer.
func (m *meter) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// Flush is for handlers that look for an http.Flusher.
func (m *meter) Flush() { _ = m.FlushError() }

// FlushError sends what the server has buffered.
func (m *meter) FlushError() error {
	m.watch.Reset(writeStall)
	defer m.watch.Stop()
	return m.control.Flush()
}

// flushAborted lets the client see as much of a body that the site broke off as
// the site sent, before the socket breaks off too.
func (m *meter) flushAborted() {
	if p := recover(); p != nil {
		if m.chosen {
			_ = m.FlushError() // the panic says more
		}
		panic(p)
	}
}

// Write waits for the uplink in steps, so that more urgent bytes get between.
func (m *meter) Write(p []byte) (n int, err error) {
	if !m.chosen {
		m.chosen, m.class = true, m.origin.classOf(m.Header(), m.from)
	}
	for {
		step := p[n:min(n+m.step(), len(p))]
		if m.request.Method != http.MethodHead {
			if err := m.pace.wait(m.request.Context(), len(step)); err != nil {
				return n, err
			}
			if err := m.origin.cfg.Uplink.Wait(m.request.Context(), m.class, len(step)); err != nil {
				return n, err
			}
		}
		begun := time.Now()
		m.watch.Reset(writeStall)
		wrote, err := m.ResponseWriter.Write(step)
		m.watch.Stop()
		m.took(len(step), time.Since(begun))
		n += wrote
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// step is how many bytes are claimed and written at once: few where the line or
// the client is slow, or the body is held back. Small steps cost a large body a
// tenth of its speed.
func (m *meter) step() int {
	if m.pace != nil {
		return meterStep
	}
	line := m.origin.cfg.Uplink.Rate().BytesPerSecond() * meterTime.Seconds()
	return max(meterStep, min(m.takes, int(min(line, meterMost))))
}

// took learns from how long a step was under way.
func (m *meter) took(step int, d time.Duration) {
	if m.takes = 0; d < writeQuick {
		m.takes = 2 * step
	}
}

// classOf tells media from documents: only media waits behind what peers carry.
func (o *Origin) classOf(h http.Header, from visitor) tuber.Class {
	if !media(h.Get("Content-Type")) {
		return tuber.ClassControl
	}
	if o.starts.starting(from.addr, time.Now()) {
		return tuber.ClassStart
	}
	return tuber.ClassRest
}

func media(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil || hls.TypeLooks(t) {
		return false
	}
	return strings.HasPrefix(t, "video/") || strings.HasPrefix(t, "audio/") || t == "application/octet-stream"
}

// starts remembers since when each visitor has been getting media. It forgets
// all at once when it is full: the cost is a few bodies in a better class.
type starts struct {
	mu    sync.Mutex // guards the field below
	spans map[netip.Addr]span
}

type span struct{ first, last time.Time }

func newStarts() *starts { return &starts{spans: map[netip.Addr]span{}} }

// anew says that a page was opened there: its player has nothing, whatever
// others at that address have.
func (s *starts) anew(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.spans, lineOf(a))
}

func (s *starts) starting(a netip.Addr, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a = lineOf(a)
	sp, known := s.spans[a]
	if !known || now.Sub(sp.last) > startAgain {
		if len(s.spans) >= maxStarts {
			clear(s.spans)
		}
		sp.first = now
	}
	sp.last = now
	s.spans[a] = sp
	return now.Sub(sp.first) < startSpan
}
