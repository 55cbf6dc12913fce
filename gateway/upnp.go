package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/dcps/internetgateway1"
	"github.com/huin/goupnp/dcps/internetgateway2"
	"github.com/huin/goupnp/soap"
)

const (
	searchWithin = 6 * time.Second // for one kind of service; the search itself takes two
	mappingName  = "Tuber peer"    // shown in the router's own pages
	mostRouters  = 4               // asked of one kind; more is not a home
)

// wanService is what the three kinds of service share.
type wanService interface {
	AddPortMappingCtx(ctx context.Context, remoteHost string, external uint16, protocol string,
		internal uint16, client string, enabled bool, description string, lease uint32) error
	DeletePortMappingCtx(ctx context.Context, remoteHost string, external uint16, protocol string) error
	GetExternalIPAddressCtx(ctx context.Context) (string, error)
	GetServiceClient() *goupnp.ServiceClient
}

// discoverRouters looks for UPnP and NAT-PMP at once; of a router that speaks
// both, UPnP is asked first: its mappings have a name in the router's own pages.
func discoverRouters(ctx context.Context) ([]router, error) {
	other := make(chan []router, 1)
	go func() { other <- discoverNATPMP(ctx) }()
	found, err := discoverUPnP(ctx)
	if found = append(found, <-other...); len(found) > 0 {
		return found, nil
	}
	return nil, err
}

// discoverUPnP looks for services one kind after the other, each with its own
// time: some routers answer a search for one only while no other goes on.
func discoverUPnP(ctx context.Context) ([]router, error) {
	useHomeClient()
	kinds := []func(context.Context) ([]router, error){
		search(internetgateway2.NewWANIPConnection2ClientsCtx),
		search(internetgateway1.NewWANIPConnection1ClientsCtx),
		search(internetgateway1.NewWANPPPConnection1ClientsCtx),
	}
	var problems []error
	for _, kind := range kinds {
		found, err := kind(ctx)
		if len(found) > 0 {
			return found, nil
		}
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return nil, errors.New("no router with UPnP or NAT-PMP answered; switch one of them on in the router, or forward the UDP port by hand")
}

func search[S wanService](find func(context.Context) ([]S, []error, error)) func(context.Context) ([]router, error) {
	return func(ctx context.Context) ([]router, error) {
		ctx, cancel := context.WithTimeout(ctx, searchWithin)
		defer cancel()
		services, broken, err := find(ctx)
		if err != nil {
			return nil, fmt.Errorf("search for a router: %w", err)
		}
		var out []router
		for _, s := range services {
			r, err := newUPnPRouter(s)
			if err != nil {
				broken = append(broken, err)
			} else if len(out) < mostRouters {
				out = append(out, r)
			}
		}
		return out, errors.Join(broken...)
	}
}

// upnpRouter is a router that speaks IGD.
type upnpRouter struct {
	service wanService
	local   string // this machine's address on the router's side
}

func newUPnPRouter(s wanService) (*upnpRouter, error) {
	c := s.GetServiceClient()
	local := c.LocalAddr()
	if local == nil {
		return nil, errors.New("this machine's address towards the router is not known")
	}
	c.SOAPClient.HTTPClient = *homeClient()
	return &upnpRouter{service: s, local: net.IP(local).String()}, nil
}

func (r *upnpRouter) name() string { return "UPnP" }

func (r *upnpRouter) add(ctx context.Context, external, internal uint16, life time.Duration) error {
	err := r.service.AddPortMappingCtx(ctx, "", external, "UDP", internal, r.local, true, mappingName, uint32(life/time.Second))
	var fault *soap.SOAPFaultError
	if !errors.As(err, &fault) {
		return err
	}
	// The codes are those of WANIPConnection:2 section 2.5.16.
	switch code := fault.Detail.UPnPError.Errorcode; code {
	case 718, 727, 729: // conflicts with another mapping, wildcard or mechanism
		return errTaken
	case 725:
		return errPermanentOnly
	default:
		return fmt.Errorf("the router refused with UPnP error %d", code)
	}
}

func (r *upnpRouter) remove(ctx context.Context, external uint16) error {
	return r.service.DeletePortMappingCtx(ctx, "", external, "UDP")
}

func (r *upnpRouter) address(ctx context.Context) (netip.Addr, error) {
	text, err := r.service.GetExternalIPAddressCtx(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}, errors.New("the router has no outer address yet")
	}
	return a, nil
}
