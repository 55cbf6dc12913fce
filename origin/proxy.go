package origin

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tubercdn/tuber/hls"
)

const (
	copyBuffer  = 128 << 10             // bytes; measured best for bodies of 100 KiB and more
	idleLinks   = 1000                  // idle upstream sockets kept: two, the default, cost 2.5 times the throughput
	dialTimeout = 10 * time.Second      // for a socket to the site; answers may take as long as they like
	flushEvery  = 10 * time.Millisecond // at most, before bytes of a body with a length go on
)

// newProxy is the way to the site. A body without a length, and
// text/event-stream, is flushed at once by ReverseProxy itself.
func (o *Origin) newProxy(site http.RoundTripper) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        o.rewrite,
		Transport:      site,
		FlushInterval:  flushEvery,
		BufferPool:     &buffers{},
		ModifyResponse: o.modify,
		ErrorHandler:   o.fail,
		ErrorLog:       log.New(io.Discard, "", 0), // repeats what the client sees
	}
}

// rewrite makes the site's request out of the viewer's. ReverseProxy has taken
// the hop-by-hop headers out before (RFC 9110 section 7.6.1), so that what is
// set here cannot be named away by a Connection header.
func (o *Origin) rewrite(p *httputil.ProxyRequest) {
	p.Out.Host = p.In.Host
	p.Out.URL.Scheme, p.Out.URL.Host = "", ""       // of an absolute-form target (RFC 9112 section 3.2.2)
	p.Out.URL.RawQuery = o.follower.whole(p.In.URL) // also what url.ParseQuery does not understand
	p.Out.Trailer = p.In.Trailer                    // the same map: filled when the body has been read
	pass := &passage{in: p.In, from: o.cfg.visitor(p.In)}
	pass.kind = o.pages.kindOf(p.In, pass.from)
	if pass.kind == kindPage || pass.kind == kindPerhaps {
		o.starts.anew(pass.from.addr)
	}
	*p.Out = *p.Out.WithContext(context.WithValue(p.Out.Context(), passageKey{}, pass))
	o.cfg.forward(p)
	o.pages.prepare(pass, p.Out)
	if hls.PathLooks(p.In.URL.Path) {
		readable(p.Out.Header) // the follower reads along
	}
}

type passageKey struct{}

// passageOf is what rewrite noted of the viewer's request.
func passageOf(out *http.Request) *passage {
	p, _ := out.Context().Value(passageKey{}).(*passage)
	if p == nil {
		panic("origin: internal error: a response without its request")
	}
	return p
}

// modify sees every response of the site before its header goes out.
func (o *Origin) modify(res *http.Response) error {
	if res.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	pass := passageOf(res.Request)
	o.watch(pass, res)
	o.pack(pass, res)
	return o.pages.modify(pass, res)
}

// fail answers for a site that does not.
func (o *Origin) fail(w http.ResponseWriter, r *http.Request, err error) {
	var tooSlow *slowBodyError
	var broken *brokenBodyError
	switch {
	case errors.As(err, &tooSlow):
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusRequestTimeout, "The request came too slowly.")
	case r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // the viewer left, there is nobody to tell
	case errors.As(err, &broken):
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusBadRequest, "The request's body is malformed.")
	default:
		o.cfg.Log.Warn("the site did not answer", "method", r.Method, "err", err)
		refuse(w, http.StatusBadGateway, "The web site behind this address does not answer. Try again in a moment.")
	}
}

// upstream reaches the site, wherever it is. It takes requests whose URL is a
// path and a query, and it adds no header but the ones of the protocol. An
// empty Host becomes the one of the configuration.
type upstream struct {
	cfg   *Config
	under http.RoundTripper
}

// newUpstream is the one way to the site, for the proxy and for the follower.
func newUpstream(cfg *Config) http.RoundTripper {
	if cfg.Handler != nil {
		return &upstream{cfg: cfg, under: handlerTransport{cfg.Handler}}
	}
	return &upstream{cfg: cfg, under: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:          idleLinks,
		MaxIdleConnsPerHost:   idleLinks,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   dialTimeout,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // bodies go through as the site made them
		WriteBufferSize:       64 << 10,
		ReadBufferSize:        64 << 10,
	}}
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.WithContext(r.Context()) // shallow, but for the URL
	to := *r.URL
	out.URL = &to
	if u.cfg.Host != "" {
		out.Host = u.cfg.Host
	}
	out.URL.Scheme, out.URL.Host = "http", "site"
	if up := u.cfg.Upstream; up != nil {
		out.URL.Scheme, out.URL.Host = up.Scheme, up.Host
		if base := strings.TrimSuffix(up.EscapedPath(), "/"); base != "" {
			out.URL.RawPath = base + r.URL.EscapedPath()
			out.URL.Path = strings.TrimSuffix(up.Path, "/") + r.URL.Path
		}
	}
	res, err := u.under.RoundTrip(out)
	if res != nil {
		res.Request = r
	}
	return res, err
}

// leadsOut tells whether a decoded path climbs. Where the site is a folder of its
// server, what lies beside the folder is not the site's.
func (c *Config) leadsOut(path string) bool {
	if c.Upstream == nil || strings.Trim(c.Upstream.Path, "/") == "" {
		return false
	}
	return slices.Contains(strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }), "..")
}

// handlerTransport runs a handler as if it were a server behind a socket.
type handlerTransport struct{ handler http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI = r.URL.RequestURI()
	body, out := io.Pipe()
	w := &pipeWriter{header: http.Header{}, out: out, ready: make(chan struct{})}
	go w.run(t.handler, r)
	select {
	case <-w.ready:
	case <-r.Context().Done():
		body.CloseWithError(r.Context().Err()) // ends the handler at its next write
		return nil, r.Context().Err()
	}
	if w.aborted {
		return nil, errors.New("the handler gave up")
	}
	return w.response(r, body), nil
}

// buffers is httputil.BufferPool over sync.Pool.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, copyBuffer)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
