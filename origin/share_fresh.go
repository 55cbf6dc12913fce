package origin

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// cacheControl is what a response says of copies (RFC 9111 section 5.2.2).
type cacheControl struct {
	broken   bool
	forbids  bool // no-store, private, must-understand, or something that sounds like it
	noCache  bool // not without asking again: no explicit freshness
	lifetime time.Duration
	explicit bool
}

const maxLifetime = 365 * 24 * time.Hour // RFC 9111 section 1.2.2 lets great values be cut

func parseCacheControl(text string) cacheControl {
	var c cacheControl
	var maxAge, shared time.Duration
	seen := map[string]bool{}
	directives, ok := splitDirectives(text)
	c.broken = !ok
	for _, d := range directives {
		name, value, valued := strings.Cut(d, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if seen[name] || name == "" || strings.ContainsAny(name, " \t\"") {
			c.broken = true
		}
		seen[name] = true
		switch name {
		case "max-age", "s-maxage":
			d, ok := seconds(strings.Trim(value, `"`))
			c.broken = c.broken || !ok || !valued
			if name == "max-age" {
				maxAge = d
			} else {
				shared = d
			}
		case "no-cache":
			c.noCache = true
		default:
			c.forbids = c.forbids || forbidding(name, value)
		}
	}
	c.lifetime, c.explicit = maxAge, seen["max-age"]
	if seen["s-maxage"] { // holds for a cache that many use (section 5.2.2.10)
		c.lifetime, c.explicit = shared, true
	}
	return c
}

// forbidding reads also what is no directive but may have been meant as one.
func forbidding(name, value string) bool {
	value = strings.ToLower(value)
	for _, word := range []string{"private", "no-store", "nostore", "must-understand"} {
		if strings.Contains(name, word) || strings.Contains(value, word) {
			return true
		}
	}
	return false
}

// splitDirectives splits at commas outside quotes; false if a quote stays open.
func splitDirectives(text string) (list []string, ok bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	start, quoted := 0, false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ',' && !quoted:
			list = append(list, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(list, strings.TrimSpace(text[start:])), !quoted
}

// seconds is a delta-seconds of RFC 9111 section 1.2.2: digits alone.
func seconds(text string) (time.Duration, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > int64(maxLifetime/time.Second) {
		return maxLifetime, true
	}
	return time.Duration(n) * time.Second, true
}

// dates is what a response says of its age.
type dates struct {
	broken  bool
	age     time.Duration
	expires time.Duration // from Date, or from now
	has     bool          // it has Expires
}

func parseDates(h http.Header, now time.Time) dates {
	var d dates
	base := now
	if text := h.Get("Date"); has(h, "Date") {
		t, err := http.ParseTime(text)
		d.broken = d.broken || err != nil
		base = t
	}
	if text := h.Get("Expires"); has(h, "Expires") {
		t, err := http.ParseTime(text)
		d.broken = d.broken || err != nil
		d.expires, d.has = min(t.Sub(base), maxLifetime), true
	}
	if text := h.Get("Age"); has(h, "Age") {
		age, ok := seconds(text)
		d.broken = d.broken || !ok
		d.age = age
	}
	return d
}

// fresh is how long peers may serve it: while its playlist lists it; else as
// long as the response says, at most as the rule says; else as the rule says.
func (j *judged) fresh() time.Duration {
	if j.Window > 0 {
		return j.Window
	}
	var explicit time.Duration
	switch {
	case j.cache.noCache:
	case j.cache.explicit:
		explicit = j.cache.lifetime - j.dates.age
	case j.dates.has:
		explicit = j.dates.expires - j.dates.age
	}
	var rule time.Duration
	if j.rule != nil {
		rule = j.rule.For
	}
	switch {
	case explicit <= 0:
		return rule
	case rule <= 0:
		return explicit
	}
	return min(explicit, rule)
}

// signed are query keys that make a URL one person's own.
var signed = map[string]bool{
	"sig": true, "sign": true, "signature": true, "token": true, "expires": true, "expiry": true, "exp": true,
	"policy": true, "key-pair-id": true, "hmac": true, "mac": true, "auth": true, "authorization": true, "jwt": true,
	"md5": true, "session": true, "sessionid": true, "session_id": true, "sid": true, "hdnts": true, "hdnea": true,
	"hdntl": true, "key": true, "apikey": true, "api_key": true, "password": true, "ticket": true, "user": true, "uid": true,
}

// signedParts are what such keys contain, however a site spells them.
var signedParts = []string{"token", "signature", "session", "sessid", "secret", "credential", "access_key", "accesskey", "passw"}

// signedQuery finds marks of signed URLs that no rule names.
func signedQuery(j *judged) bool {
	if !j.queryOK {
		return true
	}
	for key := range j.query {
		k := strings.ToLower(key)
		marked := signed[k] || strings.HasPrefix(k, "x-amz-") || strings.HasPrefix(k, "x-goog-")
		for _, part := range signedParts {
			marked = marked || strings.Contains(k, part)
		}
		if marked && !j.dropped(key) {
			return true
		}
	}
	return false
}

func (j *judged) dropped(key string) bool {
	if j.rule == nil {
		return false
	}
	for _, d := range j.rule.Drop {
		if d == key {
			return true
		}
	}
	return false
}
