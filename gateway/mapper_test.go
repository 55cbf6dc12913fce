package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeRouter is a router in memory that forgets what was not renewed.
type fakeRouter struct {
	outer     netip.Addr
	permanent bool            // knows no leases
	taken     map[uint16]bool // by other machines

	mu    sync.Mutex // guards the fields below
	gone  bool       // answers nothing
	until map[uint16]time.Time
	adds  int
}

var errGone = errors.New("no route to host")

func (r *fakeRouter) name() string { return "fake" }

func (r *fakeRouter) add(_ context.Context, external, _ uint16, life time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.gone:
		return errGone
	case r.taken[external]:
		return errTaken
	case r.permanent && life != 0:
		return errPermanentOnly
	case life == 0:
		life = 1000 * time.Hour
	}
	r.adds++
	if r.until == nil {
		r.until = map[uint16]time.Time{}
	}
	r.until[external] = time.Now().Add(life)
	return nil
}

func (r *fakeRouter) remove(_ context.Context, external uint16) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return errGone
	}
	delete(r.until, external)
	return nil
}

func (r *fakeRouter) address(context.Context) (netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return netip.Addr{}, errGone
	}
	return r.outer, nil
}

// open are the ports that are mapped now.
func (r *fakeRouter) open() []uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []uint16
	for p, end := range r.until {
		if time.Now().Before(end) {
			out = append(out, p)
		}
	}
	return out
}

func (r *fakeRouter) set(gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = gone
	if gone {
		r.until = nil // it restarts and forgets
	}
}

// startMapper runs a mapper on port 4500 with these routers.
func startMapper(t *testing.T, discover func(context.Context) ([]router, error)) (*Mapper, context.CancelFunc, func() []MappingPhase) {
	t.Helper()
	var mu sync.Mutex
	var phases []MappingPhase
	m, err := NewMapper(MapperConfig{Port: 4500, Changed: func(s Mapping) {
		mu.Lock()
		defer mu.Unlock()
		phases = append(phases, s.Phase)
	}})
	if err != nil {
		t.Fatal(err)
	}
	m.discover = discover
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	stop := func() {
		cancel()
		synctest.Wait()
		if err := <-done; err != nil {
			t.Errorf("run: got %v, want nil", err)
		}
		done <- nil
	}
	return m, stop, func() []MappingPhase {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(phases)
	}
}

func found(rs ...router) func(context.Context) ([]router, error) {
	return func(context.Context) ([]router, error) { return rs, nil }
}

func TestMapperRenewsAndRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeRouter{outer: netip.MustParseAddr("11.0.0.1")}
		m, stop, _ := startMapper(t, found(r))
		for range 50 { // a day, far over many leases
			<-time.After(29 * time.Minute)
			synctest.Wait()
			if got := r.open(); !slices.Equal(got, []uint16{4500}) {
				t.Fatalf("got ports %v open, want 4500 at all times", got)
			}
		}
		want := Mapping{Phase: MappingOpen, External: netip.MustParseAddrPort("11.0.0.1:4500"), Public: true, By: "fake"}
		if got := m.State(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		stop()
		if got := r.open(); len(got) != 0 {
			t.Errorf("after the end: got ports %v open, want none", got)
		}
		if got := m.State(); got != (Mapping{}) {
			t.Errorf("after the end: got %+v, want nothing", got)
		}
	})
}

func TestMapperTriesOtherPortsAndRouters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := &fakeRouter{gone: true}
		r := &fakeRouter{outer: netip.MustParseAddr("11.0.0.1"), taken: map[uint16]bool{4500: true}, permanent: true}
		m, stop, _ := startMapper(t, found(broken, r))
		defer stop()
		synctest.Wait()
		got := m.State()
		if got.Phase != MappingOpen || got.External.Port() == 4500 || got.External.Port() < 1024 {
			t.Fatalf("got %+v, want another port, open", got)
		}
		if open := r.open(); !slices.Equal(open, []uint16{got.External.Port()}) {
			t.Errorf("got ports %v open, want what the state says", open)
		}
	})
}

func TestMapperDoubleNAT(t *testing.T) {
	for _, outer := range []string{"192.168.1.7", "10.0.0.3", "100.64.3.4", "172.16.0.1"} {
		synctest.Test(t, func(t *testing.T) {
			m, stop, _ := startMapper(t, found(&fakeRouter{outer: netip.MustParseAddr(outer)}))
			defer stop()
			synctest.Wait()
			if got := m.State(); got.Phase != MappingOpen || got.Public {
				t.Errorf("%s: got %+v, want open and not public", outer, got)
			}
		})
	}
}

func TestMapperFindsTheRouterAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeRouter{outer: netip.MustParseAddr("11.0.0.1")}
		searches := 0
		m, stop, phases := startMapper(t, func(context.Context) ([]router, error) {
			searches++
			return []router{r}, nil
		})
		defer stop()
		synctest.Wait()
		r.set(true)
		<-time.After(31 * time.Minute)
		synctest.Wait()
		if got := m.State(); got.Phase != MappingFailed || got.Error == "" {
			t.Fatalf("router gone: got %+v, want a failure that says why", got)
		}
		r.set(false)
		<-time.After(5 * time.Minute)
		synctest.Wait()
		if got := m.State(); got.Phase != MappingOpen {
			t.Errorf("router back: got %+v, want open", got)
		}
		if searches < 2 {
			t.Errorf("got %d searches, want another after the failure", searches)
		}
		want := []MappingPhase{MappingSearching, MappingOpen, MappingFailed, MappingOpen}
		if got := phases(); !slices.Equal(got, want) {
			t.Errorf("got %v announced, want %v", got, want)
		}
	})
}

func TestMapperWithoutRouterAsksMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		m, stop, _ := startMapper(t, func(context.Context) ([]router, error) {
			at = append(at, time.Now())
			return nil, errors.New("no router with UPnP answered")
		})
		<-time.After(24 * time.Hour)
		synctest.Wait()
		if got := m.State(); got.Phase != MappingFailed {
			t.Errorf("got %+v, want failed", got)
		}
		stop()
		if n := len(at); n < 24 || n > 60 {
			t.Errorf("got %d searches in a day, want one or two an hour", n)
		}
		if last := at[len(at)-1].Sub(at[len(at)-2]); last < lastRetry {
			t.Errorf("got %v between the last two, want at least %v", last, lastRetry)
		}
	})
}

func TestMapperNeedsAPort(t *testing.T) {
	if _, err := NewMapper(MapperConfig{}); err == nil {
		t.Error("got nil, want an error")
	}
}

// The table is one of a machine with a default route by 192.168.77.1, as
// proc_net(5) lays it out on a little-endian machine.
func TestDefaultRoutes(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the table is one of a little-endian machine")
	}
	const table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
		"eth0\t00000000\t014DA8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
		"eth0\t004DA8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n" +
		"tun0\t00000000\t0100000B\t0003\t0\t0\t50\t00000080\t0\t0\t0\n" + // half of the world
		"ppp0\t00000000\t0100000B\t0003\t0\t0\t50\t00000000\t0\t0\t0\n" + // 11.0.0.1 is no home
		"eth1\t00000000\tzz\t0003\t0\t0\t50\t00000000\t0\t0\t0\n" +
		"short\n"
	if got := defaultRoutes(strings.NewReader(table)); !slices.Equal(got, []netip.Addr{netip.MustParseAddr("192.168.77.1")}) {
		t.Errorf("got %v, want 192.168.77.1 alone", got)
	}
	if got := defaultRoutes(strings.NewReader(strings.Repeat(table, 5000))); len(got) > mostWays {
		t.Errorf("got %d ways, want at most %d", len(got), mostWays)
	}
	for own, want := range map[string]string{
		"192.168.1.17": "[192.168.1.1 192.168.1.254]", "10.0.3.1": "[10.0.3.254]", "11.0.0.7": "[]", "127.0.0.1": "[]", "fe80::7": "[]",
	} {
		if got := fmt.Sprint(guessed(netip.MustParseAddr(own))); got != want {
			t.Errorf("%s: got %s, want %s", own, got, want)
		}
	}
}

func TestNextPort(t *testing.T) {
	seen := map[uint16]bool{}
	for p, i := uint16(80), 0; i < 1000; i++ {
		p = nextPort(p)
		if p < 1024 || seen[p] {
			t.Fatalf("try %d: got port %d, want a fresh one from 1024 on", i, p)
		}
		seen[p] = true
	}
}

// The ranges are RFC 1918, 3927 and 6598: where a home's router may be.
func TestIsHome(t *testing.T) {
	for addr, want := range map[string]bool{
		"192.168.0.1": true, "10.0.0.1": true, "172.31.255.1": true, "169.254.1.1": true, "100.64.0.1": true,
		"::ffff:192.168.0.1": true, "fe80::1": true, "fd00::1": true,
		"127.0.0.1": false, "11.0.0.1": false, "172.32.0.1": false, "::1": false, "2a00::1": false, "0.0.0.0": false,
		"224.0.0.1": false, "100.128.0.1": false,
	} {
		if got := isHome(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
}
