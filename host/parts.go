package host

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/gateway"
	"github.com/tubercdn/tuber/origin"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
	"github.com/tubercdn/tuber/web"
)

// openParts makes the origin, the planner, the host's own peer and its store,
// and joins each to the others.
func (h *Host) openParts() error {
	h.uplink = tuber.NewUplink(tuber.OnLine(cmp.Or(h.cfg.Uplink, tuber.Unlimited))) // which counts all the same
	h.upload.Store(int64(tuber.InPayload(cmp.Or(h.cfg.Uplink, undeclared))))
	if err := h.openPeer(); err != nil {
		return err
	}
	var err error
	if h.planning, err = newPlanning(h.site, h.peer.ID(), h.book, h.cfg.Log); err != nil {
		return err
	}
	h.planning.stun, h.planning.name, h.planning.cell = h.stunPorts(), h.cfg.Name, h.cfg.CellPeers
	if err := h.openOrigin(); err != nil {
		return err
	}
	if err := h.openGateway(); err != nil {
		return err
	}
	h.meter = newMeter(&h.sent)
	h.runners = append(h.runners,
		runner{"origin", h.origin.Run},
		runner{"store", h.chunks.Run},
		runner{"book", h.book.Run},
		runner{"peer", h.peer.Run},
		runner{"membership", h.join},
		runner{"meter", h.meter.Run},
		runner{"watching", h.watching},
		runner{"line", h.tendLine},
		runner{"charge", h.charge},
	)
	if h.needsName() {
		h.runners = append(h.runners, runner{"public name", h.followName})
	}
	return nil
}

// openPeer makes the root of every tree. Its key lasts for this start: the
// planner trusts it because both are made here.
func (h *Host) openPeer() error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make peer key: %w", err)
	}
	h.chunks, err = store.New(store.Options{Site: h.Site(), Log: h.cfg.Log}) // memory only
	if err != nil {
		return err
	}
	h.peer, err = peer.New(peer.Config{
		Key: key, Role: tuber.RoleOrigin,
		Conn:   &countedPackets{h.sockets.udp, &h.sent},
		Sent:   func(to net.Addr, bytes int) { h.sent.Add(uint64(tuber.DatagramOnLine(to, bytes))) },
		Uplink: h.uplink, Addresses: h.mappings, AllowPrivate: h.cfg.AllowPrivate,
		Log: h.cfg.Log,
	})
	return err
}

// join keeps the peer in its own swarm, through every stop of the planner and
// every refusal: without it the site is all that is left.
func (h *Host) join(ctx context.Context) error {
	for ctx.Err() == nil {
		err := h.peer.Join(ctx, peer.Membership{
			Site: h.Site(), Chunks: h.chunks, Dial: h.planning.dial,
			Means: h.means(),
		})
		if ctx.Err() != nil {
			break
		}
		h.cfg.Log.Error("the host's own peer left its swarm; it joins again", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(rejoinAfter):
		}
	}
	return nil
}

const rejoinAfter = 5 * time.Second

// undeclared is what the plan reckons with where the host does not say what its
// line can do, until that was learnt: enough for a few copies of a stream.
const undeclared tuber.BitsPerSecond = 20e6

func (h *Host) openOrigin() error {
	epoch, err := h.book.NextEpoch("origin")
	if err != nil {
		return fmt.Errorf("start origin: %w", err)
	}
	var site http.Handler
	if h.sockets.folder != nil {
		site = h.sockets.folder
	}
	h.origin, err = origin.New(origin.Config{
		Upstream: h.cfg.Upstream, Handler: site, Prefix: h.cfg.Prefix,
		Key: h.site, Epoch: epoch,
		Follow: h.cfg.Follow, Always: h.cfg.Always, Rules: h.cfg.Rules,
		Publisher: publisher{h}, Tickets: h.planning, PlannerKey: tuber.PublicKeyOf(h.planning.key),
		Scripts: scripts{h}, Off: h.off.Load,
		Uplink: h.uplink, Free: h.planning.free, TrustedProxies: h.cfg.TrustedProxies, Log: h.cfg.Log,
	})
	return err
}

// publisher takes what the origin cuts to the planner and to the links.
type publisher struct{ h *Host }

func (p publisher) SetContents(list []tuber.Content) { p.h.planning.SetContents(list) }

func (p publisher) Publish(pub origin.Publication) {
	err := p.h.peer.Publish(p.h.Site(), peer.Publication(pub))
	if err != nil {
		p.h.cfg.Log.Debug("publish", "content", pub.Content.ID, "err", err)
	}
}

// scripts are the bundles with this host's configuration. Pages keep loading
// them while the kill switch is off: that is how browsers learn to unregister.
type scripts struct{ h *Host }

func (s scripts) Page() []byte   { return web.Page(s.h.webConfig()) }
func (s scripts) Worker() []byte { return web.Worker(s.h.webConfig()) }

func (h *Host) webConfig() web.Config {
	return web.Config{
		Prefix: h.cfg.Prefix, Site: h.Site(), Relay: string(h.cfg.Relay), Enabled: !h.off.Load(), STUN: h.stunPorts(),
	}
}

// stunPorts are where STUN is answered, without a host: each peer asks the one
// by whose name it came. On one machine nobody needs to know how they look
// from outside.
func (h *Host) stunPorts() []string {
	name := hostOf(h.cfg.PublicHost)
	if ip, err := netip.ParseAddr(name); (err == nil && ip.IsLoopback()) || strings.EqualFold(name, "localhost") {
		return nil
	}
	var out []string
	for _, conn := range h.sockets.stun {
		out = append(out, ":"+strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port))
	}
	return out
}

// openGateway makes the STUN server and the mapper of the UDP port.
func (h *Host) openGateway() error {
	if len(h.sockets.stun) > 0 {
		s, err := gateway.NewSTUN(gateway.STUNConfig{Conns: h.sockets.stun, Log: h.cfg.Log})
		if err != nil {
			return err
		}
		h.runners = append(h.runners, runner{"stun", s.Run})
	}
	if h.cfg.MapPort {
		m, err := gateway.NewMapper(gateway.MapperConfig{
			Port: h.udpPort(), Log: h.cfg.Log,
			Changed: func(m gateway.Mapping) { h.mapped.Store(&m) },
		})
		if err != nil {
			return err
		}
		h.runners = append(h.runners, runner{"port mapping", m.Run})
	}
	return nil
}
