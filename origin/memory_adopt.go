package origin

import (
	"sort"
	"time"

	"github.com/tubercdn/tuber"
)

// runsOf are the runs of pieces, in their order.
func (m *memory) runsOf(pieces []*piece) (out []keptRun) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range pieces {
		for _, run := range m.runs[p.content] {
			if run.of == p {
				out = append(out, run)
			}
		}
	}
	return out
}

// adopt makes a piece of others that were cut before; their bytes count once. It
// is false, and nothing has changed, if any of them was forgotten.
func (m *memory) adopt(p *piece, parts []*piece, runs []keptRun) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, q := range parts {
		if q.gone || q.in != nil {
			return false
		}
	}
	p.chunks, p.length, p.starts = nil, 0, []int{}
	for _, run := range runs {
		for _, c := range run.chunks {
			p.chunks, p.starts = append(p.chunks, c), append(p.starts, p.length)
			p.length += len(c.Data())
		}
	}
	for _, q := range parts {
		q.in = p
		if p.expires.After(q.expires) {
			q.expires = p.expires
		}
	}
	p.of = append(p.of, parts...)
	p.state, p.size = pieceDone, int64(p.length)
	p.notifyLocked()
	return true
}

// addTo opens a piece that lives as long as another one.
func (m *memory) addTo(p *piece, url string, expires time.Time) *piece {
	carrier := m.add(p.content, url, nil, expires)
	m.mu.Lock()
	defer m.mu.Unlock()
	p.of = append(p.of, carrier)
	return carrier
}

// locate is the chunk that holds a byte, and where in the chunk it stands.
func locate(starts []int, at uint64) (chunk int, within uint64) {
	if starts == nil {
		return int(at / tuber.ChunkSize), at % tuber.ChunkSize
	}
	i := sort.SearchInts(starts, int(at)+1) - 1
	return i, at - uint64(starts[i])
}
