package origin

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// maxTicketBody is in bytes: a fingerprint in JSON takes 62.
const maxTicketBody = 1 << 10

// serveOwn answers what lies under the prefix; rest is the path behind it.
// The host mounts its own paths (control, join, privacy) before the origin.
func (o *Origin) serveOwn(w http.ResponseWriter, r *http.Request, rest string) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case rest == "page.js" && o.cfg.Scripts != nil:
		o.bundles.serve(w, r, o.cfg.Scripts.Page())
	case rest == "sw.js" && o.cfg.Scripts != nil:
		w.Header().Set("Service-Worker-Allowed", "/")
		o.bundles.serve(w, r, o.cfg.Scripts.Worker())
	case rest == "time":
		o.serveTime(w, r)
	case rest == "ticket":
		o.serveTicket(w, r)
	case strings.HasPrefix(rest, "chunks/"):
		o.follower.serveChunks(w, r)
	default:
		refuse(w, http.StatusNotFound, "There is nothing here: this path is reserved for Tuber.")
	}
}

// moment is the answer of PREFIX time, and a part of the ticket's.
type moment struct {
	Now   tuber.Millis `json:"now"`
	Epoch tuber.Epoch  `json:"epoch"`
}

func (o *Origin) moment() moment {
	return moment{Now: tuber.MillisOf(time.Now()), Epoch: o.cfg.Epoch}
}

func (o *Origin) serveTime(w http.ResponseWriter, r *http.Request) {
	if allow(w, r, http.MethodGet, http.MethodHead) {
		answer(w, o.moment())
	}
}

// ticketAnswer lets a page join: its ticket, the time, and whom to believe.
type ticketAnswer struct {
	Ticket string `json:"ticket"`
	moment
	Site    tuber.PublicKey     `json:"site"`
	Planner tuber.PublicKey     `json:"planner"`
	HTTP    tuber.BitsPerSecond `json:"http,omitempty"` // what the uplink leaves for HTTP, if that is known
}

// serveTicket admits viewers of this site and of no other: a page elsewhere
// that borrows the swarm gets none (design section 4, Tickets).
func (o *Origin) serveTicket(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	if !o.sameOrigin(r) {
		refuse(w, http.StatusForbidden, "Tickets are for pages of this site only.")
		return
	}
	if o.cfg.Tickets == nil || o.cfg.Key == nil || o.cfg.off() {
		refuse(w, http.StatusServiceUnavailable, "Peers are switched off. The site works without them.")
		return
	}
	f, err := readFingerprint(http.MaxBytesReader(w, r.Body, maxTicketBody))
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("The ticket request cannot be read: %v.", err))
		return
	}
	answer(w, ticketAnswer{
		Ticket: o.cfg.Tickets.Ticket(f), moment: o.moment(),
		Site: tuber.PublicKeyOf(o.cfg.Key), Planner: o.cfg.PlannerKey, HTTP: o.pacing.rate(),
	})
}

func readFingerprint(body io.Reader) (f tuber.Fingerprint, err error) {
	var in struct {
		Fingerprint string `json:"fingerprint"`
	}
	if err := json.NewDecoder(body).Decode(&in); err != nil {
		return f, fmt.Errorf("read JSON: %w", err)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(in.Fingerprint)
	if err != nil {
		return f, fmt.Errorf("fingerprint: %w", err)
	}
	if len(raw) != len(f) {
		return f, fmt.Errorf("fingerprint of %d bytes, want %d", len(raw), len(f))
	}
	return tuber.Fingerprint(raw), nil
}

// sameOrigin believes Sec-Fetch-Site, which scripts cannot set; browsers
// without it send Origin with every POST. Neither: not a page of this site.
func (o *Origin) sameOrigin(r *http.Request) bool {
	if site := r.Header.Values("Sec-Fetch-Site"); len(site) > 0 {
		return len(site) == 1 && site[0] == "same-origin"
	}
	from, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || from.Host == "" || len(r.Header.Values("Origin")) != 1 {
		return false
	}
	return strings.EqualFold(from.Host, o.cfg.visitor(r).host)
}

func (c *Config) off() bool { return c.Off != nil && c.Off() }

// plainHTTP tells whether browsers would refuse a service worker on this
// address: only HTTPS and this very machine are secure contexts
// (W3C Secure Contexts section 3.1).
func (v visitor) plainHTTP() bool {
	if v.secure {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower((&url.URL{Host: v.host}).Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err != nil || !a.IsLoopback()
}

func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m {
			return true
		}
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	refuse(w, http.StatusMethodNotAllowed, "This path takes "+strings.Join(methods, " or ")+".")
	return false
}

func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("origin: internal error: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // an error here is the client's leaving
}

// refuse answers with one plain sentence.
func refuse(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence+"\n") // an error here is the client's leaving
}
