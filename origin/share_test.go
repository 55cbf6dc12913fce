package origin

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var shareNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// aspect is one dimension of the matrix: its values, and for each the verdict
// that the rule's source gives. The verdicts were written from design section 4
// and the study's table 4.1 before Decide was; they call nothing of it.
type aspect struct {
	name   string
	values []value
}

type value struct {
	text    string
	bad     bool          // alone keeps the response out
	fresh   time.Duration // explicit freshness that it gives; 0 none
	rule    bool          // an operator's rule names the path
	listed  bool          // a playlist lists it
	byRule  bool          // a type that only a rule shares
	shareBy time.Duration // the rule's share-for
}

const yesterday, tomorrow = "Sat, 21 Nov 2026 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:00 GMT"

var aspects = []aspect{
	{"method", []value{{text: "GET"}, {text: "HEAD", bad: true}, {text: "POST", bad: true}}},
	{"status", []value{{text: "200"}, {text: "206", bad: true}, {text: "203", bad: true}, {text: "304", bad: true}, {text: "404", bad: true}, {text: "500", bad: true}}},
	{"request", []value{{text: ""}, {text: "Authorization: Basic x", bad: true}, {text: "Cookie: a=b", bad: true}, {text: "Proxy-Authorization: x", bad: true}, {text: "Accept: */*"}}},
	{"own fetch", []value{{text: "yes"}, {text: "no", bad: true}}},
	{"complete", []value{{text: "yes"}, {text: "no", bad: true}}},
	{"permission", []value{
		{text: "none", bad: true}, {text: "rule", rule: true}, {text: "rule for 60s", rule: true, shareBy: time.Minute},
		{text: "listed", listed: true}, {text: "rule and listed", rule: true, listed: true},
	}},
	{"path", []value{{text: "/v/a.ts"}, {text: "/v/%61.ts"}, {text: "/v/a%2fb.ts", bad: true}, {text: "/v/a%5Cb.ts", bad: true},
		{text: "/v/../a.ts", bad: true}, {text: "/v/a;b.ts", bad: true}, {text: "/v/a%00.ts", bad: true}, {text: "/v/%2e%2e/a.ts", bad: true}}},
	{"cache-control", []value{
		{text: ""}, {text: "max-age=30", fresh: 30 * time.Second}, {text: "public, max-age=10, s-maxage=50", fresh: 50 * time.Second},
		{text: "Max-Age=30", fresh: 30 * time.Second}, {text: "max-age=0"}, {text: "public"}, {text: "no-cache"}, {text: "no-cache, max-age=30"},
		{text: "private", bad: true}, {text: "Private, max-age=30", bad: true}, {text: `private="Set-Cookie", max-age=30`, bad: true},
		{text: "no-store", bad: true}, {text: "max-age=30, no-store", bad: true}, {text: "must-understand, max-age=30", bad: true},
		{text: "max-age=abc", bad: true}, {text: "max-age=-1", bad: true}, {text: "max-age=30, max-age=60", bad: true},
		{text: "max-age", bad: true}, {text: `max-age=30, x="`, bad: true}, {text: "x-scope=private, max-age=30", bad: true},
		{text: "max-age=30, no-transform", fresh: 30 * time.Second}, {text: "immutable, max-age=30", fresh: 30 * time.Second},
	}},
	{"header", []value{
		{text: ""}, {text: "Set-Cookie: a=b", bad: true}, {text: "Set-Cookie2: a=b", bad: true}, {text: "Vary: Accept-Encoding"},
		{text: "Vary: accept-encoding"}, {text: "Vary: *", bad: true}, {text: "Vary: Cookie", bad: true}, {text: "Vary: Accept-Encoding, Cookie", bad: true},
		{text: "Vary: Origin", bad: true}, {text: "Content-Encoding: gzip", bad: true}, {text: "Content-Range: bytes 0-1/2", bad: true},
		{text: "Content-Length: x", bad: true}, {text: "Content-Length: 100"}, {text: "Content-Length: -1", bad: true},
		{text: "Date: junk", bad: true}, {text: "Age: junk", bad: true}, {text: "Expires: junk", bad: true}, {text: "Etag: \"v\""},
		{text: "Cache-Control: max-age=5|Cache-Control: max-age=5", bad: true}, {text: "Content-Length: 5|Content-Length: 6", bad: true},
		{text: "Content-Type: video/mp2t|Content-Type: text/html", bad: true},
	}},
	{"type", []value{
		{text: "video/mp2t"}, {text: "video/mp4; codecs=\"avc1\""}, {text: "audio/aac"}, {text: "image/png"}, {text: "font/woff2"}, {text: "application/octet-stream"},
		{text: "application/zip", byRule: true}, {text: "application/pdf", byRule: true},
		{text: "", bad: true}, {text: "text/html", bad: true}, {text: "text/plain", bad: true}, {text: "text/css", bad: true}, {text: "text/javascript", bad: true},
		{text: "application/javascript", bad: true}, {text: "application/json", bad: true}, {text: "application/wasm", bad: true},
		{text: "image/svg+xml", bad: true}, {text: "image/SVG+XML", bad: true}, {text: "application/vnd.apple.mpegurl", bad: true}, {text: "audio/mpegurl", bad: true},
		{text: "application/dash+xml", bad: true}, {text: "application/xml", bad: true}, {text: "video", bad: true}, {text: "video/", bad: true}, {text: "video/mp4;;=", bad: true},
		{text: "multipart/byteranges", bad: true},
	}},
	{"query", []value{
		{text: ""}, {text: "?v=3"}, {text: "?token=x", bad: true}, {text: "?Signature=x", bad: true}, {text: "?sig=x", bad: true}, {text: "?expires=9", bad: true},
		{text: "?X-Amz-Date=x", bad: true}, {text: "?access_token=x", bad: true}, {text: "?a=%zz", bad: true}, {text: "?a=1;b=2", bad: true}, {text: "?hdnts=x", bad: true},
	}},
}

