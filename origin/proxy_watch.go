package origin

import (
	"bytes"
	"compress/gzip"
	"io"
	"mime"
	"net/http"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// passage is one request on its way through the proxy.
type passage struct {
	in     *http.Request
	from   visitor
	kind   kind
	tagged bool // its conditions were about pages of ours
}

var playlistMark = []byte("#EXTM3U") // RFC 8216 section 4.3.1.1

// watch shows the follower a playlist that a viewer got, once it is complete.
func (o *Origin) watch(p *passage, res *http.Response) {
	if p.in.Method != http.MethodGet || res.StatusCode != http.StatusOK || res.ContentLength > tuber.MaxPlaylist {
		return
	}
	encoding := res.Header.Get("Content-Encoding")
	sure := hls.PathLooks(p.in.URL.Path) || hls.TypeLooks(res.Header.Get("Content-Type"))
	if encoding != "" && (encoding != "gzip" || !sure) || !sure && !textual(res.Header) {
		return
	}
	res.Body = &overhear{ReadCloser: res.Body, sure: encoding != "", done: func(body []byte) {
		if encoding == "gzip" {
			body = gunzip(body)
		}
		if bytes.HasPrefix(bytes.TrimPrefix(body, utf8Mark), playlistMark) {
			o.follower.observe(p.in, res, body)
		}
	}}
}

// textual tells what a server may call a playlist that it does not know.
func textual(h http.Header) bool {
	t, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return t == "" || t == "text/plain" || t == "application/octet-stream"
}

// gunzip is nil for what is no gzip, or more than a playlist may be.
func gunzip(b []byte) []byte {
	gz, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(gz, tuber.MaxPlaylist+1))
	if err != nil || len(out) > tuber.MaxPlaylist {
		return nil
	}
	return out
}

// overhear keeps a copy of a body as long as it may be a playlist.
type overhear struct {
	io.ReadCloser
	sure bool // it does not begin as a playlist because it is packed
	body []byte
	deaf bool
	done func(body []byte)
}

func (h *overhear) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if h.deaf {
		return n, err
	}
	h.body = append(h.body, p[:n]...)
	start := bytes.TrimPrefix(h.body, utf8Mark)
	short := min(len(start), len(playlistMark))
	switch {
	case len(h.body) > tuber.MaxPlaylist, !h.sure && !bytes.Equal(start[:short], playlistMark[:short]) && len(h.body) >= 3:
		h.deaf, h.body = true, nil
	case err == io.EOF:
		h.deaf = true
		h.done(h.body)
		h.body = nil
	}
	return n, err
}
