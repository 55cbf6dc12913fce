package booster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/store"
)

func TestOneProgramPerDirectory(t *testing.T) {
	dir := stateDir(t)
	b := open(t, dir, nil)
	_, err := New(Config{Dir: dir})
	var locked *store.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("got %v, want an error that names process %d", err, os.Getpid())
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir, nil)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	dir := stateDir(t)
	_, err = New(Config{Dir: dir, Listen: c.LocalAddr().String()})
	if err == nil || !strings.Contains(err.Error(), c.LocalAddr().String()) || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v, want the port and the flag named", err)
	}
	if err := open(t, dir, nil).Close(); err != nil { // nothing was left open
		t.Error(err)
	}
}

func TestPortIsKept(t *testing.T) {
	dir := stateDir(t)
	b := open(t, dir, nil)
	port := b.record.Bound
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir, nil)
	defer b.Close()
	if got := b.record.Bound; got != port || port == 0 {
		t.Errorf("got port %d, want %d as before", got, port)
	}
}

// A port that the owner chooses is the one of the next start, and the router is
// left alone from then on if that was chosen.
func TestPortAndMappingOfTheNextStart(t *testing.T) {
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: stateDir(t), Listen: "127.0.0.1:0", UPnP: true}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if b.mapper == nil || b.Status().Reach.Mapping == "off" {
		t.Errorf("at first: got mapping %q, want the router asked", b.Status().Reach.Mapping)
	}
	s := b.Settings()
	s.Port, s.NoMapping = port, true
	if err := b.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if st := b.Status().Reach; st.Mapping != "off" || st.Port != port || b.conn.AddrPort().Port() != port {
		t.Errorf("got port %d, bound to %v, mapping %q, want port %d and the router left alone", st.Port, b.conn, st.Mapping, port)
	}
}

