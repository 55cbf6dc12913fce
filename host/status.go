package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
)

// meter turns a count of bytes into a rate over the last few seconds: segments
// leave in bursts, and a figure that jumps says nothing.
type meter struct {
	count *atomic.Uint64

	mu      sync.Mutex // guards the field below
	samples []sample   // oldest first, at most meterSamples
}

type sample struct {
	at    time.Time
	bytes uint64
}

const (
	meterEvery   = 500 * time.Millisecond
	meterSamples = 13 // six seconds: three segments of the usual length
)

func newMeter(count *atomic.Uint64) *meter { return &meter{count: count} }

// Run takes samples until ctx ends.
func (m *meter) Run(ctx context.Context) error {
	tick := time.NewTicker(meterEvery)
	defer tick.Stop()
	for {
		m.take(time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (m *meter) take(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, sample{now, m.count.Load()})
	if over := len(m.samples) - meterSamples; over > 0 {
		m.samples = slices.Delete(m.samples, 0, over)
	}
}

func (m *meter) rate() tuber.BitsPerSecond {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.samples) < 2 {
		return 0
	}
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	return tuber.BitsPerSecond(float64(last.bytes-first.bytes) * 8 / last.at.Sub(first.at).Seconds())
}

// Status is what a status line shows.
func (h *Host) Status() tuber.HostStatus {
	peers, short, fromPeers := h.planning.status()
	s := tuber.HostStatus{
		Planner: h.planning.running(), Upload: h.meter.rate(),
		Contents: h.planning.streams(), PeerList: peers,
	}
	for _, p := range peers {
		switch p.Role {
		case tuber.RoleViewer:
			s.Viewers++
			s.Tabs += max(1, p.Tabs)
		case tuber.RoleBooster:
			s.Boosters++
		}
	}
	for _, c := range s.Contents {
		s.Bitrate += c.Rate
	}
	for _, c := range short {
		s.Short += c.Missing
	}
	s.Peers = len(h.peer.Stats()[h.Site()].Links)
	s.FromPeers = fromPeers
	return s
}

// State is what the dashboard shows.
func (h *Host) State() (tuber.HostState, error) {
	records, err := h.book.Boosters()
	if err != nil {
		return tuber.HostState{}, fmt.Errorf("read boosters: %w", err)
	}
	invites, err := h.book.Invites()
	if err != nil {
		return tuber.HostState{}, fmt.Errorf("read invites: %w", err)
	}
	s := tuber.HostState{
		HostStatus: h.Status(), Enabled: !h.off.Load(), Invites: invites,
		Site: h.Addresses().Site, Mapping: h.reached(),
	}
	s.Missing = missing(s.Short)
	s.BoosterList = boosters(records, s.PeerList)
	return s, nil
}

// boosters joins what the book knows to what the planner sees now.
func boosters(records []tuber.BoosterRecord, peers []tuber.PeerStatus) []tuber.HostBooster {
	now := make(map[tuber.PeerID]tuber.PeerStatus)
	for _, p := range peers {
		if p.Role == tuber.RoleBooster {
			now[p.ID] = p
		}
	}
	out := make([]tuber.HostBooster, 0, len(records))
	for _, r := range records {
		b := tuber.HostBooster{
			ID: r.ID, Name: r.Name, Delivered: r.Delivered, Upload: r.Upload,
			Enrolled: r.Enrolled, Seen: r.Seen, Invite: r.Invite,
		}
		if p, ok := now[r.ID]; ok {
			b.Linked, b.Upload = true, p.Upload
			b.Delivered = max(b.Delivered, p.Sent) // the book is written once a minute
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b tuber.HostBooster) int {
		if a.Linked != b.Linked {
			if a.Linked {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name+a.ID.String(), b.Name+b.ID.String())
	})
	return out
}

// Addresses are where a host is reached.
type Addresses struct {
	Site      string // of the public site, for people
	Dashboard string // with its secret: for the owner's eyes only
	Control   string // host:port where boosters join
	UDP       string // address of the links' port
	Moved     []Move // listeners that are not where they were asked to be
}

// Move is a listener that PortFallback put at another port.
type Move struct {
	Flag        string // that names the port
	Wanted, Got string // addresses
}

// Addresses are final once New has returned.
func (h *Host) Addresses() Addresses {
	return Addresses{
		Site:      h.siteAddress(),
		Dashboard: "http://" + h.sockets.dashboard.Addr().String() + "/?key=" + h.guard.secret,
		Control:   withPort(h.cfg.PublicHost, h.sockets.control.Addr(), "443"),
		UDP:       net.JoinHostPort(hostOf(h.cfg.PublicHost), portOf(h.sockets.udp.LocalAddr())),
		Moved:     h.sockets.moved,
	}
}

// siteAddress is where people find the site, as far as the host can know.
func (h *Host) siteAddress() string {
	if h.cfg.OuterHTTPS {
		return "https://" + bracketed(h.cfg.PublicHost) + "/"
	}
	name := hostOf(h.cfg.PublicHost)
	if held := named(h.cfg.Listen); held != "" && !h.tls {
		name = held
	}
	if h.tls {
		return "https://" + withPort(name, h.sockets.site.Addr(), "443") + "/"
	}
	return "http://" + withPort(name, h.sockets.site.Addr(), "80") + "/"
}

// hostOf is a public host without the port that it may name.
func hostOf(public string) string {
	if name, _, err := net.SplitHostPort(public); err == nil {
		return name
	}
	return public
}

func portOf(a net.Addr) string {
	_, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return port
}

// SetPlanner stops or starts the planner really, as a crash would.
func (h *Host) SetPlanner(on bool) error {
	if on && h.off.Load() {
		return errors.New("start planner: peers are switched off; switch them on first")
	}
	return h.planning.set(on)
}

// settingOff is true in the book while the kill switch is off: a restart must
// not bring back what the owner switched off.
const settingOff = "off"

// SetEnabled is the kill switch. Off: pages unregister the worker at their next
// look, nobody is admitted, links end; the site works as it did without Tuber.
func (h *Host) SetEnabled(on bool) error {
	h.off.Store(!on)
	return errors.Join(h.book.PutSetting(settingOff, !on), h.planning.set(on))
}
