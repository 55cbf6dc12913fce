// Package apptest is what stands round the desktop program in tests, and cannot
// be had on a machine without a desktop: a bus of its own with services that
// say what the test wants, a tray host, a screen. The program itself, the hosts,
// the swarms and the video are real.
package apptest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"
	"github.com/godbus/dbus/v5/prop"
)

// Bus is a private dbus-daemon.
type Bus struct {
	Address string
	stop    func()
}

// StartBus runs a bus until the test ends.
func StartBus(t testing.TB) *Bus {
	t.Helper()
	need(t, "dbus-daemon")
	dir, err := os.MkdirTemp("", "bus") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", "--address=unix:path="+filepath.Join(dir, "bus"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := &Bus{stop: sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})}
	t.Cleanup(b.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon did not say its address: %v", err)
	}
	go io.Copy(io.Discard, out)
	b.Address = strings.TrimSpace(line)
	return b
}

// Stop ends the bus before the test does.
func (b *Bus) Stop() { b.stop() }

// Connect joins the bus until the test ends.
func (b *Bus) Connect(t testing.TB) *dbus.Conn {
	t.Helper()
	c, err := dbus.Connect(b.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Service is a service of the bus that has one object with properties.
type Service struct {
	conn  *dbus.Conn
	props *prop.Properties
	face  string
}

// Serve takes a name and shows properties there; what the object's methods are
// comes from methods, which may be nil.
func (b *Bus) Serve(t testing.TB, name string, path dbus.ObjectPath, face string, values map[string]any, methods any) *Service {
	t.Helper()
	c := b.Connect(t)
	table := map[string]*prop.Prop{}
	for k, v := range values {
		table[k] = &prop.Prop{Value: v, Emit: prop.EmitTrue}
	}
	props, err := prop.Export(c, path, prop.Map{face: table})
	if err == nil && methods != nil {
		err = c.Export(methods, path, face)
	}
	if err == nil {
		err = c.Export(introspect.NewIntrospectable(&introspect.Node{Name: string(path)}), path, "org.freedesktop.DBus.Introspectable")
	}
	if err == nil {
		var reply dbus.RequestNameReply
		if reply, err = c.RequestName(name, dbus.NameFlagDoNotQueue); err == nil && reply != dbus.RequestNameReplyPrimaryOwner {
			err = fmt.Errorf("the name is taken")
		}
	}
	if err != nil {
		t.Fatalf("serve %s: %v", name, err)
	}
	return &Service{c, props, face}
}

// Set changes a property and tells everybody.
func (s *Service) Set(name string, value any) { s.props.SetMust(s.face, name, value) }

// Stop leaves the bus before the test ends.
func (s *Service) Stop() { _ = s.conn.Close() }

// need skips the test where a program is missing, unless nothing may be.
func need(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("TUBER_REQUIRE") == "all" {
				t.Fatalf("%s is missing", name)
			}
			t.Skipf("%s is missing", name)
		}
	}
}
