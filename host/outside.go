package host

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	nameEvery  = 5 * time.Minute // home lines get new addresses, and their names follow
	nameWithin = 10 * time.Second
)

// needsName tells whether the world knows this host by a name that stands for
// its own line: links need the address. A proxy or tunnel has another one.
func (h *Host) needsName() bool {
	name := hostOf(h.cfg.PublicHost)
	_, err := netip.ParseAddr(name)
	return err != nil && !h.cfg.OuterHTTPS && !strings.EqualFold(name, "localhost")
}

// followName keeps the addresses of the public name. While it cannot be looked
// up they stay.
func (h *Host) followName(ctx context.Context) error {
	for ctx.Err() == nil {
		lookup, cancel := context.WithTimeout(ctx, nameWithin)
		found, err := net.DefaultResolver.LookupNetIP(lookup, "ip", hostOf(h.cfg.PublicHost))
		cancel()
		if err == nil {
			addrs := worldly(found)
			h.named.Store(&addrs)
		} else if ctx.Err() == nil {
			h.cfg.Log.Warn("the public name is not found; peers elsewhere may not reach this host", "mend", "correct --public-host")
		}
		select {
		case <-ctx.Done():
		case <-time.After(nameEvery):
		}
	}
	return nil
}

// maxNamed addresses of one name are told to peers.
const maxNamed = 4

// worldly are the addresses that peers elsewhere can use.
func worldly(found []netip.Addr) (out []netip.Addr) {
	for _, a := range found {
		if a = a.Unmap(); a.IsGlobalUnicast() && !a.IsPrivate() && len(out) < maxNamed {
			out = append(out, a)
		}
	}
	return out
}
