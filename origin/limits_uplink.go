package origin

import (
	"mime"
	"net/http"
	"net/netip"
	"strconv"
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
	meterTurn  = 1 << 20          // bytes, about a segment, after which a body stands behind those that wait
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
	since   time.Time // that its turn on the line counts from
	turn    int       // bytes written since then
	chosen  bool
	begun   bool   // the header is out
	pace    *paced // nil unless the body is held back
	takes   int    // bytes that the client is thought to take without delay
	watch   *time.Timer
	control *http.ResponseController
}

func (o *Origin) metered(w http.ResponseWriter, r *http.Request, from visitor) *meter {
	m := &meter{ResponseWriter: w, origin: o, request: r, from: from, since: time.Now(), control: http.NewResponseController(w)}
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
		m.chosen, m.class = true, m.origin.classOf(m.request.URL.Path, m.Header(), m.from)
	}
	if !m.begun && m.class != tuber.ClassControl && m.origin.cfg.Uplink.Rate() != tuber.Unlimited {
		_ = m.FlushError() // a player gives up on what does not even begin; Write says more
	}
	m.begun = true
	for {
		step := p[n:min(n+m.step(), len(p))]
		if m.request.Method != http.MethodHead {
			if err := m.pace.wait(m.request.Context(), len(step)); err != nil {
				return n, err
			}
			if err := m.origin.cfg.Uplink.WaitSince(m.request.Context(), m.class, m.since, len(step)); err != nil {
				return n, err
			}
		}
		begun := time.Now()
		m.watch.Reset(writeStall)
		wrote, err := m.ResponseWriter.Write(step)
		m.watch.Stop()
		m.took(len(step), time.Since(begun))
		n += wrote
		if m.turn += wrote; m.turn >= meterTurn {
			m.turn, m.since = 0, time.Now()
		}
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

// classOf tells what others wait for from what only this visitor does. What is
// short goes first, and what Tuber's own pages need to turn to others. The scripts
// and pictures of those who come are as long as a segment: before the first copies
// they would stop the stream for all who watch.
func (o *Origin) classOf(path string, h http.Header, from visitor) tuber.Class {
	kind := h.Get("Content-Type")
	if media(kind) {
		if o.starts.starting(from.addr, time.Now()) {
			return tuber.ClassStart
		}
		return tuber.ClassRest
	}
	t, _, _ := mime.ParseMediaType(kind)
	length, err := strconv.Atoi(h.Get("Content-Length"))
	if strings.HasPrefix(path, o.cfg.Prefix) || t == "text/html" || hls.TypeLooks(t) || err == nil && length <= meterStep {
		return tuber.ClassControl
	}
	return tuber.ClassStart
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
