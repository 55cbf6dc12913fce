package origin

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// kind is what a request may get from us.
type kind uint8

const (
	kindOther   kind = iota // nothing: its response passes untouched
	kindPage                // the browser says that it navigates
	kindPerhaps             // an old browser, or curl: only if the body is a whole document
	kindWorker              // the site's own service worker
)

// maxPolicies bounds what is remembered of policies that were logged.
const maxPolicies = 64

// injector adds our script to pages, and our worker to the site's own.
type injector struct {
	cfg *Config

	mu     sync.Mutex // guards the fields below
	logged map[string]bool
}

func newInjector(cfg *Config) *injector { return &injector{cfg: cfg, logged: map[string]bool{}} }

// kindOf reads who asks from the fetch metadata (W3C Fetch Metadata section 2).
func (i *injector) kindOf(r *http.Request, from visitor) kind {
	k := requested(r)
	switch {
	case k == kindOther || i.cfg.Scripts == nil || k == kindWorker && i.cfg.off():
		return kindOther
	case from.plainHTTP() && r.Header.Get("Sec-Fetch-Dest") == "":
		// Browsers send fetch metadata only where they see a secure context, so
		// its presence proves HTTPS in front of a proxy that nobody named.
		i.once("plain HTTP", "browsers run Tuber only on HTTPS or on localhost: give the host a certificate "+
			"(--cert and --key), or name the proxy that has one as trusted; until then the site works without peers")
		return kindOther
	}
	return k
}

func requested(r *http.Request) kind {
	h := r.Header
	if r.Method == http.MethodGet && h.Get("Service-Worker") == "script" {
		return kindWorker
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		return kindOther
	}
	switch h.Get("Sec-Fetch-Dest") {
	case "document", "iframe", "frame":
		return kindPage
	case "":
		if strings.Contains(strings.ToLower(h.Get("Accept")), "text/html") && h.Get("X-Requested-With") == "" {
			return kindPerhaps
		}
	}
	return kindOther
}

// once logs a sentence the first time that its key is seen.
func (i *injector) once(key, sentence string, args ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.logged[key] || len(i.logged) >= maxPolicies {
		return
	}
	i.logged[key] = true
	i.cfg.Log.Warn(sentence, args...)
}

// prepare changes the site's request so that its answer can be read and named.
func (i *injector) prepare(p *passage, out *http.Request) {
	if p.kind == kindOther {
		i.plainTags(out.Header)
		return
	}
	readable(out.Header)
	p.tagged = i.ownTags(p, out.Header)
}

// readable asks for nothing but gzip or identity (RFC 9110 section 12.5.3).
func readable(h http.Header) {
	if acceptsGzip(h) {
		h.Set("Accept-Encoding", "gzip")
	} else {
		h.Set("Accept-Encoding", "identity")
	}
}

func acceptsGzip(h http.Header) bool {
	accepts := false
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		q, _ := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		v, err := strconv.ParseFloat(q, 64)
		refused := err == nil && v == 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return !refused
		case "*":
			accepts = !refused
		}
	}
	return accepts
}

// modify changes the site's answer. In doubt it leaves it as it is.
func (i *injector) modify(p *passage, res *http.Response) error {
	switch {
	case p.kind == kindOther:
		return nil
	case res.StatusCode == http.StatusNotModified && p.tagged:
		tagResponse(res.Header)
		return nil
	case res.StatusCode < 200 || res.StatusCode > 299 || res.StatusCode == http.StatusPartialContent ||
		res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusResetContent:
		return nil
	case p.kind == kindWorker:
		i.worker(p, res)
	case injectable(res.Header):
		i.page(p, res)
	}
	return nil
}

// page puts the script into a document, if its policies let us.
func (i *injector) page(p *passage, res *http.Response) {
	tagResponse(res.Header) // also of a page that is left alone: ownTags drops the tags that are not ours
	needs, all := newNeeds(p.from, i.cfg.Prefix), policies(res.Header)
	if _, ok := needs.choose(all); !ok {
		i.leftAlone(res.Header.Values("Content-Security-Policy"))
		return
	}
	tag := func(head []byte) []byte {
		inner := metaPolicies(head)
		nonce, ok := needs.choose(append(all[:len(all):len(all)], inner...))
		if !ok {
			i.leftAlone([]string{"a policy in a meta element"})
			return nil
		}
		return i.tag(nonce)
	}
	replace(res, func(body io.Reader) rewriter {
		return &splice{src: body, sure: p.kind == kindPage, tag: tag}
	})
}

func (i *injector) tag(nonce string) []byte {
	if nonce != "" {
		nonce = ` nonce="` + nonce + `"`
	}
	return fmt.Appendf(nil, `<script src="%spage.js"%s async></script>`, i.cfg.Prefix, nonce)
}

// leftAlone says once per policy that it keeps us out; nonces change with each page.
func (i *injector) leftAlone(policy []string) {
	text := anyNonce.ReplaceAllString(strings.Join(policy, ", "), "'nonce-...'")
	i.once("policy "+text, "the site's Content-Security-Policy does not let Tuber's script run, so such pages are left alone; "+
		"to let it, allow 'self' in script-src, worker-src and connect-src", "policy", text)
}

// injectable tells an HTML document from a download, by the site's word alone.
func injectable(h http.Header) bool {
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return false
	}
	t, params, err := mime.ParseMediaType(types[0])
	if err != nil || t != "text/html" || foreignCharset(params["charset"]) {
		return false
	}
	disposition, _, _ := strings.Cut(h.Get("Content-Disposition"), ";")
	if d := strings.TrimSpace(disposition); d != "" && !strings.EqualFold(d, "inline") {
		return false
	}
	return !fixed(h)
}

// fixed tells whether the site forbids changes: no-transform (RFC 9111 section
// 5.2.2.6).
func fixed(h http.Header) bool {
	return strings.Contains(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), "no-transform")
}

// foreignCharset tells which encodings do not contain ASCII as it is.
func foreignCharset(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, f := range []string{"utf-16", "utf16", "utf-32", "utf32", "utf-7", "ucs-2", "ucs2", "iso-10646", "unicode", "hz-gb", "iso-2022-kr", "iso-2022-cn", "ibm037", "ebcdic"} {
		if strings.HasPrefix(name, f) && name != "unicode-1-1-utf-8" {
			return true
		}
	}
	return false
}

// worker puts ours before the site's own service worker, on its first line.
func (i *injector) worker(p *passage, res *http.Response) {
	t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || !strings.Contains(t, "javascript") && !strings.Contains(t, "ecmascript") || fixed(res.Header) {
		return
	}
	tagResponse(res.Header)
	needs := newNeeds(p.from, i.cfg.Prefix)
	for _, policy := range policies(res.Header) { // this one governs the worker itself
		sources, name := policy.find("script-src-elem", "script-src", "default-src")
		if name != "" && !needs.matches(sources, needs.worker) {
			i.leftAlone(res.Header.Values("Content-Security-Policy"))
			return
		}
	}
	call := fmt.Sprintf("importScripts(%q);", i.cfg.Prefix+"sw.js")
	replace(res, func(body io.Reader) rewriter { return &preface{src: body, call: call} })
}

// pageLike tells whether a path could be a document's, by its suffix.
func pageLike(p string) bool {
	ext := strings.ToLower(path.Ext(p))
	t := mime.TypeByExtension(ext)
	return t == "" || strings.HasPrefix(t, "text/html") || strings.HasPrefix(t, "application/xhtml")
}

var utf8Mark = []byte("\xef\xbb\xbf")

func hasMark16(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff"))
}
