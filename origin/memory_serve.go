package origin

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tubercdn/tuber"
)

const (
	waitForHeader = 2 * time.Second  // for upstream's answer to a segment that is queued
	waitForMore   = 15 * time.Second // for further bytes of one that is being cut
)

// serve answers a request from what was cut, or from the newest playlist, and
// says false, having written nothing, when the site must answer itself.
func (f *follower) serve(w http.ResponseWriter, r *http.Request) bool {
	if f.cfg.Key == nil || credentials(http.Header{"Authorization": r.Header["Authorization"]}) {
		return false
	}
	target := canonical(r.URL)
	if list, directives := playlistURL(r.URL); directives {
		s := f.known(list)
		if s == nil {
			return false
		}
		s.touch()
		return s.await(r) && s.serveList(w, r)
	}
	if s := f.known(target); s != nil {
		s.touch()
		return s.serveList(w, r)
	}
	content, ok := f.memory.content(target)
	if !ok {
		return false
	}
	for _, s := range f.all() {
		if s.content == content {
			s.touch()
		}
	}
	f.hold(w, r, content)
	if p := f.memory.whole(target); p != nil {
		return f.servePiece(w, r, p)
	}
	return f.serveRange(w, r, target)
}

// serveList answers with the newest own copy while upstream gave it, or said
// that it still holds, within a target duration. A viewer with cookies might get
// another playlist: the site answers, and observe compares.
func (s *stream) serveList(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	newest, current, announced := s.newest, s.current, s.announced
	s.mu.Unlock()
	if newest == nil || announced == nil || s.f.now().Sub(current) > newest.list.Media.Target {
		return false
	}
	if r.Header.Get("Range") != "" || r.Header.Get("Cookie") != "" {
		return false
	}
	copyHeader(w.Header(), newest.header)
	http.ServeContent(w, r, "", modified(newest.header), bytes.NewReader(newest.list.Raw))
	return true
}

// servePiece answers with a whole body: at once if it is complete, as it comes
// while it is cut.
func (f *follower) servePiece(w http.ResponseWriter, r *http.Request, p *piece) bool {
	v, ok := f.await(r, p, waitForHeader, func(v view) bool { return v.header != nil || v.state != pieceCutting })
	switch {
	case !ok || v.state == pieceFailed || v.header == nil:
		return false
	case v.state == pieceDone:
		copyHeader(w.Header(), v.header)
		http.ServeContent(w, r, "", modified(v.header), &pieceReader{chunks: v.chunks, starts: v.starts, size: v.size})
		return true
	case r.Method != http.MethodGet || r.Header.Get("Range") != "" || conditional(r):
		return false
	}
	copyHeader(w.Header(), v.header)
	if v.size >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(v.size, 10))
	}
	w.WriteHeader(http.StatusOK)
	f.pour(w, r, p)
	return true
}

// pour writes a piece as it grows. One that stays unfinished ends the
// response in a way that the client sees as broken, as it would from upstream.
func (f *follower) pour(w http.ResponseWriter, r *http.Request, p *piece) {
	flush := http.NewResponseController(w)
	for i := 0; ; {
		v, ok := f.await(r, p, waitForMore, func(v view) bool { return len(v.chunks) > i || v.state != pieceCutting })
		if !ok {
			panic(http.ErrAbortHandler)
		}
		for ; i < len(v.chunks); i++ {
			if _, err := w.Write(v.chunks[i].Data()); err != nil {
				return // the client left
			}
		}
		switch v.state {
		case pieceDone:
			return
		case pieceFailed:
			panic(http.ErrAbortHandler)
		}
		_ = flush.Flush() // what cannot flush sends when it likes
	}
}

// await waits until a piece is as asked, for at most d.
func (f *follower) await(r *http.Request, p *piece, d time.Duration, asked func(view) bool) (view, bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		v := f.memory.view(p)
		if asked(v) {
			return v, true
		}
		select {
		case <-v.changed:
		case <-t.C:
			return v, false
		case <-r.Context().Done():
			return v, false
		}
	}
}

// unsent are headers of upstream's answer that are about its socket or body,
// or that are set anew.
var unsent = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Te", "Trailer", "Upgrade",
	"Content-Length", "Content-Range", "Accept-Ranges", "Date", "Age",
}

func copyHeader(dst, src http.Header) {
	for name, values := range src {
		dst[name] = append([]string(nil), values...)
	}
	for _, name := range unsent {
		dst.Del(name)
	}
}

func modified(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil {
		return time.Time{}
	}
	return t
}

func conditional(r *http.Request) bool {
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// pieceReader reads the chunks of a piece.
type pieceReader struct {
	chunks []tuber.VerifiedChunk
	starts []int
	size   int64
	at     int64
}

func (p *pieceReader) Read(b []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	chunk, within := locate(p.starts, uint64(p.at))
	n := copy(b, p.chunks[chunk].Data()[within:])
	p.at += int64(n)
	return n, nil
}

func (p *pieceReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	p.at = offset
	return offset, nil
}
