package origin

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
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

// item is something of a playlist that is cut under one URL.
type item struct {
	url      string
	want     *hls.Range
	sequence uint64 // of the newest segment that needs it
	seconds  float64
	initial  bool // EXT-X-MAP: no duration of its own
	gap      bool
}

// key tells two items of one playlist apart.
type itemKey struct {
	url           string
	start, length uint64
}

func (i *item) key() itemKey {
	if i.want == nil {
		return itemKey{url: i.url}
	}
	return itemKey{i.url, i.want.Start, i.want.Length}
}

// items lists what a media playlist names, in the order in which players need
// it, each once. The reason is set, and nothing else, if it must not be shared.
func items(m *hls.Media, base, host string) (out []item, reason string) {
	keys := map[string]bool{}
	for _, uri := range m.Keys {
		if target, ok := resolve(base, uri, host); ok {
			keys[target] = true
		}
	}
	seen := map[itemKey]int{}
	add := func(uri string, want *hls.Range, it item) string {
		target, ok := resolve(base, uri, host)
		switch {
		case !ok:
			return "it names a URL of another origin"
		case keys[target]:
			return "it names a key as a segment"
		case want != nil && (want.Length == 0 || want.Length > tuber.MaxSegment):
			return ""
		}
		it.url, it.want = target, want
		if at, twice := seen[it.key()]; twice {
			out[at].sequence = it.sequence
			return ""
		}
		seen[it.key()] = len(out)
		out = append(out, it)
		return ""
	}
	for i := range m.Segments {
		s := &m.Segments[i]
		if s.Map != nil {
			if reason = add(s.Map.URI, s.Map.Range, item{sequence: s.Sequence, initial: true}); reason != "" {
				return nil, reason
			}
		}
		reason = add(s.URI, s.Range, item{sequence: s.Sequence, seconds: s.Duration.Seconds(), gap: s.Gap})
		if reason != "" {
			return nil, reason
		}
	}
	return out, ""
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
