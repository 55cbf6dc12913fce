package host

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// guard stands before the dashboard and the metrics. The listener is on
// loopback, yet every page a browser has open can reach loopback too, so
// nothing is believed because of where it comes from:
//   - the Host header must name this listener: a rebound DNS name does not;
//   - a request that another origin caused (Origin, Referer, Sec-Fetch-Site) is
//     refused, GETs included;
//   - the secret of this start is asked for, as a cookie or as a bearer token;
//   - http.CrossOriginProtection looks at what changes something once more.
type guard struct {
	secret  string // in the printed address; also the bearer token
	session string // in the cookie
	port    string
	next    http.Handler
	cross   *http.CrossOriginProtection
}

func newGuard(port string, next http.Handler) *guard {
	return &guard{
		secret: newSecret(), session: newSecret(), port: port,
		next: next, cross: http.NewCrossOriginProtection(),
	}
}

func newSecret() string {
	b := make([]byte, 24)
	rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

// cookie is named after the port, because cookies of one address are shared by all its ports.
func (g *guard) cookie() string { return "tuber-dashboard-" + g.port }

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	if !g.ours(r.Host) {
		refuse(w, http.StatusForbidden, "The dashboard answers only under the address that the host printed.")
		return
	}
	if g.foreign(r) || g.cross.Check(r) != nil {
		refuse(w, http.StatusForbidden, "This came from another site. Open the address that the host printed.")
		return
	}
	if r.Method == http.MethodGet && r.URL.Path == "/" && r.URL.Query().Has("key") {
		g.enter(w, r)
		return
	}
	if !g.known(r) {
		refuse(w, http.StatusUnauthorized, "Open the address that the host printed when it started: it holds the key.")
		return
	}
	g.next.ServeHTTP(w, r)
}

// ours is the allow-list of Host headers.
func (g *guard) ours(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil || port != g.port {
		return false
	}
	return name == "127.0.0.1" || name == "::1" || strings.EqualFold(name, "localhost")
}

// foreign tells whether another origin is behind the request. A site on another
// port of this machine is another origin, although browsers call it same-site.
func (g *guard) foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	for _, name := range []string{"Origin", "Referer"} {
		for _, text := range r.Header.Values(name) {
			if u, err := url.Parse(text); err != nil || u.Scheme != "http" || u.Host != r.Host {
				return true
			}
		}
	}
	return false
}

// enter trades the key of the address for a cookie, and takes it out of the address bar.
func (g *guard) enter(w http.ResponseWriter, r *http.Request) {
	if !same(r.URL.Query().Get("key"), g.secret) {
		refuse(w, http.StatusUnauthorized, "This key is of an earlier start. Open the address that the host printed last.")
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: g.cookie(), Value: g.session, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (g *guard) known(r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return same(token, g.secret)
	}
	for _, c := range r.CookiesNamed(g.cookie()) {
		if same(c.Value, g.session) {
			return true
		}
	}
	return false
}

func same(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// policy allows what the pages bring themselves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func harden(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

func refuse(w http.ResponseWriter, code int, sentence string) {
	http.Error(w, sentence, code)
}

// Time limits of every server of the host (RFC 9112 says nothing of slow
// clients; ten thousand dribbling sockets say a lot).
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 30 * time.Second
	maxHeader     = 64 << 10 // bytes
)
