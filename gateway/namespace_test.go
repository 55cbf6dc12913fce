package gateway

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is run again inside namespaces, as one of these.
const (
	asEnv  = "TUBER_GATEWAY_TEST_AS"
	asHome = "home"  // a machine behind the router, with a mapper
	asFar  = "world" // somebody outside who dials what the mapper announced
)

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(asEnv) {
	case asHome:
		err = beHome()
	case asFar:
		err = beWorld(os.Getenv("TUBER_GATEWAY_TEST_DIAL"))
	default:
		goleak.VerifyTestMain(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// beHome maps its port, says where, answers datagrams, and takes the mapping
// back when its input ends.
func beHome() error {
	conn, err := net.ListenPacket("udp4", "192.168.77.2:0")
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(buf[:n], from) // the other side asks again
		}
	}()
	m, err := NewMapper(MapperConfig{Port: uint16(conn.LocalAddr().(*net.UDPAddr).Port), Changed: func(s Mapping) {
		fmt.Printf("%s %v %v %s %s\n", s.Phase, s.External, s.Public, cmp.Or(s.By, "-"), s.Error)
	}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is the signal
		cancel()
	}()
	return m.Run(ctx)
}

func beWorld(to string) error {
	conn, err := net.Dial("udp4", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	buf := make([]byte, 100)
	for range 20 {
		if _, err := conn.Write([]byte("hello")); err != nil {
			continue // an ICMP answer to the one before
		}
		if err := conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			return err
		}
		if n, err := conn.Read(buf); err == nil && string(buf[:n]) == "hello" {
			return nil
		}
	}
	return fmt.Errorf("nothing came back from %s", to)
}

// requireNamespaces skips where namespaces or the router are not to be had, but
// never where everything is required.
func requireNamespaces(t *testing.T) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	for _, tool := range []string{"ip", "nft", "miniupnpd", "sysctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	if missing == "" {
		return
	}
	if os.Getenv("TUBER_REQUIRE") == "all" {
		t.Fatalf("this test needs %s", missing)
	}
	t.Skipf("this test needs %s", missing)
}

func sh(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// The router's firewall as the package's own script makes it, with masquerading.
const ruleset = `table inet filter {
	chain forward {
		type filter hook forward priority 0; policy drop;
		jump miniupnpd
		iifname "lan0" accept
		ct state established,related accept
	}
	chain miniupnpd { }
	chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
	chain postrouting { type nat hook postrouting priority 100; policy accept; jump postrouting_miniupnpd; oifname "wan0" masquerade; }
	chain prerouting_miniupnpd { }
	chain postrouting_miniupnpd { }
}
`

// neighbourhood is a home, a router and the world, in three namespaces. The
// router's outer address must look public, or miniupnpd will not serve.
type neighbourhood struct{ home, router, world string }

func newNeighbourhood(t *testing.T) neighbourhood {
	t.Helper()
	n := neighbourhood{}
	for name, ns := range map[string]*string{"h": &n.home, "r": &n.router, "w": &n.world} {
		*ns = fmt.Sprintf("tuber-%s%d", name, os.Getpid())
		sh(t, "ip", "netns", "add", *ns)
		t.Cleanup(func() { sh(t, "ip", "netns", "del", *ns) })
		sh(t, "ip", "-n", *ns, "link", "set", "lo", "up")
	}
	for _, l := range []struct{ device, ns, own, address, other string }{
		{"lan0", n.home, "192.168.77.1/24", "192.168.77.2/24", "192.168.77.1"},
		{"wan0", n.world, "11.0.0.1/24", "11.0.0.2/24", ""},
	} {
		sh(t, "ip", "link", "add", l.device, "netns", n.router, "type", "veth", "peer", "name", "eth0", "netns", l.ns)
		sh(t, "ip", "-n", n.router, "addr", "add", l.own, "dev", l.device)
		sh(t, "ip", "-n", n.router, "link", "set", l.device, "up")
		sh(t, "ip", "-n", l.ns, "addr", "add", l.address, "dev", "eth0")
		sh(t, "ip", "-n", l.ns, "link", "set", "eth0", "up")
		if l.other != "" {
			sh(t, "ip", "-n", l.ns, "route", "add", "default", "via", l.other)
		}
	}
	sh(t, "ip", "netns", "exec", n.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	rules := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(rules, []byte(ruleset), 0o600); err != nil {
		t.Fatal(err)
	}
	sh(t, "ip", "netns", "exec", n.router, "nft", "-f", rules)
	return n
}

// startRouter runs miniupnpd and waits until it serves.
func (n neighbourhood) startRouter(t *testing.T, options string) {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf")
	text := `ext_ifname=wan0
listening_ip=lan0
port=5000
secure_mode=yes
notify_interval=60
uuid=6dd1c6a8-9b2f-4d8f-8d1f-3d6a6f4c1b11
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`
	text += options
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", n.router, "miniupnpd", "-d", "-f", conf, "-P", filepath.Join(dir, "pid"))
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	drained := make(chan struct{})
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-drained; _ = cmd.Wait() })
	for lines.Scan() {
		if line := lines.Text(); strings.Contains(line, "HTTP listening") || strings.Contains(line, "Listening for NAT-PMP") {
			go func() { defer close(drained); _, _ = io.Copy(io.Discard, said) }()
			return
		}
	}
	close(drained)
	t.Fatal("miniupnpd did not begin to serve")
}

