package origin

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// judged is a ShareRequest with its parts read once.
type judged struct {
	*ShareRequest
	path      string // decoded; "" if it is not in one plain spelling
	query     url.Values
	queryOK   bool
	rule      *ShareRule
	mediaType string // "" if unparsable
	cache     cacheControl
	dates     dates
}

// objections are the rules of design section 4 and of the study's table 4.1, in
// the order in which they are told. The first one that holds keeps the response
// out of every swarm; sharing needs that none does.
var objections = []struct {
	reason string
	holds  func(*judged) bool
}{
	{"the method is not GET", func(j *judged) bool { return j.Method != http.MethodGet }},
	{"the status is not 200", func(j *judged) bool { return j.Status != http.StatusOK }},
	{"the body is not complete", func(j *judged) bool { return !j.Complete }},
	{"the request carried credentials", func(j *judged) bool { return credentials(j.Header) }},
	{"these are not the bytes of the follower's own fetch", func(j *judged) bool { return !j.Anonymous }},
	{"the path has more than one spelling", func(j *judged) bool { return j.path == "" }},
	{"no rule and no playlist names it", func(j *judged) bool { return j.rule == nil && j.Window <= 0 && !j.Playlist }},
	{"a header is doubled", func(j *judged) bool { return doubled(j.Response) }},
	{"it sets a cookie", func(j *judged) bool { return has(j.Response, "Set-Cookie") || has(j.Response, "Set-Cookie2") }},
	{"its Cache-Control cannot be read", func(j *judged) bool { return j.cache.broken }},
	{"its Cache-Control forbids it", func(j *judged) bool { return j.cache.forbids }},
	{"it varies", func(j *judged) bool { return varies(j.Response) }},
	{"it is encoded or partial", func(j *judged) bool { return encoded(j.Response) }},
	{"its length cannot be read or is too great", badLength},
	{"its media type is not shared", badType},
	{"its query looks signed or cannot be read", signedQuery},
	{"a date cannot be read", func(j *judged) bool { return j.dates.broken }},
	{"it is not fresh", func(j *judged) bool { return !j.Playlist && j.fresh() <= 0 }},
}

// Decide tells whether a response may enter a swarm. The default is no: what is
// missing, doubled or unparsable keeps it out.
func Decide(r ShareRequest) Decision {
	j := judge(&r)
	for _, o := range objections {
		if o.holds(j) {
			return Decision{Reason: o.reason}
		}
	}
	if r.Playlist {
		return Decision{Share: true}
	}
	return Decision{Share: true, Fresh: j.fresh()}
}

func judge(r *ShareRequest) *judged {
	j := &judged{ShareRequest: r}
	path, query, _ := strings.Cut(r.Target, "?")
	if len(r.Target) <= tuber.MaxURL {
		j.path = onePath(path)
	}
	values, err := url.ParseQuery(query)
	j.query, j.queryOK = values, err == nil
	for i := range r.Rules {
		if rule := &r.Rules[i]; j.path != "" && wholly(rule, j.path) {
			j.rule = rule
			break
		}
	}
	if t, _, err := mime.ParseMediaType(r.Response.Get("Content-Type")); err == nil {
		j.mediaType = t
	}
	j.cache = parseCacheControl(r.Response.Get("Cache-Control"))
	j.dates = parseDates(r.Response, r.Now)
	return j
}

// wholly: a rule counts only if it matches all of the path, not a part of it.
func wholly(rule *ShareRule, path string) bool {
	return regexp.MustCompile(`\A(?:` + rule.Path.String() + `)\z`).MatchString(path)
}

// onePath decodes a path that servers cannot read in two ways, or returns "".
func onePath(raw string) string {
	if !plainPath(raw) {
		return ""
	}
	path, err := url.PathUnescape(raw)
	if err != nil || !plainPath(path) || strings.Contains(path, "%") {
		return ""
	}
	return path
}

// plainPath has no segments that move ("..", ".", ""), no parameters and no bytes
// that one server takes for a separator and another one for a letter.
func plainPath(p string) bool {
	if !strings.HasPrefix(p, "/") {
		return false
	}
	for i := range len(p) {
		if c := p[i]; c < 0x20 || c == 0x7f || c == '\\' || c == ';' || c == '#' || c == '?' {
			return false
		}
	}
	lower := strings.ToLower(p)
	if strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") || strings.Contains(p, "//") {
		return false
	}
	for segment := range strings.SplitSeq(p[1:], "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

func credentials(h http.Header) bool {
	return has(h, "Authorization") || has(h, "Cookie") || has(h, "Proxy-Authorization")
}

func has(h http.Header, name string) bool { return len(h.Values(name)) > 0 }

// single are the headers of which a second line, even an equal one, means that
// two programs wrote this response.
var single = []string{"Cache-Control", "Content-Type", "Content-Length", "Content-Encoding", "Content-Range",
	"Vary", "Expires", "Date", "Age", "Etag", "Last-Modified"}

func doubled(h http.Header) bool {
	for _, name := range single {
		if len(h.Values(name)) > 1 {
			return true
		}
	}
	return false
}

func varies(h http.Header) bool {
	for _, value := range h.Values("Vary") {
		if !strings.EqualFold(strings.TrimSpace(value), "Accept-Encoding") {
			return true
		}
	}
	return false
}

// encoded: the follower asks for identity and whole bodies, and must get them.
func encoded(h http.Header) bool {
	for _, e := range h.Values("Content-Encoding") {
		if !strings.EqualFold(e, "identity") {
			return true
		}
	}
	return has(h, "Content-Range")
}

func badLength(j *judged) bool {
	text := j.Response.Get("Content-Length")
	if !has(j.Response, "Content-Length") {
		return false // chunked; Complete says that its end came
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return err != nil || j.Window > 0 && n > tuber.MaxSegment || j.Playlist && n > tuber.MaxPlaylist
}

// badType is the list of passive types: nothing that a browser runs or renders
// as a page, and no playlist but the one that is being followed.
func badType(j *judged) bool {
	t := j.mediaType
	kind, sub, _ := strings.Cut(t, "/")
	switch {
	case j.Playlist:
		return !hls.TypeLooks(t) && t != "text/plain" && t != "application/octet-stream"
	case hls.TypeLooks(t) || sub == "" || strings.HasPrefix(sub, "svg") || strings.HasSuffix(sub, "+xml"):
		return true
	case kind == "video", kind == "audio", kind == "image", kind == "font", t == "application/octet-stream":
		return false
	case t == "application/zip", t == "application/pdf":
		return j.rule == nil
	}
	return true
}
