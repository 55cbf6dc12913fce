package origin

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// maxNumbers is the most chunks that one request may ask for: 64 MiB of them.
const maxNumbers = 4096

var errChunkQuery = errors.New("ask with ?list=7,9-12 or ?partitions=5&from=7&to=90, for at most 4096 chunks")

// asked is what a request for chunks names: ascending, not overlapping spans.
type asked struct {
	spans      []stretch
	partitions tuber.Partitions // of k; with all set nothing is left out
	byParts    bool
}

// stretch is the numbers first:next.
type stretch struct{ first, next tuber.ChunkNumber }

// serveChunks answers PREFIX chunks/CONTENT from memory (package wire, "Chunks
// over HTTP"). What is not held is left out: the asker goes elsewhere for it.
func (f *follower) serveChunks(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	_, id, _ := strings.Cut(r.URL.Path, f.cfg.Prefix+"chunks/")
	var content tuber.ContentID
	if err := content.UnmarshalText([]byte(id)); err != nil {
		refuse(w, http.StatusNotFound, "The content id has 32 hexadecimal digits.")
		return
	}
	ask, err := parseAsked(r.URL.RawQuery)
	if err != nil {
		refuse(w, http.StatusBadRequest, "The request for chunks cannot be read: "+err.Error()+".")
		return
	}
	s := f.byContent(content)
	if s == nil {
		refuse(w, http.StatusNotFound, "This content is not held here.")
		return
	}
	s.touch()
	if m, ok := w.(*meter); ok {
		m.chosen, m.class = true, tuber.ClassRepair
	}
	k := tuber.MaxPartitions
	if c := s.announcement(); c != nil {
		k = c.K
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return
	}
	f.writeChunks(r.Context(), w, content, ask, k)
}

func (f *follower) byContent(content tuber.ContentID) *stream {
	for _, s := range f.all() {
		if s.content == content {
			return s
		}
	}
	return nil
}

// writeChunks sends the manifests first, then the chunks in ascending order.
// The writer is metered by whoever made it.
func (f *follower) writeChunks(ctx context.Context, w http.ResponseWriter, content tuber.ContentID, ask asked, k int) {
	var chunks []tuber.VerifiedChunk
	var manifests [][]byte
	for _, sp := range ask.spans {
		for _, run := range f.memory.kept(content, sp.first, sp.next) {
			before := len(chunks)
			for _, c := range run.chunks {
				if n := c.Number(); n >= sp.first && n < sp.next && ask.wants(n, k) {
					chunks = append(chunks, c)
				}
			}
			raw := run.signed.Raw()
			if len(chunks) > before && (len(manifests) == 0 || string(manifests[len(manifests)-1]) != string(raw)) {
				manifests = append(manifests, raw)
			}
		}
	}
	for len(manifests) > 0 && ctx.Err() == nil {
		n, size := 0, 0
		for n < len(manifests) && n < 255 && (n == 0 || size+len(manifests[n]) <= tuber.MaxControl) {
			size += len(manifests[n])
			n++
		}
		if writeRecord(w, wire.Update{Manifests: manifests[:n]}) != nil {
			return
		}
		manifests = manifests[n:]
	}
	for _, c := range chunks {
		if ctx.Err() != nil || writeRecord(w, wire.Chunk{Content: content, Number: c.Number(), Payload: c.Data()}) != nil {
			return
		}
	}
}

// writeRecord sends a frame behind its length.
func writeRecord(w http.ResponseWriter, frame wire.Frame) error {
	b := frame.Append(make([]byte, 4, 4+tuber.MaxFrame))
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	_, err := w.Write(b)
	return err
}

func (a *asked) wants(n tuber.ChunkNumber, k int) bool {
	return !a.byParts || a.partitions.Has(n.Partition(k))
}

func parseAsked(query string) (asked, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return asked{}, errChunkQuery
	}
	if list := q.Get("list"); list != "" {
		spans, err := parseList(list)
		return asked{spans: spans}, err
	}
	parts, err1 := strconv.ParseUint(q.Get("partitions"), 10, 8)
	from, err2 := strconv.ParseUint(q.Get("from"), 10, 62)
	to, err3 := strconv.ParseUint(q.Get("to"), 10, 62)
	if err1 != nil || err2 != nil || err3 != nil || to < from || to-from >= maxNumbers {
		return asked{}, errChunkQuery
	}
	return asked{
		spans:      []stretch{{tuber.ChunkNumber(from), tuber.ChunkNumber(to) + 1}},
		partitions: tuber.Partitions(parts), byParts: true,
	}, nil
}

// parseList reads "7,9-12": ascending and without overlap, so that no answer
// is longer than what it names.
func parseList(list string) (spans []stretch, err error) {
	var next, total tuber.ChunkNumber
	for item := range strings.SplitSeq(list, ",") {
		a, b, isRange := strings.Cut(item, "-")
		if !isRange {
			b = a
		}
		first, err1 := strconv.ParseUint(a, 10, 62)
		last, err2 := strconv.ParseUint(b, 10, 62)
		sp := stretch{tuber.ChunkNumber(first), tuber.ChunkNumber(last) + 1}
		if err1 != nil || err2 != nil || last < first || sp.first < next {
			return nil, errChunkQuery
		}
		if total += sp.next - sp.first; total > maxNumbers {
			return nil, errChunkQuery
		}
		next = sp.next
		spans = append(spans, sp)
	}
	return spans, nil
}
