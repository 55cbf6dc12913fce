package origin

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
)

// visitor is who a request comes from, as far as it can be believed.
type visitor struct {
	addr    netip.Addr // never logged
	host    string     // the site's name as the browser sees it
	secure  bool       // the browser came by HTTPS
	proxied bool       // through a trusted proxy
}

// visitor believes X-Forwarded-* only where the socket's peer is a trusted proxy.
func (c *Config) visitor(r *http.Request) visitor {
	v := visitor{addr: peerOf(r), host: r.Host, secure: r.TLS != nil}
	if !c.trusts(v.addr) {
		return v
	}
	v.proxied = true
	if p := firstOf(r.Header.Get("X-Forwarded-Proto")); p != "" {
		v.secure = strings.EqualFold(p, "https")
	}
	if h := firstOf(r.Header.Get("X-Forwarded-Host")); h != "" {
		v.host = h
	}
	v.addr = c.client(r, v.addr)
	return v
}

// client walks X-Forwarded-For from its end to the first address that is not
// one of our proxies: what stands before that is the client's own word.
func (c *Config) client(r *http.Request, peer netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, ok := parseAddr(strings.TrimSpace(hops[i]))
		if !ok {
			return peer
		}
		if peer = addr; !c.trusts(addr) {
			return addr
		}
	}
	return peer
}

func (c *Config) trusts(a netip.Addr) bool { return within(a, c.TrustedProxies) }

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func peerOf(r *http.Request) netip.Addr {
	a, _ := parseAddr(r.RemoteAddr)
	return a
}

// parseAddr reads "1.2.3.4", "1.2.3.4:80", "::1" and "[::1]:80".
func parseAddr(s string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

// forward tells the site who asks. What the client says of itself is dropped
// unless it is a trusted proxy, in any spelling that a site may read as one of
// these headers: CGI and WSGI turn "-" and "_" into the same letter.
func (c *Config) forward(p *httputil.ProxyRequest) {
	for name := range p.Out.Header {
		if forwarding(name) {
			delete(p.Out.Header, name)
		}
	}
	peer := peerOf(p.In)
	proto := "http"
	if p.In.TLS != nil {
		proto = "https"
	}
	h := p.Out.Header
	if c.trusts(peer) {
		for name, values := range p.In.Header {
			if forwarding(name) && !strings.Contains(name, "_") {
				h[name] = append([]string(nil), values...)
			}
		}
	}
	if peer.IsValid() {
		chain := append(h.Values("X-Forwarded-For"), peer.String())
		h.Set("X-Forwarded-For", strings.Join(chain, ", "))
	}
	setMissing(h, "X-Forwarded-Proto", proto)
	setMissing(h, "X-Forwarded-Host", p.In.Host)
}

func setMissing(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

func forwarding(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	return name == "forwarded" || name == "x-real-ip" || strings.HasPrefix(name, "x-forwarded-")
}
