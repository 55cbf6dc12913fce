package origin

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tubercdn/tuber"
)

// canonical is a URL as it names a content or a segment: path and query.
func canonical(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}

// pathOf is a canonical URL as a log may show it: without the query, which may
// hold a viewer's key.
func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// playlistURL is the canonical URL of a playlist, without the directives that
// ask for a particular moment of it (rfc8216bis section 6.2.5).
func playlistURL(u *url.URL) (target string, directives bool) {
	if !strings.Contains(u.RawQuery, "_HLS_") {
		return canonical(u), false
	}
	var kept []string
	for _, pair := range strings.Split(u.RawQuery, "&") {
		if !strings.HasPrefix(pair, "_HLS_") {
			kept = append(kept, pair)
		}
	}
	plain := *u
	plain.RawQuery = strings.Join(kept, "&")
	return canonical(&plain), true
}

// resolve reads a URI of the playlist at base. It is false for another origin
// than the one that viewers name as host, and for what no URL may be.
func resolve(base, uri, host string) (string, bool) {
	if strings.Contains(uri, "{$") { // a variable (rfc8216bis section 4.4.2.3)
		return "", false
	}
	b, err := url.Parse(base)
	if err != nil {
		return "", false
	}
	ref, err := url.Parse(uri)
	if err != nil || ref.User != nil || ref.Opaque != "" {
		return "", false
	}
	if ref.Host != "" && !strings.EqualFold(ref.Host, host) {
		return "", false
	}
	if s := strings.ToLower(ref.Scheme); s != "" && (s != "http" && s != "https" || ref.Host == "") {
		return "", false
	}
	u := b.ResolveReference(ref)
	target := canonical(u)
	if target[0] != '/' || strings.HasPrefix(target, "//") || len(target) > tuber.MaxURL {
		return "", false
	}
	return target, true
}

// replayed are the headers that go with a segment, over HTTP and in its manifests.
var replayed = []string{
	"Content-Type", "Cache-Control", "Etag", "Last-Modified",
	"Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy",
}

// replay picks what a manifest carries of upstream's header.
func replay(h http.Header) []tuber.Header {
	var out []tuber.Header
	for _, name := range replayed {
		if v := h.Get(name); v != "" && len(v) <= tuber.MaxHeaderValue {
			out = append(out, tuber.Header{Name: name, Value: v})
		}
	}
	return out
}
