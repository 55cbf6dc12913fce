package origin

import (
	"net/url"
	"regexp"
	"strings"
)

var (
	schemeSource = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:$`)
	hostSource   = regexp.MustCompile(`^(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::(\d+|\*))?(/[^?#]*)?$`)
)

// match is one source expression of CSP Level 3, section 6.7.2.8.
func (n needs) match(source string, u *url.URL) bool {
	switch {
	case source == "*":
		return schemeMatches("http", u.Scheme) || schemeMatches("ws", u.Scheme)
	case strings.EqualFold(source, "'self'"):
		return n.self(u)
	case strings.HasPrefix(source, "'"):
		return false
	case schemeSource.MatchString(source):
		return schemeMatches(strings.ToLower(strings.TrimSuffix(source, ":")), u.Scheme)
	}
	m := hostSource.FindStringSubmatch(source)
	if m == nil {
		return false
	}
	scheme, host, port, path := strings.ToLower(m[1]), m[2], m[3], m[4]
	if scheme == "" {
		scheme = n.page.Scheme
	}
	return schemeMatches(scheme, u.Scheme) && hostMatches(host, u.Hostname()) &&
		portMatches(port, scheme, u) && pathMatches(path, u.Path)
}

// self is the page's own origin, and the same place by a better scheme or by WebSocket.
func (n needs) self(u *url.URL) bool {
	if !strings.EqualFold(u.Host, n.page.Host) {
		return false
	}
	return u.Scheme == n.page.Scheme || u.Scheme == "https" || u.Scheme == "wss" ||
		n.page.Scheme == "http" && u.Scheme == "ws"
}

// schemeMatches is section 6.7.2.9: a source also admits the safer scheme.
func schemeMatches(source, target string) bool {
	switch source {
	case target:
		return true
	case "http":
		return target == "https"
	case "ws":
		return target == "wss" || target == "http" || target == "https"
	case "wss":
		return target == "https"
	}
	return false
}

func hostMatches(source, host string) bool {
	source, host = strings.ToLower(source), strings.ToLower(host)
	if source == "*" {
		return true
	}
	if rest, wild := strings.CutPrefix(source, "*"); wild {
		return strings.HasSuffix(host, rest) && host != rest
	}
	return strings.Trim(source, "[]") == host
}

// defaultPorts of the schemes that a page can name (WHATWG URL section 4.2).
var defaultPorts = map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}

func portMatches(port, scheme string, u *url.URL) bool {
	is := u.Port()
	if is == "" {
		is = defaultPorts[u.Scheme]
	}
	switch port {
	case "*":
		return true
	case "":
		return is == defaultPorts[u.Scheme]
	case "80":
		return is == "80" || is == "443" && scheme != u.Scheme
	}
	return port == is
}

// pathMatches: a source that ends in a slash admits all below it.
func pathMatches(source, path string) bool {
	if source == "" || source == "/" {
		return true
	}
	if p, err := url.PathUnescape(source); err == nil {
		source = p
	}
	if strings.HasSuffix(source, "/") {
		return strings.HasPrefix(path, source)
	}
	return source == path
}
