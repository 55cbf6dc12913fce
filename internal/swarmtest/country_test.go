package swarmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// Addresses that nobody here has outside the namespaces, and that the filter
// of candidates lets through as public ones.
const (
	hostAddress = "11.0.0.10"
	natA, natB  = "11.0.0.1", "11.0.0.2"
	pageURL     = "https://" + hostAddress + ":8080/live/index.m3u8"
)

// asSite makes this test binary a web server with a live stream.
const asSite = "TUBER_SWARMTEST_SITE"

func TestMain(m *testing.M) {
	if at := os.Getenv(asSite); at != "" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(at, onAir(time.Now())))
		os.Exit(1)
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

var built string // where realProgram made it; TestMain takes it away

// realProgram builds it, for the first that asks.
var realProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tuber")
	if err != nil {
		return "", err
	}
	built = filepath.Join(dir, "tuber")
	out, err := exec.Command("go", "build", "-o", built, "github.com/tubercdn/tuber/cmd/tuber").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return built, nil
})

// onAir is a live stream of a segment a second, listed six at a time.
func onAir(start time.Time) http.Handler {
	const listed, size = 6, 100 << 10
	newest := func() int { return listed + int(time.Since(start)/time.Second) }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var i int
		switch _, err := fmt.Sscanf(r.URL.Path, "/live/%d.ts", &i); {
		case r.URL.Path == "/live/index.m3u8":
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
			n := newest()
			fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", n-listed)
			for i := n - listed; i < n; i++ {
				fmt.Fprintf(w, "#EXTINF:1.0,\n%d.ts\n", i)
			}
		case err == nil && i < newest():
			w.Header().Set("Content-Type", "video/mp2t")
			_, _ = fmt.Fprintf(w, "%016d%s", i, strings.Repeat("x", size-16)) // a client that left
		default:
			http.NotFound(w, r)
		}
	})
}

// requireNamespaces skips where namespaces are not to be had, but never where
// everything is required.
func requireNamespaces(t *testing.T) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	for _, tool := range []string{"ip", "iptables", "sysctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	switch {
	case missing == "":
	case os.Getenv("TUBER_REQUIRE") == "all":
		t.Fatalf("this test needs %s", missing)
	default:
		t.Skipf("this test needs %s", missing)
	}
}

// country is a bridge with a host and two homes behind NATs, each a namespace.
type country struct {
	t       *testing.T
	program string // the real one
	id      string
	dir     string
	made    int // lines
}

func newCountry(t *testing.T) *country {
	t.Helper()
	requireNamespaces(t)
	program, err := realProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tuber") // short: sockets live in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &country{t: t, program: program, id: filepath.Base(dir), dir: dir}
	for _, name := range []string{"world", "host", "nata", "a", "natb", "b"} {
		c.sh("ip", "netns", "add", c.ns(name))
		t.Cleanup(func() { c.sh("ip", "netns", "del", c.ns(name)) })
		c.sh("ip", "-n", c.ns(name), "link", "set", "lo", "up")
	}
	c.sh("ip", "-n", c.ns("world"), "link", "add", "br0", "type", "bridge")
	c.sh("ip", "-n", c.ns("world"), "link", "set", "br0", "up")
	c.wire("world", "", "host", "wan0", hostAddress+"/24")
	return c
}

func (c *country) ns(name string) string { return c.id + "-" + name }

