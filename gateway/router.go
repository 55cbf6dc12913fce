package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// router is what a Mapper asks of one: upnpRouter and natpmpRouter.
type router interface {
	name() string // of the protocol that it speaks
	// add maps external to internal on this machine, for life (0: for good).
	add(ctx context.Context, external, internal uint16, life time.Duration) error
	remove(ctx context.Context, external uint16) error
	address(ctx context.Context) (netip.Addr, error) // the router's own, outside
}

// What a router may answer to an add (WANIPConnection:2 section 2.5.16).
var (
	errTaken         = errors.New("the port is mapped to another machine")
	errPermanentOnly = errors.New("the router knows only permanent mappings")
)

// askWithin bounds each question to a router.
const askWithin = 5 * time.Second

// otherPorts is how many external ports are tried when the first is taken.
const otherPorts = 4

// grant asks one router for a mapping and for its outer address.
func grant(ctx context.Context, r router, port uint16) (*lease, error) {
	l := &lease{router: r, external: port, life: MappingLease}
	for try := 0; ; try++ {
		err := l.renew(ctx, port)
		switch {
		case err == nil:
			return l, nil
		case errors.Is(err, errTaken) && try < otherPorts:
			l.external = nextPort(l.external)
		default:
			return nil, fmt.Errorf("map port %d: %w", l.external, err)
		}
	}
}

// nextPort stays out of the privileged ports.
func nextPort(p uint16) uint16 {
	const stride, floor, span = 4099, 1024, 65536 - 1024
	return uint16((max(int(p), floor)-floor+stride)%span + floor)
}

// renew asks for the mapping again, with its whole life, and for the address,
// which a provider may have changed.
func (l *lease) renew(ctx context.Context, port uint16) error {
	err := l.ask(ctx, port)
	if errors.Is(err, errPermanentOnly) && l.life != 0 {
		l.life = 0
		err = l.ask(ctx, port)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	a, err := l.router.address(ctx)
	if err != nil {
		l.giveBack(ctx)
		return fmt.Errorf("ask the router's address: %w", err)
	}
	l.address = a
	return nil
}

func (l *lease) ask(ctx context.Context, port uint16) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return l.router.add(ctx, l.external, port, l.life)
}

// giveBack removes a mapping that is no use; it would end with its lease anyway.
func (l *lease) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	_ = l.router.remove(ctx, l.external)
}
