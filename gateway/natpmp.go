package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	natpmp "github.com/jackpal/go-nat-pmp"
)

// natpmpWithin bounds a question to a router that may not speak NAT-PMP: the
// library asks again after 250 and 500 ms (RFC 6886 section 3.1).
const natpmpWithin = 1500 * time.Millisecond

// natpmpRouter is a router that speaks NAT-PMP (RFC 6886).
type natpmpRouter struct {
	client *natpmp.Client
	ports  map[uint16]uint16 // this machine's, by external port
}

// discoverNATPMP asks this machine's ways out whether they speak NAT-PMP.
func discoverNATPMP(ctx context.Context) []router {
	for _, a := range waysOut() {
		if ctx.Err() != nil {
			break
		}
		r := &natpmpRouter{natpmp.NewClientWithTimeout(a.AsSlice(), natpmpWithin), map[uint16]uint16{}}
		if _, err := r.client.GetExternalAddress(); err == nil || isAnswer(err) {
			return []router{r}
		}
	}
	return nil
}

// isAnswer tells a refusal of the router's from silence.
func isAnswer(err error) bool {
	var silent net.Error
	return !errors.As(err, &silent) && err.Error() != "Timed out trying to contact gateway"
}

func (r *natpmpRouter) name() string { return "NAT-PMP" }

func (r *natpmpRouter) add(_ context.Context, external, internal uint16, life time.Duration) error {
	got, err := r.client.AddPortMapping("udp", int(internal), int(external), int(life/time.Second))
	if err != nil {
		return fmt.Errorf("the router refused: %w", err)
	}
	if got.MappedExternalPort != external { // another machine has it; this is not what was announced
		_, _ = r.client.AddPortMapping("udp", int(internal), 0, 0) // else it ends with its lease
		return errTaken
	}
	r.ports[external] = internal
	return nil
}

func (r *natpmpRouter) remove(_ context.Context, external uint16) error {
	internal, ok := r.ports[external]
	if !ok {
		return nil
	}
	delete(r.ports, external)
	_, err := r.client.AddPortMapping("udp", int(internal), 0, 0)
	return err
}

func (r *natpmpRouter) address(context.Context) (netip.Addr, error) {
	got, err := r.client.GetExternalAddress()
	if err != nil {
		return netip.Addr{}, err
	}
	a := netip.AddrFrom4(got.ExternalIPAddress)
	if a.IsUnspecified() {
		return netip.Addr{}, errors.New("the router has no outer address yet")
	}
	return a, nil
}