func (c *country) sh(name string, args ...string) string {
	c.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (c *country) in(ns string, args ...string) string {
	c.t.Helper()
	return c.sh("ip", append([]string{"netns", "exec", c.ns(ns)}, args...)...)
}

// wire lays a line between two namespaces; the near end has an address, or is
// plugged into the bridge.
func (c *country) wire(near, nearAddress, far, device, farAddress string) {
	c.t.Helper()
	c.made++
	plug := fmt.Sprintf("lan%d", c.made)
	c.sh("ip", "link", "add", plug, "netns", c.ns(near), "type", "veth", "peer", "name", device, "netns", c.ns(far))
	if nearAddress == "" {
		c.sh("ip", "-n", c.ns(near), "link", "set", plug, "master", "br0")
	} else {
		c.sh("ip", "-n", c.ns(near), "addr", "add", nearAddress, "dev", plug)
	}
	c.sh("ip", "-n", c.ns(near), "link", "set", plug, "up")
	c.sh("ip", "-n", c.ns(far), "addr", "add", farAddress, "dev", device)
	c.sh("ip", "-n", c.ns(far), "link", "set", device, "up")
}

// home puts a home behind a NAT, which lets nothing in that was not asked for.
// A random one gives every destination another port: it is symmetric.
func (c *country) home(name, outside string, number int, random bool) {
	c.t.Helper()
	nat := "nat" + name
	lan := fmt.Sprintf("192.168.%d.", 70+number)
	c.wire("world", "", nat, "wan0", outside+"/24")
	c.wire(nat, lan+"1/24", name, "eth0", lan+"2/24")
	c.sh("ip", "-n", c.ns(name), "route", "add", "default", "via", lan+"1")
	c.in(nat, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	masquerade := []string{"iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "wan0", "-j", "MASQUERADE"}
	if random {
		masquerade = append(masquerade, "--random")
	}
	c.in(nat, masquerade...)
	c.in(nat, "iptables", "-A", "INPUT", "-i", "wan0", "-j", "DROP")
	c.in(nat, "iptables", "-A", "FORWARD", "-i", "wan0", "-m", "state", "!", "--state", "ESTABLISHED,RELATED", "-j", "DROP")
	for _, to := range []string{natA, natB} { // a rule without a target counts
		c.in(nat, "iptables", "-I", "FORWARD", "-d", to, "-p", "udp")
	}
}

// sent is how many bytes of UDP a home has sent to an address.
func (c *country) sent(home, to string) (n uint64) {
	c.t.Helper()
	for line := range strings.Lines(c.in("nat"+home, "iptables", "-nvxL", "FORWARD")) {
		f := strings.Fields(line)
		if len(f) > 3 && f[len(f)-1] == to {
			if _, err := fmt.Sscan(f[1], &n); err != nil {
				c.t.Fatalf("read a counter: %v in %q", err, line)
			}
			return n
		}
	}
	c.t.Fatalf("no counter for %s at %s", to, home)
	return 0
}

// run is a program in a namespace until the test ends; then it must end well.
func (c *country) run(ns string, env []string, args ...string) {
	c.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", c.ns(ns)}, args...)...)
	said := new(said)
	cmd.Stdout, cmd.Stderr, cmd.Env = said, said, append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	c.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
			c.t.Errorf("%s did not end when asked", strings.Join(args, " "))
		}
		if c.t.Failed() {
			c.t.Logf("%s in %s said:\n%s", filepath.Base(args[0]), ns, said)
		}
	})
}

// said is what a program printed.
type said struct {
	mu  sync.Mutex // guards the field below
	buf bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// host starts a site and a host before it.
func (c *country) host() {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	c.run("host", []string{asSite + "=127.0.0.1:8000"}, self)
	cert, key := certificate(c.t, c.dir, hostAddress)
	c.run("host", nil, c.program, "host", "--cert", cert, "--key", key, "--upstream", "http://127.0.0.1:8000", "--public-host", hostAddress, "--no-upnp",
		"--follow", "always", "--playlist", "/live/index.m3u8", "--state", filepath.Join(c.dir, "host"))
}

// boost starts a booster in a home with an invite of the host.
func (c *country) boost(home string) {
	c.t.Helper()
	var link string
	c.until("the host gives an invite", func() bool {
		out, err := exec.Command(c.program, "invite", "create", "--state", filepath.Join(c.dir, "host")).Output()
		for f := range strings.FieldsSeq(string(out)) {
			if strings.HasPrefix(f, "https://") {
				link = f
			}
		}
		return err == nil && link != ""
	})
	c.run(home, nil, c.program, "boost", link, "--no-upnp", "--name", home, "--state", filepath.Join(c.dir, home))
}

func (c *country) status(home string) (st tuber.Status) {
	out, err := exec.Command(c.program, "status", "--json", "--state", filepath.Join(c.dir, home)).Output()
	if err == nil {
		err = json.Unmarshal(out, &st)
	}
	if err != nil {
		return tuber.Status{}
	}
	return st
}

// seen is what a viewer reports in the end.
type seen struct {
	Segments, Failed, Stalls, Checked, Wrong, Joined int

	NoSwarm string
	Bytes   struct{ Peers, Origin, Chunks, Plain uint64 }
}

// watch is a viewer in a namespace for so long.
func (c *country) watch(ns string, d time.Duration, args ...string) (s seen) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), d+30*time.Second)
	defer cancel()
	args = append([]string{"netns", "exec", c.ns(ns), c.program, "watch", pageURL, "--insecure", "--json", "--for", d.String()}, args...)
	cmd := exec.CommandContext(ctx, "ip", args...)
	var out bytes.Buffer
	complaints := new(said)
	cmd.Stdout, cmd.Stderr = &out, complaints
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("watch: %v\n%s%s", err, out.String(), complaints)
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		c.t.Fatalf("watch: %v in %s", err, out.String())
	}
	return s
}

// still waits until a value has not changed for so long.
func (c *country) still(d time.Duration, value func() any) any {
	c.t.Helper()
	last, since := value(), time.Now()
	c.until("nothing changes any more", func() bool {
		if now := value(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) >= d
	})
	return last
}

// until asks again and again, for 30 s.
func (c *country) until(what string, ok func() bool) {
	c.t.Helper()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-again.C:
		case <-end:
			c.t.Fatalf("gave up waiting until %s", what)
		}
	}
}
