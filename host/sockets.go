package host

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber/internal/admin"
	"github.com/tubercdn/tuber/origin"
)

func (h *Host) openSockets() (err error) {
	l := &listener{fallback: h.cfg.PortFallback, sent: &h.sent, moved: func(flag, wanted, got string) {
		h.cfg.Log.Warn("the port is taken; moved to the next free one", "flag", flag, "wanted", wanted, "got", got)
		h.sockets.moved = append(h.sockets.moved, Move{flag, wanted, got})
	}}
	if h.cfg.Files != "" {
		if h.sockets.folder, err = openFolder(h.cfg.Files); err != nil {
			return err
		}
	}
	if h.sockets.site, err = l.tcp("--listen", h.cfg.Listen); err != nil {
		return err
	}
	if h.sockets.control, err = l.tcp("--control-listen", h.cfg.ControlListen); err != nil {
		return err
	}
	// The dashboard's bytes stay on this machine: they are not counted.
	if h.sockets.dashboard, err = (&listener{l.fallback, l.moved, new(atomic.Uint64)}).tcp("--dashboard", h.cfg.DashboardListen); err != nil {
		return err
	}
	if h.sockets.udp, err = l.udp("--udp-listen", h.cfg.UDPListen); err != nil {
		return err
	}
	if err := h.openSTUN(l); err != nil {
		return err
	}
	h.sockets.admin, err = admin.Listen(h.cfg.Dir)
	return err
}

// openSTUN takes two ports, so that a client can tell whether its mapping
// depends on the destination.
func (h *Host) openSTUN(l *listener) error {
	if h.cfg.STUNListen == Off {
		return nil
	}
	first, err := l.udp("--stun-listen", h.cfg.STUNListen)
	if err != nil {
		return err
	}
	h.sockets.stun = append(h.sockets.stun, first)
	name, _, err := net.SplitHostPort(h.cfg.STUNListen)
	if err != nil {
		return fmt.Errorf("listen at %q: %w; change --stun-listen", h.cfg.STUNListen, err)
	}
	next := first.LocalAddr().(*net.UDPAddr).Port + 1
	if _, asked, _ := net.SplitHostPort(h.cfg.STUNListen); asked == "0" {
		next = 0
	}
	second, err := l.udp("--stun-listen", net.JoinHostPort(name, strconv.Itoa(next)))
	if err != nil {
		return err
	}
	h.sockets.stun = append(h.sockets.stun, second)
	return nil
}

// openServers puts handlers behind the listeners.
func (h *Host) openServers() error {
	if err := h.openSite(); err != nil {
		return err
	}
	cert, pin, err := selfMade(h.cfg.Dir, hostOf(h.cfg.PublicHost), time.Now())
	if err != nil {
		return err
	}
	h.pin = pin
	control := tls.NewListener(origin.NewListener(h.sockets.control, h.cfg.TrustedProxies), &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"}, // WebSockets come by HTTP/1.1
	})
	h.add("control listener", control, origin.NewServer(h.controlRoutes()))

	_, port, err := net.SplitHostPort(h.sockets.dashboard.Addr().String())
	if err != nil {
		return fmt.Errorf("dashboard: %w", err)
	}
	h.guard = newGuard(port, dashboard(h, h.metrics()))
	h.add("dashboard", h.sockets.dashboard, plainServer(h.guard))
	h.add("admin socket", h.sockets.admin, plainServer(api(h)))
	return nil
}

func (h *Host) openSite() error {
	site := origin.NewListener(h.sockets.site, h.cfg.TrustedProxies)
	if h.cfg.CertFile != "" {
		certs, err := loadCertificate(h.cfg.CertFile, h.cfg.KeyFile)
		if err != nil {
			return err
		}
		h.tls = true
		h.noPin = vouched(*certs.current, hostOf(h.cfg.PublicHost), time.Now())
		site = tls.NewListener(site, &tls.Config{
			GetCertificate: certs.get,
			MinVersion:     tls.VersionTLS12,
			NextProtos:     []string{"h2", "http/1.1"},
		})
	}
	h.noPin = h.noPin || h.cfg.OuterHTTPS
	h.add("site listener", site, origin.NewServer(h.siteRoutes()))
	return nil
}

func (h *Host) add(name string, ln net.Listener, s *http.Server) {
	h.servers = append(h.servers, newServer(name, ln, s))
}

// plainServer is for listeners that only this machine reaches.
func plainServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       idleTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
}
