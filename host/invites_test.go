package host

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

func TestInviteIsUsedOnce(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	made, err := h.Invite(tuber.Offer{Note: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := tuber.ParseInvite(made.URL)
	if err != nil {
		t.Fatal(err)
	}
	if v.Site != h.Site() || v.Pin == (tuber.Digest{}) || v.Host != h.Addresses().Control {
		t.Errorf("invite %+v, want the site key, a pin and %s", v, h.Addresses().Control)
	}
	if _, _, err := member(t, h, pinned(v), boosterJoin(v, "ann's pc")); err != nil {
		t.Fatal(err)
	}
	var refused *control.RefusedError
	if _, _, err := member(t, h, pinned(v), boosterJoin(v, "eve's pc")); !errors.As(err, &refused) || refused.Code != wire.CodeInvite {
		t.Errorf("second use: got %v, want a refusal", err)
	}
	eventually(t, "the booster is shown", func() bool {
		s, err := h.State()
		return err == nil && s.Boosters == 1 && len(s.BoosterList) == 1 && s.BoosterList[0].Linked &&
			s.BoosterList[0].Name == "ann's pc" && len(s.Invites) == 1 && s.Invites[0].Uses == 0 && s.Invites[0].Note == "Ann"
	})
	s, err := h.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RemoveBooster(s.BoosterList[0].ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the booster is gone", func() bool {
		s, err := h.State()
		return err == nil && s.Boosters == 0 && len(s.BoosterList) == 0
	})
}

func TestInviteTellsWhoseStreamItIs(t *testing.T) {
	cfg := testConfig(t)
	cfg.Name = "Ann’s show"
	h, _ := begin(t, cfg)
	made, err := h.Invite(tuber.Offer{})
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{made.URL, made.AppURL} {
		if v, err := tuber.ParseInvite(link); err != nil || v.Name != cfg.Name {
			t.Errorf("%s: got %q, %v", link, v.Name, err)
		}
	}
	v, err := tuber.ParseInvite(made.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := member(t, h, pinned(v), boosterJoin(v, "ben's pc")); err != nil {
		t.Error(err)
	}
}

// However many redeem a link at once, over real sockets: it enrols one.
func TestOneOfManyRedeemsAnInvite(t *testing.T) {
	const many = 200 // above what one line may hold: this machine stands for a tunnel
	h, _ := begin(t, testConfig(t))
	v, err := h.NewInvite(1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var enrolled, refused atomic.Int32
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ready := make(chan struct{})
	var dialled sync.WaitGroup
	dialled.Add(many)
	for i := range many {
		wg.Go(func() {
			conn, err := control.Dial(ctx, pinned(v))
			dialled.Done()
			if err != nil {
				t.Errorf("dial: %v", err)
				return
			}
			defer conn.Close()
			_, key, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				t.Error(err)
				return
			}
			<-ready
			_, err = control.Join(ctx, conn, control.Identity{Key: key, Site: h.Site(), Join: boosterJoin(v, fmt.Sprint(i))})
			var no *control.RefusedError
			switch {
			case err == nil:
				enrolled.Add(1)
			case errors.As(err, &no) && no.Code == wire.CodeInvite:
				refused.Add(1)
			default:
				t.Errorf("join: %v", err)
			}
		})
	}
	dialled.Wait()
	close(ready)
	wg.Wait()
	if enrolled.Load() != 1 || refused.Load() != many-1 {
		t.Errorf("got %d enrolled, %d refused, want 1 and %d", enrolled.Load(), refused.Load(), many-1)
	}
	if s, err := h.State(); err != nil || len(s.BoosterList) != 1 || len(s.Invites) != 1 || s.Invites[0].Uses != 0 || len(s.Invites[0].UsedBy) != 1 {
		t.Errorf("the book holds %+v, %+v (%v), want one booster by one used invite", s.BoosterList, s.Invites, err)
	}
}

func TestRevokedInviteAndWrongPin(t *testing.T) {
	h, _ := begin(t, testConfig(t))
	v, err := h.NewInvite(1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	wrong := v
	wrong.Pin[0] ^= 1
	if _, _, err := member(t, h, pinned(wrong), boosterJoin(v, "x")); err == nil || !strings.Contains(err.Error(), "TLS key") {
		t.Errorf("wrong pin: got %v, want an error about the TLS key", err)
	}
	list, err := h.Invites()
	if err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v, want one invite", list, err)
	}
	if err := h.RevokeInvite(list[0].ID); err != nil {
		t.Fatal(err)
	}
	var refused *control.RefusedError
	if _, _, err := member(t, h, pinned(v), boosterJoin(v, "x")); !errors.As(err, &refused) || refused.Code != wire.CodeInvite {
		t.Errorf("revoked: got %v, want a refusal", err)
	}
	if err := h.RevokeInvite("00000000"); !errors.Is(err, tuber.ErrInviteUnknown) {
		t.Errorf("got %v, want ErrInviteUnknown", err)
	}
}

func TestInvitesNameTheRightDoor(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4zero, Port: 8443}
	site := &net.TCPAddr{IP: net.IPv4zero, Port: 443}
	fake := func(a net.Addr) net.Listener { return fakeListener{a} }
	for _, c := range []struct {
		name         string
		public       string
		noPin, outer bool
		want         string
		pin          bool
	}{
		{"by address", "203.0.113.5", false, false, "203.0.113.5:8443", true},
		{"by IPv6", "2001:db8::1", false, false, "[2001:db8::1]:8443", true},
		{"a CA vouches", "tv.example", true, false, "tv.example", false},
		{"a tunnel", "tv.example", true, true, "tv.example", false},
		{"a mapped port", "tv.example:9443", false, false, "tv.example:9443", true},
	} {
		h := &Host{cfg: Config{PublicHost: c.public, OuterHTTPS: c.outer}, noPin: c.noPin, pin: tuber.Digest{1}}
		h.sockets.site, h.sockets.control = fake(site), fake(at)
		if got, pin := h.entrance(); got != c.want || (pin != tuber.Digest{}) != c.pin {
			t.Errorf("%s: got %s and pin %x, want %s", c.name, got, pin[:1], c.want)
		}
	}
}

type fakeListener struct{ addr net.Addr }

func (fakeListener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (fakeListener) Close() error              { return nil }
func (l fakeListener) Addr() net.Addr          { return l.addr }
