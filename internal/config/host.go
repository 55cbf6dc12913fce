package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
)

// defaultListen is where a host listens unless it is told.
const defaultListen = ":8080"

// Host is the command that puts a swarm before a web server.
type Host struct {
	Upstream string `placeholder:"URL" help:"The web server to stand before, such as http://127.0.0.1:3000."`
	Files    string `placeholder:"DIR" help:"Serve this folder, without any web server."`
	Listen   string `default:"${listen}" placeholder:"ADDRESS" help:"Where viewers come in, ADDRESS:PORT or :PORT (default ${default})."`
	TLSCert  string `name:"tls-cert" placeholder:"FILE" help:"Certificate for https, PEM. Peers need https, except on this machine."`
	TLSKey   string `name:"tls-key" placeholder:"FILE" help:"Key of that certificate, PEM."`
	Public   string `placeholder:"HOST" help:"Name or address, with a port if need be, that goes into invite links. By default this machine's own address."`
	Name     string `placeholder:"TEXT" help:"What boosters see as the name of this host."`

	ControlListen string   `placeholder:"ADDRESS" help:"A second TLS port for boosters, used when there is no certificate (default: a free port)."`
	Dashboard     string   `placeholder:"ADDRESS" help:"Where the host's own page listens; this machine only (default 127.0.0.1:0)."`
	UDP           string   `name:"udp" placeholder:"ADDRESS" help:"The one UDP port for links (default :0, a free one)."`
	STUN          []string `name:"stun" placeholder:"ADDRESS" help:"UDP ports that answer STUN (default: two free ones)."`
	UPnP          bool     `name:"upnp" negatable:"" default:"true" help:"Ask the router to map the UDP port (--no-upnp: do not)."`

	Upload       Rate           `default:"unlimited" placeholder:"RATE" help:"Upload of this line, such as 10Mbit/s: everything together stays under it (default ${default})."`
	Follow       string         `enum:"viewers,always" default:"viewers" help:"Follow a stream while somebody watches (viewers) or always."`
	Share        []string       `placeholder:"PATH" help:"Share files under these paths too, such as /downloads/*."`
	Relay        string         `enum:"on,ask,off" default:"on" help:"Whether viewers pass on to viewers: on, ask them first, or off."`
	TrustedProxy []netip.Prefix `placeholder:"CIDR" help:"Proxies or tunnels before this host whose X-Forwarded-For is believed, such as 127.0.0.1/32."`
	Prefix       string         `default:"/.tuber/" placeholder:"PATH" help:"The one path kept for Tuber itself (default ${default})."`
	MaxPeers     int            `default:"2000" placeholder:"N" help:"Peers admitted at most (default ${default})."`
	State        string         `placeholder:"DIR" help:"Where keys and the book are kept (default: tuber/host in the user's state folder)."`
}

func (h *Host) check() error {
	switch {
	case h.Upstream == "" && h.Files == "":
		return errors.New("--upstream or --files is missing: name the web server to stand before, or the folder to serve")
	case h.Upstream != "" && h.Files != "":
		return errors.New("--upstream and --files exclude each other: leave one out")
	case (h.TLSCert == "") != (h.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key belong together: give both or none")
	}
	if h.Upstream != "" {
		u, err := url.Parse(h.Upstream)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("--upstream: %q is no web server; write such as http://127.0.0.1:3000", h.Upstream)
		}
	}
	if h.Files != "" {
		if info, err := os.Stat(h.Files); err != nil {
			return fmt.Errorf("--files: %w", err)
		} else if !info.IsDir() {
			return fmt.Errorf("--files: %s is not a folder", h.Files)
		}
	}
	if n := len(h.Prefix); n < 3 || h.Prefix[0] != '/' || h.Prefix[n-1] != '/' {
		return fmt.Errorf("--prefix: %q must begin and end with a slash, such as /.tuber/", h.Prefix)
	}
	if h.MaxPeers < 1 {
		return fmt.Errorf("--max-peers: %d admits nobody; write 1 or more", h.MaxPeers)
	}
	if h.Upload <= 0 {
		return errors.New("--upload: 0 sends nothing; write this line's upload, or unlimited")
	}
	return nil
}

// Demo is the command that shows everything on one machine.
type Demo struct {
	Listen string `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where the page is; a taken port moves to the next (default ${default})."`
	Input  string `placeholder:"FILE_OR_URL" help:"Stream this instead of the built-in clip; needs ffmpeg."`
}

// Gateway is the command that runs the ways in alone.
type Gateway struct {
	STUN []string `name:"stun" default:":3478,:3479" placeholder:"ADDRESS" help:"UDP ports that answer STUN (default ${default})."`
	Map  uint16   `placeholder:"PORT" help:"Keep this UDP port of this machine mapped at the router."`
	UPnP bool     `name:"upnp" negatable:"" default:"true" help:"Map the STUN ports at the router too (--no-upnp: do not)."`
}

func (g *Gateway) check() error {
	if len(g.STUN) == 0 && g.Map == 0 {
		return errors.New("--stun and --map are both empty: there is nothing to do")
	}
	return nil
}
