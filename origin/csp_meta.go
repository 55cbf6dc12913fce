package origin

import (
	"html"
	"regexp"
)

var (
	anyNonce   = regexp.MustCompile(`(?i)'nonce-[^']*'`)
	metaTag    = regexp.MustCompile(`(?is)<meta\s(?:[^>"']|"[^"]*"|'[^']*')*>`)
	metaEquiv  = regexp.MustCompile(`(?is)\shttp-equiv\s*=\s*["']?content-security-policy["'\s/>]`)
	metaQuoted = regexp.MustCompile(`(?is)\scontent\s*=\s*(?:"([^"]*)"|'([^']*)')`)
)

// metaPolicies are the policies in meta elements of the part of a page that has
// come. A page that sends them later than its first bytes has them enforced by
// the browser all the same: our script then falls silent.
func metaPolicies(head []byte) []policy {
	var all []policy
	for _, tag := range metaTag.FindAll(head, 8) {
		if !metaEquiv.Match(tag) {
			continue
		}
		m := metaQuoted.FindSubmatch(tag)
		if m == nil {
			continue
		}
		if p := parsePolicy(html.UnescapeString(string(m[1]) + string(m[2]))); len(p) > 0 {
			delete(p, "sandbox") // not honoured in meta (CSP Level 3 section 3.3)
			all = append(all, p)
		}
	}
	return all
}
