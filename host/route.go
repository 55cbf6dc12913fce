package host

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/tubercdn/tuber/control"
)

// siteRoutes answers what is the host's own under the prefix; the origin
// answers the rest of the prefix, and everything else is the site's.
func (h *Host) siteRoutes() http.Handler {
	own := h.own()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, h.cfg.Prefix); ok {
			if handle := own(rest); handle != nil {
				handle(w, r)
				return
			}
			if rest == "ticket" && !h.planning.running() {
				noPlanner(w) // a ticket would lead nowhere
				return
			}
		}
		h.origin.ServeHTTP(w, r)
	})
}

// controlRoutes is what boosters need, and nothing of the site.
func (h *Host) controlRoutes() http.Handler {
	own := h.own()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, h.cfg.Prefix)
		if !ok {
			refuse(w, http.StatusNotFound, "Boosters join here. The site is at its own address.")
			return
		}
		if handle := own(rest); handle != nil {
			handle(w, r)
			return
		}
		if rest == "time" || strings.HasPrefix(rest, "chunks/") {
			h.origin.ServeHTTP(w, r)
			return
		}
		refuse(w, http.StatusNotFound, "There is nothing here.")
	})
}

// own finds the handler of a path behind the prefix, nil if it is not the host's.
func (h *Host) own() func(rest string) http.HandlerFunc {
	pages := map[string]http.HandlerFunc{
		"join":    reading(page("join.html", nil)),
		"off":     reading(page("off.html", nil)),
		"privacy": reading(page("privacy.html", map[string]string{"{{relay}}": string(h.cfg.Relay)})),
		"control": h.serveControl(control.Accept),

		"control/events": h.serveControl(h.events.Accept),
		"control/send":   func(w http.ResponseWriter, r *http.Request) { h.events.Post(w, h.asSeen(r)) },
	}
	assets := reading(files("style.css", "mark.svg", "qr.js", "join.js", "off.js", "privacy.js"))
	return func(rest string) http.HandlerFunc {
		if strings.HasPrefix(rest, "assets/") {
			return assets
		}
		return pages[rest]
	}
}

// reading lets GET and HEAD pass.
func reading(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "This page is for reading.")
			return
		}
		next(w, r)
	}
}

// serveControl gives a control socket to the planner, for as long as it lives.
func (h *Host) serveControl(accept func(http.ResponseWriter, *http.Request) (control.Conn, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { h.serveConn(accept, w, r) }
}

func (h *Host) serveConn(accept func(http.ResponseWriter, *http.Request) (control.Conn, error), w http.ResponseWriter, r *http.Request) {
	addr := clientAddr(r, h.cfg.TrustedProxies)
	shared := !addr.IsValid() || addr.IsLoopback() || within(addr, h.cfg.TrustedProxies)
	leave := h.crowd.enter(addr, shared)
	if leave == nil {
		refuse(w, http.StatusTooManyRequests, "Too many control sockets are open.")
		return
	}
	defer leave()
	if !h.planning.running() {
		noPlanner(w)
		return
	}
	conn, err := accept(w, h.asSeen(r))
	if err != nil {
		h.cfg.Log.Debug("control socket refused", "err", err)
		return // it answered already
	}
	defer conn.Close()
	h.log(r.Context(), h.planning.serve(r.Context(), conn))
}

// asSeen is a request under the site's name as the browser sees it, which a
// trusted proxy may have changed: Accept holds the page's origin against it.
func (h *Host) asSeen(r *http.Request) *http.Request {
	name, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Host"), ",")
	socket, err := netip.ParseAddrPort(r.RemoteAddr)
	if name = strings.TrimSpace(name); name == "" || err != nil || !within(socket.Addr().Unmap(), h.cfg.TrustedProxies) {
		return r
	}
	seen := *r
	seen.Host = name
	return &seen
}

func noPlanner(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	refuse(w, http.StatusServiceUnavailable, "The planner is not running. The site works without it.")
}

// log tells why a control socket ended, where that is worth a line.
func (h *Host) log(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		h.cfg.Log.Debug("control socket ended", "err", err)
	}
}