// oracle combines the verdicts: it knows nothing of headers.
func oracle(pick []value) (share bool, fresh time.Duration) {
	const window = 20 * time.Second
	var all value
	for _, v := range pick {
		if v.bad {
			return false, 0
		}
		all.rule, all.listed, all.byRule = all.rule || v.rule, all.listed || v.listed, all.byRule || v.byRule
		all.fresh, all.shareBy = max(all.fresh, v.fresh), max(all.shareBy, v.shareBy)
	}
	switch {
	case all.byRule && !all.rule:
		return false, 0
	case all.listed:
		return true, window
	case all.fresh > 0 && all.shareBy > 0:
		return true, min(all.fresh, all.shareBy)
	case all.fresh > 0:
		return true, all.fresh
	case all.shareBy > 0:
		return true, all.shareBy
	}
	return false, 0
}

// request writes the picked values as a follower would see them.
func request(pick []value) ShareRequest {
	p := map[string]string{}
	var permission value
	for i, v := range pick {
		p[aspects[i].name] = v.text
		if aspects[i].name == "permission" {
			permission = v
		}
	}
	r := ShareRequest{Method: p["method"], Target: p["path"] + p["query"], Header: http.Header{}, Response: http.Header{},
		Anonymous: p["own fetch"] == "yes", Complete: p["complete"] == "yes", Now: shareNow}
	fmt.Sscan(p["status"], &r.Status)
	if permission.rule {
		r.Rules = []ShareRule{{Path: regexp.MustCompile(`/other`)}, {Path: regexp.MustCompile(`/v/.*\.ts`), For: permission.shareBy}}
	}
	if permission.listed {
		r.Window = 20 * time.Second
	}
	if p["cache-control"] != "" {
		r.Response.Add("Cache-Control", p["cache-control"])
	}
	doubled := strings.Contains(p["header"], "Content-Type")
	if p["type"] != "" && !doubled {
		r.Response.Add("Content-Type", p["type"])
	}
	add(r.Header, p["request"])
	add(r.Response, p["header"])
	return r
}

func add(h http.Header, lines string) {
	for line := range strings.SplitSeq(lines, "|") {
		if name, text, ok := strings.Cut(line, ": "); ok {
			h.Add(name, text)
		}
	}
}

// TestShareMatrix: every pair of values of any two aspects, beside each of four
// shareable settings of the others.
func TestShareMatrix(t *testing.T) {
	bases := [][]int{make([]int, len(aspects)), make([]int, len(aspects)), make([]int, len(aspects)), make([]int, len(aspects))}
	bases[0][5], bases[0][7] = 1, 1 // a rule, max-age
	bases[1][5] = 2                 // a rule with share-for
	bases[2][5] = 3                 // listed
	bases[3][5], bases[3][7] = 2, 2 // both freshnesses
	cases, shared := 0, 0
	seen := map[string]bool{}
	for _, base := range bases {
		for i := range aspects {
			for j := range i {
				for a := range aspects[i].values {
					for b := range aspects[j].values {
						pick := make([]value, len(aspects))
						for k := range aspects {
							pick[k] = aspects[k].values[base[k]]
						}
						pick[i], pick[j] = aspects[i].values[a], aspects[j].values[b]
						key := fmt.Sprint(pick)
						if seen[key] {
							continue
						}
						seen[key] = true
						share, fresh := oracle(pick)
						got := Decide(request(pick))
						cases++
						if share {
							shared++
						}
						if got.Share != share || got.Fresh != fresh || got.Share != (got.Reason == "") {
							t.Errorf("%v: got %+v, want %v for %v", pick, got, share, fresh)
						}
					}
				}
			}
		}
	}
	if cases < 2000 || shared < 200 {
		t.Errorf("%d cases, of which %d shared: too few to mean anything", cases, shared)
	}
	t.Logf("%d cases, %d shared", cases, shared)
}

