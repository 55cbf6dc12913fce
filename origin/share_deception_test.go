package origin

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// deceptions are web cache deception and poisoning, as published since 2017:
// URLs that look like media and answers that look fresh, before a site whose
// operator wrote loose rules. Columns: target, lines of the response.
var deceptions = [][2]string{
	// A private page under a suffix that is shared.
	{"/account/photo.png", "Content-Type: text/html"},
	{"/account/.ts", "Content-Type: text/html; charset=utf-8"},
	{"/account/a.mp4", "Content-Type: application/json"},
	{"/account/a.mp4", "Content-Type: application/xml"},
	{"/account/a.jpg", "Content-Type: image/svg+xml"},
	{"/account/a.ts", "Content-Type: text/javascript"},
	{"/account/a.ts", "Content-Type: application/typescript"},
	{"/account/a.css", "Content-Type: text/css"},
	{"/account/a.woff", "Content-Type: text/plain"},
	{"/account/a.ts", "Content-Type: "},
	{"/account/a.ts", "X: y"},
	{"/account/a.ts", "Content-Type: video/mp2t|Content-Type: text/html"},
	{"/account/a.ts", "Content-Type: video/mp2t, text/html"},
	{"/account/a.ts", "Content-Type: text/html;video/mp2t"},
	// Delimiters that the site and we may read apart.
	{"/account;a.ts", "Content-Type: video/mp2t"},
	{"/account;/a.ts", "Content-Type: video/mp2t"},
	{"/account%3ba.ts", "Content-Type: video/mp2t"},
	{"/account%3Ba.ts", "Content-Type: video/mp2t"},
	{"/account%00.ts", "Content-Type: video/mp2t"},
	{"/account%0a.ts", "Content-Type: video/mp2t"},
	{"/account%0d%0a.ts", "Content-Type: video/mp2t"},
	{"/account%09.ts", "Content-Type: video/mp2t"},
	{"/account%7f.ts", "Content-Type: video/mp2t"},
	{"/account%23a.ts", "Content-Type: video/mp2t"},
	{"/account#a.ts", "Content-Type: video/mp2t"},
	{"/account%3fa.ts", "Content-Type: video/mp2t"},
	{"/account%3Fa.ts", "Content-Type: video/mp2t"},
	{"/account%2fa.ts", "Content-Type: video/mp2t"},
	{"/account%2Fa.ts", "Content-Type: video/mp2t"},
	{"/account%252fa.ts", "Content-Type: video/mp2t"},
	{"/account%5ca.ts", "Content-Type: video/mp2t"},
	{"/account\\a.ts", "Content-Type: video/mp2t"},
	{"/account%255ca.ts", "Content-Type: video/mp2t"},
	{"/account%25a.ts", "Content-Type: video/mp2t"},
	{"/account%a.ts", "Content-Type: video/mp2t"},
	{"/account%", "Content-Type: video/mp2t"},
	// Paths that move.
	{"/media/../account.ts", "Content-Type: video/mp2t"},
	{"/media/..%2faccount.ts", "Content-Type: video/mp2t"},
	{"/media/%2e%2e/account.ts", "Content-Type: video/mp2t"},
	{"/media/%2E./account.ts", "Content-Type: video/mp2t"},
	{"/media/.%2e/account.ts", "Content-Type: video/mp2t"},
	{"/media/%252e%252e/account.ts", "Content-Type: video/mp2t"},
	{"/media/./account.ts", "Content-Type: video/mp2t"},
	{"/media//account.ts", "Content-Type: video/mp2t"},
	{"//account.ts", "Content-Type: video/mp2t"},
	{"/media/..;/account.ts", "Content-Type: video/mp2t"},
	{"/media/..", "Content-Type: video/mp2t"},
	{"media/a.ts", "Content-Type: video/mp2t"},
	{"", "Content-Type: video/mp2t"},
	{"http://other.example/a.ts", "Content-Type: video/mp2t"},
	{"/" + strings.Repeat("a", 3000) + ".ts", "Content-Type: video/mp2t"},
	// Answers made for one person.
	{"/a.ts", "Content-Type: video/mp2t|Set-Cookie: session=1"},
	{"/a.ts", "Content-Type: video/mp2t|Cache-Control: private"},
	{"/a.ts", "Content-Type: video/mp2t|Cache-Control: max-age=60, PRIVATE"},
	{"/a.ts", `Content-Type: video/mp2t|Cache-Control: max-age=60, private="x"`},
	{"/a.ts", "Content-Type: video/mp2t|Cache-Control: max-age=60,no-store"},
	{"/a.ts", "Content-Type: video/mp2t|Cache-Control: public|Cache-Control: private"},
	{"/a.ts", "Content-Type: video/mp2t|Cache-Control: max-age=60|Cache-Control: max-age=60"},
	{"/a.ts", "Content-Type: video/mp2t|Cache-Control: max-age=60, max-age=0"},
	{"/a.ts", "Content-Type: video/mp2t|Cache-Control: x=\"private, max-age=60"},
	{"/a.ts", "Content-Type: video/mp2t|Vary: Cookie"},
	{"/a.ts", "Content-Type: video/mp2t|Vary: *"},
	{"/a.ts", "Content-Type: video/mp2t|Vary: X-Forwarded-Host"},
	{"/a.ts", "Content-Type: video/mp2t|Vary: Accept-Encoding|Vary: Cookie"},
	{"/a.ts", "Content-Type: video/mp2t|Vary: Accept-Encoding,"},
	{"/a.ts", "Content-Type: video/mp2t|Content-Encoding: br"},
	{"/a.ts", "Content-Type: video/mp2t|Content-Length: 5|Content-Length: 5"},
	{"/a.ts", "Content-Type: video/mp2t|Content-Length: 5, 5"},
	{"/a.ts", "Content-Type: video/mp2t|Content-Range: bytes 0-4/5"},
	{"/a.ts", "Content-Type: video/mp2t|Expires: 0"},
	{"/a.ts", "Content-Type: video/mp2t|Age: -1"},
	// Addresses made for one person.
	{"/a.ts?token=x", "Content-Type: video/mp2t"},
	{"/a.ts?v=1&Token=x", "Content-Type: video/mp2t"},
	{"/a.ts?%74oken=x", "Content-Type: video/mp2t"},
	{"/a.ts?hdnts=exp=1~hmac=2", "Content-Type: video/mp2t"},
	{"/a.ts?X-Amz-Signature=x", "Content-Type: video/mp2t"},
	{"/a.ts?PHPSESSID=x", "Content-Type: video/mp2t"},
	{"/a.ts?playSessionId=x", "Content-Type: video/mp2t"},
	{"/a.ts?AWSAccessKeyId=x", "Content-Type: video/mp2t"},
	{"/a.ts?client_secret=x", "Content-Type: video/mp2t"},
	{"/a.ts?Policy=x&Key-Pair-Id=y", "Content-Type: video/mp2t"},
	{"/a.ts?a=1;token=2", "Content-Type: video/mp2t"},
	{"/a.ts?a=%", "Content-Type: video/mp2t"},
}

func TestCacheDeception(t *testing.T) {
	if len(deceptions) < 60 {
		t.Fatalf("%d cases, want at least 60", len(deceptions))
	}
	shareable := func(target, headers string, rule string) Decision {
		r := ShareRequest{Method: "GET", Target: target, Status: 200, Complete: true, Anonymous: true, Now: shareNow,
			Header: http.Header{}, Response: http.Header{}, Rules: []ShareRule{{Path: regexp.MustCompile(rule), For: 1e9}}}
		add(r.Response, headers)
		return Decide(r)
	}
	for _, c := range deceptions {
		if d := shareable(c[0], c[1], `(?s).*`); d.Share {
			t.Errorf("%.80q with %q is shared", c[0], c[1])
		}
	}
	// The same rule does share what is plain, and a rule matches whole paths only.
	for target, want := range map[string]bool{"/media/a.ts": true, "/media/%C3%A4%20b.ts?v=2": true, "/x/media/a.ts": false, "/media/a.ts.html": false} {
		if d := shareable(target, "Content-Type: video/mp2t", `/media/[^/]*\.ts`); d.Share != want {
			t.Errorf("%s: got %+v, want %v", target, d, want)
		}
	}
}