// again is this test binary inside a namespace.
func again(ctx context.Context, t *testing.T, ns, as string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", ns, self)
	cmd.Env = append(append(os.Environ(), asEnv+"="+as), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

// A real router maps the port, the world dials it, and at the end it is shut.
func TestMapperRealRouter(t *testing.T) {
	requireNamespaces(t)
	n := newNeighbourhood(t)
	for _, version := range []struct {
		name, options, by string
	}{
		{"IGDv2", "enable_natpmp=no\nenable_upnp=yes\n", "UPnP"},
		{"IGDv1", "enable_natpmp=no\nenable_upnp=yes\nforce_igd_desc_v1=yes\n", "UPnP"},
		{"both", "enable_natpmp=yes\nenable_upnp=yes\n", "UPnP"},
		{"NAT-PMP", "enable_natpmp=yes\nenable_upnp=no\n", "NAT-PMP"},
	} {
		t.Run(version.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			n.startRouter(t, version.options)
			home := again(ctx, t, n.home, asHome)
			in, err := home.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := home.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := home.Start(); err != nil {
				t.Fatal(err)
			}
			var external netip.AddrPort
			lines := bufio.NewScanner(out)
			for !external.IsValid() && lines.Scan() {
				f := strings.SplitN(lines.Text(), " ", 5)
				switch MappingPhase(f[0]) {
				case MappingFailed:
					t.Fatalf("not mapped: %s", f[4])
				case MappingOpen:
					if external, err = netip.ParseAddrPort(f[1]); err != nil || f[2] != "true" || f[3] != version.by {
						t.Fatalf("got %q, want a public address by %s", lines.Text(), version.by)
					}
				}
			}
			if external.Addr() != netip.MustParseAddr("11.0.0.1") {
				t.Errorf("got external address %v, want 11.0.0.1", external)
			}
			if err := again(ctx, t, n.world, asFar, "TUBER_GATEWAY_TEST_DIAL="+external.String()).Run(); err != nil {
				t.Errorf("dial from the world: %v", err)
			}
			chain := []string{"netns", "exec", n.router, "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd"}
			if rules := sh(t, "ip", chain...); !strings.Contains(rules, "dnat") {
				t.Errorf("got rules %s, want the mapping among them", rules)
			}
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			for lines.Scan() { // until it ends
			}
			if err := home.Wait(); err != nil {
				t.Errorf("mapper: %v", err)
			}
			if rules := sh(t, "ip", chain...); strings.Contains(rules, "dnat") {
				t.Errorf("after the end: got rules %s, want none", rules)
			}
		})
	}
}
