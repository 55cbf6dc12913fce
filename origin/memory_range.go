package origin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// serveRange answers a single byte range of a URL of which only ranges were
// cut, if one of them, or some that follow each other, cover it
// (RFC 9110 section 14).
func (f *follower) serveRange(w http.ResponseWriter, r *http.Request, target string) bool {
	want, ok := singleRange(r.Header.Values("Range"))
	if !ok || conditional(r) {
		return false
	}
	parts, first, ok := f.memory.cover(target, want)
	if !ok || !ifRange(r, first.header) {
		return false
	}
	copyHeader(w.Header(), first.header)
	total := "*"
	if first.total >= 0 {
		total = strconv.FormatInt(first.total, 10)
	}
	w.Header().Set("Accept-Ranges", "bytes")
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", want.Start, want.End()-1, total))
	w.Header().Set("Content-Length", strconv.FormatUint(want.Length, 10))
	w.WriteHeader(http.StatusPartialContent)
	if r.Method == http.MethodHead {
		return true
	}
	for _, b := range parts {
		if _, err := w.Write(b); err != nil {
			return true // the client left
		}
	}
	return true
}

// singleRange reads "bytes=a-b"; other forms, which are rare for ranges of a
// playlist, go to the site.
func singleRange(values []string) (hls.Range, bool) {
	if len(values) != 1 {
		return hls.Range{}, false
	}
	spec, ok := strings.CutPrefix(values[0], "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !ok || !dash {
		return hls.Range{}, false
	}
	a, err1 := strconv.ParseUint(first, 10, 62)
	b, err2 := strconv.ParseUint(last, 10, 62)
	if err1 != nil || err2 != nil || b < a || b-a >= tuber.MaxSegment {
		return hls.Range{}, false
	}
	return hls.Range{Start: a, Length: b - a + 1}, true
}

// ifRange tells whether a range may be answered (RFC 9110 section 13.1.5): only
// a strong validator, or the exact date, proves that the body is still the same.
func ifRange(r *http.Request, h http.Header) bool {
	v := r.Header.Get("If-Range")
	switch {
	case v == "":
		return true
	case strings.HasPrefix(v, `"`):
		return v == h.Get("Etag")
	}
	return v == h.Get("Last-Modified")
}

// covered is what is known of the body that ranges were cut of.
type covered struct {
	header http.Header
	total  int64
}

// cover collects the bytes of want from whole pieces of a URL. Pieces that do
// not have the same validators are not of one body.
func (m *memory) cover(url string, want hls.Range) (parts [][]byte, first covered, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := want.Start; at < want.End(); {
		p := m.findLocked(url, at)
		if p == nil {
			return nil, covered{}, false
		}
		if first.header == nil {
			first = covered{p.header, p.total}
		} else if p.header.Get("Etag") != first.header.Get("Etag") {
			return nil, covered{}, false
		}
		end := min(want.End(), p.want.End())
		parts = append(parts, p.bytes(at-p.want.Start, end-p.want.Start)...)
		at = end
	}
	return parts, first, true
}

// findLocked is the newest whole range piece that holds a byte.
func (m *memory) findLocked(url string, at uint64) *piece {
	ps := m.byURL[url]
	for i := len(ps) - 1; i >= 0; i-- {
		if p := ps[i]; p.want != nil && p.state == pieceDone && at >= p.want.Start && at < p.want.End() {
			return p
		}
	}
	return nil
}

// bytes are the piece's own bytes from:to, chunk by chunk.
func (p *piece) bytes(from, to uint64) (out [][]byte) {
	for from < to {
		i, begin := locate(p.starts, from)
		data := p.chunks[i].Data()
		end := min(uint64(len(data)), begin+to-from)
		out = append(out, data[begin:end])
		from += end - begin
	}
	return out
}
