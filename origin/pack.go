package origin

import (
	"mime"
	"net/http"
	"strings"

	"github.com/tubercdn/tuber"
)

// leastPacked is how short a body may be that is packed: a packet or two.
const leastPacked = 2 << 10

// pack compresses what a site sends as it is though the viewer takes gzip, where
// the home line is the bottleneck: scripts and styles shrink to a third, and a
// visitor's page is the sooner there. Pages are left alone: what a stranger has a
// page repeat beside a secret would tell the secret by its length (BREACH).
func (o *Origin) pack(p *passage, res *http.Response) {
	h := res.Header
	if p.kind != kindOther || p.in.Method != http.MethodGet || res.StatusCode != http.StatusOK ||
		res.ContentLength < leastPacked || o.cfg.Uplink.Rate() == tuber.Unlimited ||
		!packable(h) || !acceptsGzip(p.in.Header) {
		return
	}
	h.Set("Content-Encoding", "gzip")
	if !strings.Contains(strings.ToLower(strings.Join(h.Values("Vary"), ",")), "accept-encoding") {
		h.Add("Vary", "Accept-Encoding")
	}
	for _, name := range siteOnly {
		h.Del(name)
	}
	if opaque, weak, ok := parseTag(h.Get("Etag")); ok {
		h.Set("Etag", packedTag(opaque, weak))
	}
	unsized(res)
	res.Body = &closer{Reader: &packer{src: res.Body}, Closer: res.Body}
}

// packable tells whether a body is text that others wrote for everybody.
func packable(h http.Header) bool {
	if h.Get("Content-Encoding") != "" || h.Get("Set-Cookie") != "" || fixed(h) {
		return false
	}
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return false
	}
	switch t {
	case "text/css", "text/javascript", "application/javascript", "application/x-javascript",
		"image/svg+xml", "application/wasm", "font/ttf", "font/otf":
		return true
	}
	return false
}
