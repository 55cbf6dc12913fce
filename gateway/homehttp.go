package gateway

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"

	"github.com/huin/goupnp"
)

// maxDescription bounds what is read of one answer from a router, in bytes.
const maxDescription = 256 << 10

var errNotHome = errors.New("a router announced itself at an address outside the home network")

// isHome tells whether a router for this machine may have the address. Anyone
// on the network may answer a search and name any address, so no other is
// spoken to.
func isHome(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsPrivate() || a.IsLinkLocalUnicast() || sharedSpace.Contains(a)
}

// homeClient speaks HTTP to the home network only, directly, follows no
// redirect, and reads no more than maxDescription of an answer.
func homeClient() *http.Client {
	dialer := &net.Dialer{Timeout: askWithin, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("dial router: %w", err)
		}
		if !isHome(at.Addr()) {
			return errNotHome
		}
		return nil
	}}
	return &http.Client{
		Timeout:       askWithin,
		Transport:     bounded{&http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts every body at maxDescription.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxDescription), resp.Body}
	return resp, nil
}

// useHomeClient gives the library our client for reading descriptions. Its one
// hook for that is a variable of its own, so it is set once.
var useHomeClient = sync.OnceFunc(func() { goupnp.HTTPClientDefault = homeClient() })
