package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"syscall"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
	"github.com/tubercdn/tuber/store"
)

// hosting is the host that runs in this program once its owner starts it.
type hosting struct {
	dir  string
	upnp bool
	log  *slog.Logger

	mu     sync.Mutex // guards the fields below
	host   *host.Host // nil before a start, and after Stop
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // why it ended; read it once done is closed
}

var errNotHosting = errors.New("no host was started")

// Start opens the host's listeners and serves.
func (h *hosting) Start(s tuber.HostSetup) error {
	cfg, err := hostConfig(s)
	if err != nil {
		return err
	}
	cfg.Dir, cfg.MapPort, cfg.Log = h.dir, h.upnp, h.log
	h.mu.Lock()
	defer h.mu.Unlock()
	if running, _ := h.runningLocked(); running {
		return errors.New("a host runs already; stop it first")
	}
	made, err := host.New(cfg)
	var locked *store.LockedError
	if errors.As(err, &locked) {
		return fmt.Errorf("a host runs on this computer already, outside this window: %w", locked)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.host, h.cancel, h.done, h.err = made, cancel, make(chan struct{}), nil
	go func(done chan struct{}) {
		defer close(done)
		err := made.Run(ctx)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.host == made {
			h.err = err
		}
	}(h.done)
	return nil
}

// hostConfig reads what the owner wrote.
func hostConfig(s tuber.HostSetup) (host.Config, error) {
	cfg := host.Config{
		Files: s.Folder, PublicHost: s.Public, Listen: s.Listen, Uplink: s.Uplink, Name: s.Name,
		PortFallback: true, // nobody could name the other ports in the window
	}
	if s.OuterHTTPS {
		proxies, err := proxiesOf(s.Proxy)
		if err != nil {
			return cfg, err
		}
		cfg.OuterHTTPS, cfg.TrustedProxies = true, proxies
	}
	if s.Listen != "" { // but this one was chosen, and a router may lead to it
		ln, err := net.Listen("tcp", s.Listen)
		if errors.Is(err, syscall.EADDRINUSE) {
			return cfg, fmt.Errorf("listen at %s: the port is taken by another program; stop it or choose another one", s.Listen)
		}
		if err != nil {
			return cfg, fmt.Errorf("listen at %.100q: %w; choose another port", s.Listen, err)
		}
		if err := ln.Close(); err != nil {
			return cfg, err
		}
	}
	if s.Upstream == "" {
		return cfg, nil
	}
	u, err := url.Parse(s.Upstream)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return cfg, fmt.Errorf("%.100q is no web server; write such as http://127.0.0.1:3000", s.Upstream)
	}
	cfg.Upstream = u
	return cfg, nil
}

// proxiesOf reads whose word about visitors is believed: this machine's, unless
// the proxy is elsewhere.
func proxiesOf(text string) ([]netip.Prefix, error) {
	if text == "" {
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, fmt.Errorf("%.100q is no address of a proxy; write such as 192.168.1.2", text)
	}
	return []netip.Prefix{p}, nil
}

// Stop ends the host and waits for it.
func (h *hosting) Stop() error {
	h.mu.Lock()
	cancel, done := h.cancel, h.done
	h.mu.Unlock()
	if done == nil {
		return nil
	}
	cancel()
	<-done
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done != done {
		return nil // started anew meanwhile
	}
	err := h.err
	h.host, h.cancel, h.done, h.err = nil, nil, nil, nil
	return err
}

// Running tells whether a host serves; the error is why one that was started
// ended by itself.
func (h *hosting) Running() (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runningLocked()
}

func (h *hosting) runningLocked() (bool, error) {
	if h.host == nil {
		return false, nil
	}
	select {
	case <-h.done:
		return false, h.err
	default:
		return true, nil
	}
}

// ask speaks to the host that runs.
func (h *hosting) ask() (*host.Host, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if running, err := h.runningLocked(); !running {
		return nil, errors.Join(errNotHosting, err)
	}
	return h.host, nil
}

func (h *hosting) State() (tuber.HostState, error) {
	at, err := h.ask()
	if err != nil {
		return tuber.HostState{}, err
	}
	return at.State()
}

func (h *hosting) Invite(o tuber.Offer) (tuber.Invited, error) {
	at, err := h.ask()
	if err != nil {
		return tuber.Invited{}, err
	}
	return at.Invite(o)
}

func (h *hosting) RevokeInvite(id string) error {
	at, err := h.ask()
	if err != nil {
		return err
	}
	return at.RevokeInvite(id)
}

func (h *hosting) RemoveBooster(id tuber.PeerID) error {
	at, err := h.ask()
	if err != nil {
		return err
	}
	return at.RemoveBooster(id)
}