func TestPauseStopsSendingAtOnceAndOutlivesARestart(t *testing.T) {
	dir := stateDir(t)
	b, stop := begin(t, dir, func(s *tuber.Settings) { s.Limits.Upload = 8e6 })
	pour(t, b)
	eventually(t, "it sends", func() bool { return b.uplink.Total() > 1<<20 })
	if err := b.Pause(all, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := over(time.Second, b.uplink.Total); got != 0 {
		t.Errorf("got %d bytes after the pause began, want 0", got)
	}
	if st := b.Status(); st.Reason != tuber.ReasonPaused || !st.Until.IsZero() {
		t.Errorf("got %+v, want paused without end", st)
	}
	until := time.Now().Add(time.Hour)
	if err := b.Pause(all, until); err != nil {
		t.Fatal(err)
	}
	stop()
	b, _ = begin(t, dir, nil)
	if st := b.Status(); st.Reason != tuber.ReasonPaused || !st.Until.Equal(until) {
		t.Errorf("after a restart: got %+v, want paused until %v", st, until)
	}
	pour(t, b)
	if got := over(300*time.Millisecond, b.uplink.Total); got != 0 {
		t.Errorf("after a restart: got %d bytes, want 0", got)
	}
	if err := b.Resume(all); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it sends again", func() bool { return b.uplink.Total() > 0 && b.Status().Reason == tuber.ReasonNone })
	if err := b.Pause(all, time.Now().Add(-time.Second)); err == nil {
		t.Error("pause until a moment that is past: got nil, want an error")
	}
}

// The clock that does not run during sleep has no part in when a pause ends:
// it would end later by the time that was slept.
func TestPauseIsByWallTime(t *testing.T) {
	b, _ := begin(t, stateDir(t), nil)
	invite := nobody(t)
	if err := b.Join(t.Context(), invite.URL()); !errors.Is(err, ErrOffline) {
		t.Fatalf("got %v, want ErrOffline", err)
	}
	site := invite.Site
	until := time.Now().Add(time.Hour) // with a reading of that clock
	for _, which := range []tuber.PublicKey{all, site} {
		if err := b.Pause(which, until); err != nil {
			t.Fatal(err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for what, got := range map[string]time.Time{
		"of all": b.record.Until, "of a swarm": b.record.swarm(site).Until, "in force": b.verdict.until,
	} {
		if got != until.Round(0) {
			t.Errorf("%s: got %v, want %v by wall time alone", what, got, until.Round(0))
		}
	}
}

func TestPauseEndsByItself(t *testing.T) {
	b, _ := begin(t, stateDir(t), nil)
	if err := b.Pause(all, time.Now().Add(300*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pause ends", func() bool { return b.Status().Reason == tuber.ReasonNone })
	if b.uplink.Rate() != tuber.OnLine(tuber.DefaultLimits().Upload) {
		t.Errorf("got %v, want the cap back", b.uplink.Rate())
	}
}

func TestCapIsKept(t *testing.T) {
	const limit = 4e6
	b, _ := begin(t, stateDir(t), func(s *tuber.Settings) { s.Limits.Upload = limit })
	pour(t, b)
	start := time.Now()
	got := over(2*time.Second, b.uplink.Total)
	most := uint64(limit/8*time.Since(start).Seconds()) + limit/8/20 + 1<<10
	if got > most || got < most/2 {
		t.Errorf("got %d bytes, want at most %d and not much less", got, most)
	}
	if err := setLimits(b, tuber.Limits{Upload: limit / 4, Download: tuber.Unlimited, Disk: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	got = over(time.Second, b.uplink.Total)
	if most := uint64(limit/4/8*time.Since(start).Seconds()) + limit/8/20 + 1<<10; got > most {
		t.Errorf("after the limit fell: got %d bytes, want at most %d", got, most)
	}
	if err := setLimits(b, tuber.Limits{Upload: -1}); err == nil {
		t.Error("a rate below zero: got nil, want an error")
	}
}

func TestAllowanceCountsAndOutlivesARestart(t *testing.T) {
	dir := stateDir(t)
	b, stop := begin(t, dir, func(s *tuber.Settings) { s.Limits.Upload, s.Limits.Allowance = 80e6, 2e6 })
	pour(t, b)
	eventually(t, "the allowance is used up", func() bool { return b.Status().Reason == tuber.ReasonAllowance })
	if got := over(time.Second, b.uplink.Total); got != 0 {
		t.Errorf("got %d bytes after the allowance was used up, want 0", got)
	}
	stop()
	b, stop = begin(t, dir, nil)
	if st := b.Status(); st.Reason != tuber.ReasonAllowance {
		t.Errorf("after a restart: got %q, want the allowance", st.Reason)
	}
	l := b.Settings().Limits
	l.Allowance = 0
	if err := setLimits(b, l); err != nil {
		t.Fatal(err)
	}
	if st := b.Status(); st.Reason != tuber.ReasonNone {
		t.Errorf("without an allowance: got %q, want none", st.Reason)
	}
	stop()
}

// nobody is an invite to a host at which nothing listens.
func nobody(t *testing.T) tuber.Invite {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return tuber.Invite{Host: l.Addr().String(), Prefix: tuber.DefaultPrefix, Site: tuber.PublicKey{1}, Pin: tuber.Digest{1}}
}

func TestHostAwayIsKept(t *testing.T) {
	dir := stateDir(t)
	b, stop := begin(t, dir, nil)
	invite := nobody(t)
	if err := b.Join(t.Context(), invite.URL()); !errors.Is(err, ErrOffline) {
		t.Fatalf("got %v, want ErrOffline", err)
	}
	if err := b.Join(t.Context(), invite.URL()); !errors.Is(err, ErrJoined) {
		t.Errorf("the same swarm again: got %v, want ErrJoined", err)
	}
	st := b.Status()
	if len(st.Swarms) != 1 || st.Swarms[0].Connected || !st.Swarms[0].Pending || !strings.Contains(st.Swarms[0].Error, invite.Host) {
		t.Errorf("got %+v, want the swarm and what is wrong with it", st.Swarms)
	}
	stop()
	b, _ = begin(t, dir, nil)
	if m := b.swarms[invite.Site]; m == nil || m.current().Invite != invite {
		t.Error("after a restart the invite is gone, want it kept")
	}
	if err := b.Leave(invite.Site); err != nil {
		t.Errorf("leave: %v", err)
	}
	if err := b.Leave(invite.Site); !errors.Is(err, ErrUnknown) {
		t.Errorf("leave again: got %v, want ErrUnknown", err)
	}
	if left, err := b.book.Memberships(); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v in the book, want nothing", left, err)
	}
}

// The friend was told that it is tried again: once the host is there, the
// invite is used without another word.
func TestHostAwayIsTriedAgain(t *testing.T) {
	dir := stateDir(t)
	h, stop := hostAt(t, dir, "127.0.0.1:0")
	link := invited(t, h)
	invite, err := tuber.ParseInvite(link)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	b, _ := begin(t, stateDir(t), nil)
	if err := b.Join(t.Context(), link); !errors.Is(err, ErrOffline) {
		t.Fatalf("got %v, want ErrOffline", err)
	}
	if st := b.Status(); len(st.Swarms) != 1 || st.Swarms[0].Connected || !st.Swarms[0].Pending {
		t.Fatalf("got %+v, want the swarm, which waits for its host", st.Swarms)
	}
	again, _ := hostAt(t, dir, invite.Host)
	eventually(t, "the booster is with the host that came back", func() bool {
		sw := b.Status().Swarms[0]
		return sw.Connected && !sw.Pending && sw.Error == ""
	})
	eventually(t, "the host has it", func() bool { return again.Status().Boosters == 1 })
}

func TestBadInvitesJoinNothing(t *testing.T) {
	b, _ := begin(t, stateDir(t), nil)
	whole := nobody(t).URL()
	for _, text := range []string{"", "hello", whole[:len(whole)-3], strings.Replace(whole, "join#A", "join#B", 1)} {
		if err := b.Join(t.Context(), text); !errors.Is(err, tuber.ErrInvite) {
			t.Errorf("%q: got %v, want ErrInvite", text, err)
		}
	}
	if st := b.Status(); len(st.Swarms) != 0 {
		t.Errorf("got %+v, want no swarm", st.Swarms)
	}
}

func TestJoinWithoutRun(t *testing.T) {
	b := open(t, stateDir(t), nil)
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Join(ctx, nobody(t).URL()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestAdminSocket(t *testing.T) {
	dir := stateDir(t)
	if _, err := Dial(dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody there: got %v, want ErrNotRunning", err)
	}
	b, stop := begin(t, dir, nil)
	info, err := os.Stat(dir + "/" + "admin.sock")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v, %v, want a socket of mode 0600", info, err)
	}
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour).Round(0)
	if err := c.Pause(all, until); err != nil {
		t.Fatal(err)
	}
	if st, err := c.Status(); err != nil || st.Reason != tuber.ReasonPaused || !st.Until.Equal(until) {
		t.Errorf("got %+v, %v, want paused until %v", st, err, until)
	}
	if err := c.Resume(all); err != nil {
		t.Fatal(err)
	}
	want := tuber.DefaultSettings()
	want.Limits = tuber.Limits{Upload: 3e6, Download: 4e6, Disk: 5 << 20, Allowance: 6e6}
	want.Shares = []tuber.Share{{Site: tuber.PublicKey{7}, Percent: 40}}
	if err := c.SetSettings(want); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Settings(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if bad := (tuber.Settings{ResetDay: 40}); c.SetSettings(bad) == nil {
		t.Error("settings that make no sense: got nil, want an error")
	}
	if float64(b.download.Limit()) != 5e5 {
		t.Errorf("got a download limit of %v bytes a second, want 500000", b.download.Limit())
	}
	invite := nobody(t)
	if err := c.Join(invite.URL()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("join: got %v, want that the host does not answer", err)
	}
	if err := c.Leave(tuber.PublicKey{9}); err == nil || !strings.Contains(err.Error(), "not joined") {
		t.Errorf("leave: got %v, want that it was not joined", err)
	}
	if err := c.Leave(invite.Site); err != nil {
		t.Errorf("leave: %v", err)
	}
	events, err := c.Events()
	var kinds []tuber.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	if want := []tuber.EventKind{tuber.EventStarted, tuber.EventStopped, tuber.EventSending, tuber.EventSettings, tuber.EventAway, tuber.EventLeft}; err != nil || !slices.Equal(kinds, want) {
		t.Errorf("got events %v, %v, want %v", kinds, err, want)
	}
	stop()
	if _, err := c.Status(); err == nil {
		t.Error("after the end: got nil, want an error")
	}
	if _, err := Dial(dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after the end: got %v, want ErrNotRunning", err)
	}
}

func TestQuotaIsShared(t *testing.T) {
	b, _ := begin(t, stateDir(t), func(s *tuber.Settings) { s.Limits.Disk = 600 })
	if got := b.quota(); got != 600 {
		t.Errorf("no swarm: got %d, want 600", got)
	}
	for i := range 3 {
		v := nobody(t)
		v.Site = tuber.PublicKey{byte(i + 1)}
		if err := b.Join(t.Context(), v.URL()); !errors.Is(err, ErrOffline) {
			t.Fatal(err)
		}
	}
	if got := b.quota(); got != 200 {
		t.Errorf("three swarms: got %d, want 200 each", got)
	}
	if got := fmt.Sprint(len(b.Status().Swarms)); got != "3" {
		t.Errorf("got %s swarms, want 3", got)
	}
}
