package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"regexp"
)

// defaultListen is where a host listens unless it is told.
const defaultListen = ":8080"

// Host is the command that puts a swarm before a web server.
type Host struct {
	Upstream   string `placeholder:"URL" help:"The web server to stand before, such as http://127.0.0.1:3000."`
	Files      string `placeholder:"DIR" help:"Serve this folder, without any web server."`
	Listen     string `default:"${listen}" placeholder:"ADDRESS" help:"Where viewers come in, ADDRESS:PORT or :PORT (default ${default})."`
	Cert       string `placeholder:"FILE" help:"Certificate for https, PEM. Peers need https, except on this machine."`
	Key        string `placeholder:"FILE" help:"Key of that certificate, PEM."`
	OuterHTTPS bool   `name:"outer-https" help:"A proxy or tunnel before this host speaks https for --public-host."`
	PublicHost string `placeholder:"HOST" help:"Name or address that invite links name, with a port if need be (default: this machine's own address)."`

	ControlListen string `default:":8443" placeholder:"ADDRESS" help:"A second port, with TLS, where boosters join if there is no certificate (default ${default})."`
	Dashboard     string `default:"127.0.0.1:0" placeholder:"ADDRESS" help:"Where your own page listens, on this machine only (default ${default})."`
	UDPListen     string `name:"udp-listen" default:":8443" placeholder:"ADDRESS" help:"The one UDP port for links (default ${default})."`
	STUNListen    string `name:"stun-listen" default:":3478" placeholder:"ADDRESS" help:"The first of two UDP ports that answer STUN; off for none (default ${default})."`
	UPnP          bool   `name:"upnp" negatable:"" default:"true" help:"Ask the router to map the UDP port (--no-upnp: do not)."`
	LAN           bool   `name:"lan" help:"Link to peers in private networks too. It is so anyway if --public-host is a private address."`

	Uplink       Rate           `default:"unlimited" placeholder:"RATE" help:"Upload of this line, such as 10Mbit/s: everything together stays under it (default ${default})."`
	Follow       string         `enum:"viewer,always" default:"viewer" help:"Follow a stream once a viewer asks for it (viewer), or those of --playlist at all times too (always)."`
	Playlist     []string       `placeholder:"PATH" help:"Paths of playlists that are followed without viewers."`
	Share        []string       `hidden:"" placeholder:"PATTERN" help:"Share files whose whole path matches this regular expression too, such as /downloads/.*"`
	ShareFor     Duration       `hidden:"" default:"0s" placeholder:"TIME" help:"How long files of --share may be shared where the site does not say."`
	Relay        string         `enum:"on,ask,off" default:"on" help:"Whether viewers pass on to viewers: on, ask (only who said yes), or off."`
	TrustedProxy []netip.Prefix `placeholder:"CIDR" help:"Proxies or tunnels before this host whose X-Forwarded-For is believed, such as 127.0.0.1/32."`
	Prefix       string         `default:"/.tuber/" placeholder:"PATH" help:"The one path kept for Tuber itself (default ${default})."`
	Name         string         `placeholder:"TEXT" help:"What friends see of this host, such as the name of your channel."`
	State        string         `aliases:"dir" placeholder:"DIR" help:"Where keys and the book are kept (default: tuber/host in your state folder)."`
}

func (h *Host) check() error {
	switch {
	case h.Upstream == "" && h.Files == "":
		return errors.New("--upstream or --files is missing: name the web server to stand before, or the folder to serve")
	case h.Upstream != "" && h.Files != "":
		return errors.New("--upstream and --files exclude each other: leave one out")
	case (h.Cert == "") != (h.Key == ""):
		return errors.New("--cert and --key belong together: give both or none")
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
	if len(h.Name) > 64 {
		return fmt.Errorf("--name: %d bytes, at most 64", len(h.Name))
	}
	if h.Uplink <= 0 {
		return errors.New("--uplink: 0 sends nothing; write this line's upload, or unlimited")
	}
	for _, p := range h.Share {
		if _, err := regexp.Compile(p); err != nil {
			return fmt.Errorf("--share: %w; write a regular expression such as /downloads/.*", err)
		}
	}
	return nil
}

// Demo is the command that shows everything on one machine.
type Demo struct {
	Listen   string `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where the page is; a taken port moves to the next (default ${default})."`
	Input    string `placeholder:"FILE_OR_URL" help:"Stream this instead of the built-in clip; needs ffmpeg."`
	Viewers  int    `placeholder:"N" help:"Run this many headless viewers beside it, in a process of their own."`
	SiteOnly bool   `name:"site-only" hidden:"" help:"Serve the sample site alone, for benches and tests."`
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