// TestShareFreshness: dates, ages, and what a rule may say.
func TestShareFreshness(t *testing.T) {
	drop := []ShareRule{{Path: regexp.MustCompile(`/v/.*`), Drop: []string{"token"}}}
	for _, c := range []struct {
		name    string
		change  func(*ShareRequest)
		share   bool
		seconds int
	}{
		{"expires tomorrow", func(r *ShareRequest) { add(r.Response, "Expires: "+tomorrow) }, true, 86400},
		{"expired yesterday", func(r *ShareRequest) { add(r.Response, "Expires: "+yesterday) }, false, 0},
		{"expires from its own date", func(r *ShareRequest) { add(r.Response, "Expires: "+tomorrow+"|Date: "+yesterday) }, true, 2 * 86400},
		{"max-age beats expires", func(r *ShareRequest) { add(r.Response, "Expires: "+tomorrow+"|Cache-Control: max-age=7") }, true, 7},
		{"max-age 0 beats expires", func(r *ShareRequest) { add(r.Response, "Expires: "+tomorrow+"|Cache-Control: max-age=0") }, false, 0},
		{"age counts", func(r *ShareRequest) { add(r.Response, "Age: 10|Cache-Control: max-age=30") }, true, 20},
		{"too old", func(r *ShareRequest) { add(r.Response, "Age: 30|Cache-Control: max-age=30") }, false, 0},
		{"no-cache takes it away", func(r *ShareRequest) { add(r.Response, "Cache-Control: no-cache, max-age=30") }, false, 0},
		{"nothing said", func(*ShareRequest) {}, false, 0},
		{"huge", func(r *ShareRequest) { add(r.Response, "Cache-Control: max-age=99999999999999999999") }, true, 365 * 86400},
		{"listed, and no-cache", func(r *ShareRequest) { r.Window = time.Minute; add(r.Response, "Cache-Control: no-cache") }, true, 60},
		{"rule drops the key", func(r *ShareRequest) {
			r.Rules, r.Target = drop, "/v/a.ts?token=1"
			add(r.Response, "Cache-Control: max-age=9")
		}, true, 9},
		{"rule drops another key", func(r *ShareRequest) {
			r.Rules, r.Target = drop, "/v/a.ts?token=1&sig=2"
			add(r.Response, "Cache-Control: max-age=9")
		}, false, 0},
		{"long segment", func(r *ShareRequest) { r.Window = time.Minute; add(r.Response, "Content-Length: 67108865") }, false, 0},
		{"longest segment", func(r *ShareRequest) { r.Window = time.Minute; add(r.Response, "Content-Length: 67108864") }, true, 60},
	} {
		r := ShareRequest{Method: "GET", Target: "/v/a.ts", Status: 200, Complete: true, Anonymous: true, Now: shareNow,
			Header: http.Header{}, Response: http.Header{"Content-Type": {"video/mp2t"}},
			Rules: []ShareRule{{Path: regexp.MustCompile(`/v/.*`)}}}
		c.change(&r)
		if d := Decide(r); d.Share != c.share || d.Fresh != time.Duration(c.seconds)*time.Second {
			t.Errorf("%s: got %+v, want %v for %d s", c.name, d, c.share, c.seconds)
		}
	}
}

func TestSharePlaylist(t *testing.T) {
	for _, c := range []struct {
		headers string
		share   bool
	}{
		{"Content-Type: application/vnd.apple.mpegurl", true},
		{"Content-Type: application/x-mpegURL|Cache-Control: no-cache", true},
		{"Content-Type: text/plain", true},
		{"Content-Type: text/html", false},
		{"Content-Type: application/vnd.apple.mpegurl|Cache-Control: private", false},
		{"Content-Type: application/vnd.apple.mpegurl|Cache-Control: no-store", false},
		{"Content-Type: application/vnd.apple.mpegurl|Set-Cookie: a=b", false},
		{"Content-Type: application/vnd.apple.mpegurl|Vary: Cookie", false},
		{"Content-Type: application/vnd.apple.mpegurl|Content-Length: 1048577", false},
	} {
		r := ShareRequest{Method: "GET", Target: "/live.m3u8", Status: 200, Complete: true, Anonymous: true, Playlist: true,
			Header: http.Header{}, Response: http.Header{}, Now: shareNow}
		add(r.Response, c.headers)
		if d := Decide(r); d.Share != c.share {
			t.Errorf("%s: got %+v, want %v", c.headers, d, c.share)
		}
	}
}
