package origin

import (
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// memoryLimit is how many bytes of cut segments are kept for all streams together.
const memoryLimit = 256 << 20

// memory keeps what was cut: by URL for players that come over HTTP, by chunk
// number for peers that miss some. Each byte is held once.
type memory struct {
	limit int // bytes

	mu    sync.Mutex // guards the fields below and those of every piece
	size  int
	order []*piece                      // oldest first
	byURL map[string][]*piece           // newest last
	runs  map[tuber.ContentID][]keptRun // ascending
}

// keptRun is a run with its chunks, and the piece that it is a part of.
type keptRun struct {
	signed *tuber.SignedManifest
	chunks []tuber.VerifiedChunk
	of     *piece
}

type pieceState uint8

const (
	pieceCutting pieceState = iota // waiting for upstream, or growing
	pieceDone
	pieceFailed // it will not grow any more and is not whole
)

// piece is one segment, or one byte range of a URL, as it is cut. All its chunks
// are full but the last, unless it was adopted: then it is the chunks of others.
// Readers may hold it after it was evicted.
type piece struct {
	content tuber.ContentID
	url     string     // canonical
	want    *hls.Range // nil: the whole body

	state   pieceState
	header  http.Header // of upstream's answer; nil until it came
	size    int64       // of this piece; -1 while unknown
	total   int64       // of the URL's whole body; -1 while unknown
	length  int         // bytes so far
	chunks  []tuber.VerifiedChunk
	expires time.Time
	gone    bool          // evicted: nothing is added
	adopted               // of a piece that is made of others
	changed chan struct{} // closed, and replaced, whenever a field above changes
}

// adopted is what a piece is made of.
type adopted struct {
	of     []*piece // its parts, and what carries its alias: kept as long as it is
	in     *piece   // of a part: the piece that is made of it
	starts []int    // where each chunk begins; nil where they are all full but the last
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, byURL: map[string][]*piece{}, runs: map[tuber.ContentID][]keptRun{}}
}

// start is where the piece begins in its URL's body.
func (p *piece) start() uint64 {
	if p.want == nil {
		return 0
	}
	return p.want.Start
}

func (p *piece) notifyLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// add opens an empty piece; it can be found, and waited for, at once.
func (m *memory) add(content tuber.ContentID, url string, want *hls.Range, expires time.Time) *piece {
	p := &piece{
		content: content, url: url, want: want, size: -1, total: -1,
		expires: expires, changed: make(chan struct{}),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.order = append(m.order, p)
	m.byURL[url] = append(m.byURL[url], p)
	return p
}

// begin notes what upstream's header says.
func (m *memory) begin(p *piece, header http.Header, size, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.header, p.size, p.total = header, size, total
	p.notifyLocked()
}

// grow adds a run to its piece and evicts what there is no room for.
func (m *memory) grow(p *piece, run *tuber.SignedManifest, chunks []tuber.VerifiedChunk, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.gone {
		return
	}
	length := int(run.Manifest().Length)
	p.chunks = append(p.chunks, chunks...)
	p.length += length
	m.size += length
	m.runs[p.content] = append(m.runs[p.content], keptRun{signed: run, chunks: chunks, of: p})
	p.notifyLocked()
	m.evictLocked(now)
}

// finish closes a piece. One that failed is no longer found by its URL; its
// runs stay, since peers know them.
func (m *memory) finish(p *piece, state pieceState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.state = state
	if state == pieceDone {
		p.size = int64(p.length)
	} else {
		m.unlistLocked(p)
	}
	p.notifyLocked()
}

// keep moves a piece's end of life to a later moment.
func (m *memory) keep(p *piece, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, q := range append([]*piece{p}, p.of...) {
		if until.After(q.expires) {
			q.expires = until
		}
	}
}

// evict drops what has expired.
func (m *memory) evict(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.evictLocked(now)
}

// drop forgets a whole content.
func (m *memory) drop(content tuber.ContentID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.order = slices.DeleteFunc(m.order, func(p *piece) bool {
		if p.content == content && !p.gone {
			m.forgetLocked(p)
		}
		return p.content == content
	})
}

// evictLocked drops expired pieces, and then the oldest until the bound holds.
func (m *memory) evictLocked(now time.Time) {
	m.order = slices.DeleteFunc(m.order, func(p *piece) bool {
		old := p.state != pieceCutting && now.After(p.expires)
		if !p.gone && (old || m.size > m.limit) {
			m.forgetLocked(p)
		}
		return p.gone
	})
}

func (m *memory) forgetLocked(p *piece) {
	p.gone = true
	if p.starts == nil {
		m.size -= p.length // what was adopted counts where it was cut
	}
	if p.in != nil && !p.in.gone {
		m.forgetLocked(p.in)
	}
	m.unlistLocked(p)
	if left := slices.DeleteFunc(m.runs[p.content], func(k keptRun) bool { return k.of == p }); len(left) > 0 {
		m.runs[p.content] = left
	} else {
		delete(m.runs, p.content)
	}
	p.notifyLocked()
}

func (m *memory) unlistLocked(p *piece) {
	if left := slices.DeleteFunc(m.byURL[p.url], func(q *piece) bool { return q == p }); len(left) > 0 {
		m.byURL[p.url] = left
	} else {
		delete(m.byURL, p.url)
	}
}

// whole finds the newest piece that is a URL's whole body.
func (m *memory) whole(url string) *piece {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range slices.Backward(m.byURL[url]) {
		if p.want == nil {
			return p
		}
	}
	return nil
}

// content tells which stream a URL was cut for.
func (m *memory) content(url string) (tuber.ContentID, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ps := m.byURL[url]; len(ps) > 0 {
		return ps[len(ps)-1].content, true
	}
	return tuber.ContentID{}, false
}

// view is a piece at one moment.
type view struct {
	state   pieceState
	header  http.Header
	size    int64
	length  int
	chunks  []tuber.VerifiedChunk
	starts  []int
	changed <-chan struct{}
}

func (m *memory) view(p *piece) view {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := p.state
	if p.gone && state == pieceCutting {
		state = pieceFailed // nobody adds to it any more
	}
	return view{state, p.header, p.size, p.length, p.chunks, p.starts, p.changed}
}

// kept finds the runs that hold any of the numbers from:to, ascending.
func (m *memory) kept(content tuber.ContentID, from, to tuber.ChunkNumber) []keptRun {
	m.mu.Lock()
	defer m.mu.Unlock()
	runs := m.runs[content]
	i := sort.Search(len(runs), func(i int) bool { return runs[i].signed.Manifest().Next() > from })
	j := sort.Search(len(runs), func(j int) bool { return runs[j].signed.Manifest().First >= to })
	if i >= j {
		return nil
	}
	return slices.Clone(runs[i:j])
}

// span is the numbers of a piece that is whole.
func (m *memory) span(p *piece) (first, next tuber.ChunkNumber, ok bool) {
	if p == nil {
		return 0, 0, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.state != pieceDone || len(p.chunks) == 0 {
		return 0, 0, false
	}
	return p.chunks[0].Number(), p.chunks[len(p.chunks)-1].Number() + 1, true
}
