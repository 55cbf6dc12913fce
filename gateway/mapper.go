package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// MappingLease is what is asked of the router; it is renewed at half of it, so
// a program that was killed leaves nothing open for longer.
const MappingLease = time.Hour

const (
	removeWithin = 3 * time.Second // at exit, whatever the router does
	firstRetry   = time.Minute
	lastRetry    = 30 * time.Minute
)

// MappingPhase is how far a Mapper is.
type MappingPhase string

const (
	MappingOff       MappingPhase = ""          // Run does not run
	MappingSearching MappingPhase = "searching" // for a router, or asking it
	MappingOpen      MappingPhase = "open"
	MappingFailed    MappingPhase = "failed" // Error says why; it is tried again
)

// Mapping is the state of the port at the router.
type Mapping struct {
	Phase    MappingPhase
	External netip.AddrPort // while open: what the world dials
	Public   bool           // while open: External is not behind yet another router
	By       string         // while open: how the router was asked, "UPnP" or "NAT-PMP"
	Error    string         // while failed: one sentence for people
}

// Outcome is the way in which the router lets the world in, or the trouble why
// it does not; both are empty while that is not known.
func (m Mapping) Outcome() (way, trouble string) {
	switch {
	case m.Phase == MappingOpen && m.Public:
		return m.By, ""
	case m.Phase == MappingOpen:
		return "", "the router that mapped the port stands behind another one; forward the UDP port there too, or ask the provider for a public address"
	}
	return "", m.Error
}

// MapperConfig is what a Mapper needs.
type MapperConfig struct {
	Port uint16 // the peer's one UDP port on this machine
	Log  *slog.Logger
	// Changed, if set, hears of every change, from Run's goroutine; it must not block.
	Changed func(Mapping)
}

// Mapper keeps one UDP port mapped at the router, by UPnP or NAT-PMP.
type Mapper struct {
	cfg      MapperConfig
	log      *slog.Logger
	discover func(context.Context) ([]router, error)

	mu    sync.Mutex // guards the field below
	state Mapping
}

// NewMapper makes a mapper; Run runs it.
func NewMapper(cfg MapperConfig) (*Mapper, error) {
	if cfg.Port == 0 {
		return nil, errors.New("map port: the peer's UDP port is not known")
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Mapper{cfg: cfg, log: log, discover: discoverRouters}, nil
}

// State may be called at any time.
func (m *Mapper) State() Mapping {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

func (m *Mapper) set(s Mapping) {
	m.mu.Lock()
	changed := m.state != s
	m.state = s
	m.mu.Unlock()
	if changed && m.cfg.Changed != nil {
		m.cfg.Changed(s)
	}
}

// Run finds a router, maps the port and renews it, and begins anew when that
// fails, until ctx ends; then it takes the mapping back. A line without such a
// router is no error: it is looked for again, more and more seldom.
func (m *Mapper) Run(ctx context.Context) error {
	defer m.set(Mapping{})
	retry := firstRetry
	for ctx.Err() == nil {
		if m.State().Phase != MappingFailed {
			m.set(Mapping{Phase: MappingSearching})
		}
		held, err := m.open(ctx)
		if err == nil {
			retry = firstRetry
			err = m.keep(ctx, held)
		}
		if ctx.Err() != nil {
			break
		}
		m.fail(err)
		if !sleep(ctx, retry+rand.N(retry/4)) {
			break
		}
		retry = min(2*retry, lastRetry)
	}
	return nil
}

// fail says so once, however often it is tried again.
func (m *Mapper) fail(err error) {
	state := Mapping{Phase: MappingFailed, Error: err.Error()}
	if m.State() != state {
		m.log.Info("port not mapped; it is tried again", "port", m.cfg.Port, "error", err)
	}
	m.set(state)
}

// lease is one mapping that a router granted.
type lease struct {
	router   router
	external uint16
	life     time.Duration // 0: until it is removed
	address  netip.Addr
}

// open maps the port at the first router that does it.
func (m *Mapper) open(ctx context.Context) (*lease, error) {
	routers, err := m.discover(ctx)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, r := range routers {
		l, err := grant(ctx, r, m.cfg.Port)
		if err == nil {
			return l, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...)
}

// keep announces a lease and renews it until that fails or ctx ends, when it
// is taken back.
func (m *Mapper) keep(ctx context.Context, l *lease) error {
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
		defer cancel()
		if err := l.router.remove(end, l.external); err != nil && ctx.Err() != nil {
			m.log.Warn("port mapping not removed; it ends with its lease", "port", l.external, "error", err)
		}
	}()
	for {
		m.announce(l)
		if !sleep(ctx, l.renewIn()) {
			return nil
		}
		if err := l.renew(ctx, m.cfg.Port); err != nil {
			return fmt.Errorf("renew port mapping: %w", err)
		}
	}
}

func (m *Mapper) announce(l *lease) {
	state := Mapping{Phase: MappingOpen, External: netip.AddrPortFrom(l.address, l.external), Public: isPublic(l.address), By: l.router.name()}
	if m.State() == state {
		return
	}
	m.log.Info("port mapped at the router", "by", state.By, "port", l.external, "public", state.Public)
	m.set(state)
}

func (l *lease) renewIn() time.Duration {
	if l.life == 0 {
		return MappingLease / 2 // the router may have restarted
	}
	return l.life / 2
}

// sleep waits for d; false means that ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sharedSpace is what providers put between their routers and their customers'
// (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// isPublic tells whether the world can dial the address.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !sharedSpace.Contains(a)
}
