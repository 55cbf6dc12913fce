package host

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/origin"
)

// RelayMode says whether viewers pass on to other viewers.
type RelayMode string

const (
	RelayOn  RelayMode = "on"  // unless the viewer or its browser says no
	RelayAsk RelayMode = "ask" // only viewers who said yes
	RelayOff RelayMode = "off" // viewers are linked to boosters, gateways and the origin alone
)

// Off, as the address of a listener that may be missing, leaves it out.
const Off = "off"

// Config is everything a host needs to know. Dir and one of Upstream and Files
// must be set; the zero value of every other field works.
type Config struct {
	// Upstream is the site, such as http://127.0.0.1:8000.
	Upstream *url.URL
	// Files is a folder to serve where there is no web server.
	Files string
	// Dir holds the state: keys, the book, the admin socket. It is made 0700.
	Dir string

	// Listen is the public site, ":8080" if empty.
	Listen string
	// CertFile and KeyFile (PEM) turn on HTTPS at Listen.
	CertFile, KeyFile string
	// OuterHTTPS says that a proxy or tunnel before Listen speaks HTTPS for
	// PublicHost with a CA's certificate: invites then need no pin.
	OuterHTTPS bool
	// ControlListen is where boosters join, over TLS with a self-made
	// certificate whose key invites pin; ":8443" if empty.
	ControlListen string
	// PublicHost is the name or address that invites name, with a port where a
	// router or tunnel changes it. Empty: the address that ControlListen names,
	// or that by which this machine reaches the internet.
	PublicHost string
	// DashboardListen must be on loopback; "127.0.0.1:0" if empty.
	DashboardListen string
	// UDPListen is the one UDP port of all links, ":8443" if empty.
	UDPListen string
	// STUNListen answers STUN there and on the next port; ":3478" if empty, Off for none.
	STUNListen string
	// PortFallback moves a listener to the next free port, logs it and tells it
	// in Addresses.
	PortFallback bool
	// MapPort asks the router to map the UDP port (UPnP).
	MapPort bool

	// Name is what friends see of the host, at most tuber.MaxName bytes; none if
	// it is empty.
	Name string
	// Uplink is the upload of the home line; 0 if it is not declared, which sets no cap.
	Uplink tuber.BitsPerSecond
	// CellPeers is how many peers the planner holds in one cell,
	// planner.DefaultMaxCell if 0.
	CellPeers int
	// Prefix is the reserved path, tuber.DefaultPrefix if empty.
	Prefix string
	// Follow and Always say when streams are followed (see origin.Config).
	Follow origin.FollowMode
	Always []string
	// Rules are what the operator lets into the swarm beyond streams.
	Rules []origin.ShareRule
	// Relay is RelayOn if empty.
	Relay RelayMode
	// TrustedProxies are the peers whose X-Forwarded-* headers are believed.
	TrustedProxies []netip.Prefix
	// AllowPrivate lets links use private and loopback addresses. It is
	// implied by a PublicHost that is such an address itself.
	AllowPrivate bool

	Log *slog.Logger // nil discards
}

func (c *Config) complete() error {
	for field, value := range map[*string]string{
		&c.Listen: ":8080", &c.ControlListen: ":8443", &c.DashboardListen: "127.0.0.1:0",
		&c.UDPListen: ":8443", &c.STUNListen: ":3478", &c.Prefix: tuber.DefaultPrefix,
	} {
		if *field == "" {
			*field = value
		}
	}
	if c.Relay == "" {
		c.Relay = RelayOn
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := c.check(); err != nil {
		return err
	}
	if c.PublicHost == "" {
		c.PublicHost = named(c.ControlListen)
	}
	if c.PublicHost == "" {
		c.PublicHost = outward()
	}
	if ip, err := netip.ParseAddr(strings.Trim(c.PublicHost, "[]")); err == nil {
		c.PublicHost = ip.String()
	}
	if ip, err := netip.ParseAddr(hostOf(c.PublicHost)); err == nil {
		c.AllowPrivate = c.AllowPrivate || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
	}
	c.AllowPrivate = c.AllowPrivate || strings.EqualFold(hostOf(c.PublicHost), "localhost")
	return nil
}

func (c *Config) check() error {
	if c.Dir == "" {
		return errors.New("host: no directory for its state; set --state")
	}
	if (c.Upstream == nil) == (c.Files == "") {
		return errors.New("host: give it either a site (--upstream URL) or a folder (--files DIR)")
	}
	if c.Files != "" {
		if info, err := os.Stat(c.Files); err != nil || !info.IsDir() {
			return fmt.Errorf("host: %s is not a folder that can be read; change --files", c.Files)
		}
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		return errors.New("host: HTTPS needs both --cert and --key")
	}
	if len(c.Name) > tuber.MaxName {
		return fmt.Errorf("host: a name of %d bytes, at most %d; change --name", len(c.Name), tuber.MaxName)
	}
	if c.Uplink < 0 {
		return fmt.Errorf("host: an uplink of %d bit/s; change --uplink", c.Uplink)
	}
	switch c.Relay {
	case RelayOn, RelayAsk, RelayOff:
	default:
		return fmt.Errorf("host: relay %q, want on, ask or off; change --relay", c.Relay)
	}
	if strings.ContainsAny(c.PublicHost, "/#?@ ") {
		return fmt.Errorf("host: public host %q, want a name or an address; change --public-host", c.PublicHost)
	}
	return loopbackOnly(c.DashboardListen)
}

// named is the address that a listener is held to, empty if it takes all.
func named(listen string) string {
	name, _, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(name); ip != nil && ip.IsUnspecified() {
		return ""
	}
	return name
}

// loopbackOnly holds the dashboard's listener to this machine.
func loopbackOnly(addr string) error {
	name, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("host: dashboard at %q: %w; change --dashboard", addr, err)
	}
	ip, err := netip.ParseAddr(name)
	if !strings.EqualFold(name, "localhost") && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("host: the dashboard listens on this machine only, not at %s; use 127.0.0.1 in --dashboard", addr)
	}
	return nil
}
