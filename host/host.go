// Package host is a home server assembled: the origin before a web site, the
// planner, the host's own peer and its store, STUN and port mapping, and the
// listeners, pages and sockets through which people and programs reach them.
//
// Listeners, and who is believed there:
//   - the public site: strangers. The reserved prefix is answered here, all
//     else is the site's;
//   - control: boosters. TLS with a self-made certificate whose key invites
//     pin, so that a secret never travels unprotected; nothing of the site;
//   - the dashboard: the owner. Loopback, and a secret besides (guard.go);
//   - the admin socket: the owner's commands. A Unix socket, mode 0600;
//   - one UDP port for links, two for STUN: strangers.
//
// One tuber.Uplink meters HTTP bodies and links together. One program holds a
// state directory at a time.
package host

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/gateway"
	"github.com/tubercdn/tuber/origin"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
)

// Host is one home server.
type Host struct {
	cfg   Config
	book  *store.Book
	site  ed25519.PrivateKey
	pin   tuber.Digest // of the control listener's key
	tls   bool         // the public listener speaks HTTPS
	noPin bool         // a CA vouches for PublicHost at the public listener

	origin   *origin.Origin
	peer     *peer.Peer
	chunks   *store.Store
	uplink   *tuber.Uplink
	upload   atomic.Int64 // bits per second that the plan may reckon with
	planning *planning
	guard    *guard
	sockets  sockets
	servers  []*server
	runners  []runner
	crowd    *crowd
	events   control.Events // control sockets of pages that came by HTTP/2
	meter    *meter
	sent     atomic.Uint64 // bytes that left through listeners and links
	off      atomic.Bool   // the kill switch

	mapped  atomic.Pointer[gateway.Mapping]
	named   atomic.Pointer[[]netip.Addr] // what the public name stands for
	closing sync.Once
	closed  error
}

// sockets are what New opens; Run hands them on and closes them.
type sockets struct {
	site, control, dashboard, admin net.Listener
	udp                             *net.UDPConn
	stun                            []net.PacketConn
	folder                          *folder
	moved                           []Move
}

// runner is one of the parts that Run keeps running.
type runner struct {
	name string
	run  func(context.Context) error
}

// New validates the configuration and opens everything: the state directory,
// the book, the keys and all sockets. Close or Run lets go of them again.
func New(cfg Config) (*Host, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg, crowd: newCrowd(maxControls, maxControlsOfOneAddress)}
	if err := h.open(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Host) open() error {
	for _, step := range []func() error{h.openState, h.openSockets, h.openParts, h.openServers} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// openState takes the directory. Whoever holds the book holds the directory.
func (h *Host) openState() error {
	if err := os.MkdirAll(h.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make state directory: %w; change --state", err)
	}
	book, err := openBook(h.cfg.Dir, h.cfg.Log)
	if err != nil {
		return err
	}
	h.book = book
	if h.site, err = origin.LoadOrCreateKey(filepath.Join(h.cfg.Dir, siteKeyFile)); err != nil {
		return err
	}
	var off bool
	if _, err := book.Setting(settingOff, &off); err != nil {
		return err
	}
	h.off.Store(off)
	return nil
}

// Site is the key that everything here is signed by.
func (h *Host) Site() tuber.PublicKey { return tuber.PublicKeyOf(h.site) }

// Close lets go of everything that New opened. Run does so by itself.
func (h *Host) Close() error {
	h.closing.Do(func() {
		var errs []error
		for _, l := range []net.Listener{h.sockets.site, h.sockets.control, h.sockets.dashboard, h.sockets.admin} {
			if l != nil {
				errs = append(errs, ignoreClosed(l.Close()))
			}
		}
		if h.sockets.udp != nil {
			errs = append(errs, ignoreClosed(h.sockets.udp.Close()))
		}
		for _, c := range h.sockets.stun {
			errs = append(errs, ignoreClosed(c.Close()))
		}
		if h.sockets.folder != nil {
			errs = append(errs, h.sockets.folder.Close())
		}
		if h.chunks != nil {
			errs = append(errs, h.chunks.Close())
		}
		if h.book != nil {
			errs = append(errs, h.book.Close())
		}
		h.closed = errors.Join(errs...)
	})
	return h.closed
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// drain is how long Run lets requests end by themselves.
const drain = 2 * time.Second

// Run serves until ctx ends, or until a listener fails; then it stops every
// part, waits for all of them and closes what New opened. Any other part that
// fails is missed and logged, and the site works on without it.
func (h *Host) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	if err := h.planning.start(ctx, !h.off.Load()); err != nil {
		return errors.Join(err, h.Close())
	}
	for _, r := range h.runners {
		wg.Go(func() {
			if err := r.run(ctx); err != nil && ctx.Err() == nil {
				h.cfg.Log.Error("a part of the host failed; the site works on", "part", r.name, "err", err)
			}
		})
	}
	for _, s := range h.servers {
		wg.Go(func() {
			if err := s.serve(); err != nil {
				cancel(fmt.Errorf("%s: %w", s.name, err))
			}
		})
	}
	<-ctx.Done()
	h.planning.stop()
	for _, s := range h.servers {
		wg.Go(s.stop)
	}
	wg.Wait()
	err := context.Cause(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return errors.Join(err, h.Close())
}
