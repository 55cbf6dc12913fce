package watch

import (
	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// piece is what a player asks for: a URL, or bytes of it.
type piece struct {
	url  string // absolute
	path string // canonical path and query; empty where peers cannot have it
	rng  *hls.Range
	skip uint64 // bytes at its beginning that are here already
}

// at is where it begins in its URL.
func (p piece) at() uint64 {
	if p.rng != nil {
		return p.rng.Start + p.skip
	}
	return p.skip
}

// after is what follows the first n bytes of a piece.
func (p piece) after(n int) piece {
	p.skip += uint64(n)
	return p
}

// lack says what is missing of a piece.
type lack struct {
	content tuber.ContentID
	known   bool                // a run states its first byte
	whole   bool                // the runs reach to its end: nothing is unstated
	numbers []tuber.ChunkNumber // stated, not held
	bytes   int                 // of them
}

// parts are the bytes of a piece as far as they are held, shared with the
// chunks: all of it if lack.done.
func (h *held) parts(p piece) ([][]byte, lack) {
	var out [][]byte
	var l lack
	at, end := p.at(), uint64(tuber.MaxSegment)
	if p.rng != nil {
		end = p.rng.End()
	}
	for at < end {
		run := h.runAt(p.path, at)
		if run == nil {
			l.whole = p.rng == nil && h.endsAt(p.path, at)
			return out, l
		}
		m := run.Manifest()
		l.content, l.known = m.Content, true
		out = h.addRun(out, m, at, min(end, m.End()), &l)
		at = m.End()
	}
	l.whole = true
	return out, l
}

// done tells whether nothing lacks.
func (l *lack) done() bool { return l.whole && len(l.numbers) == 0 }

// addRun appends bytes from:to of the run's URL, or notes the chunks that lack.
func (h *held) addRun(out [][]byte, m *tuber.Manifest, from, to uint64, l *lack) [][]byte {
	for at := from; at < to; {
		i := (at - m.Offset) / tuber.ChunkSize
		n := m.First + tuber.ChunkNumber(i)
		begins := m.Offset + i*tuber.ChunkSize
		size := uint64(m.Size(n))
		if v, ok := h.Get(m.Content, n); ok {
			out = append(out, v.Data()[at-begins:min(to-begins, size)])
		} else {
			l.numbers = append(l.numbers, n)
			l.bytes += int(size)
		}
		at = begins + size
	}
	return out
}
