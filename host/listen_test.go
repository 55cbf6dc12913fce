package host

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestTakenPortNamesTheFlag(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	l := &listener{sent: new(atomic.Uint64)}
	_, tcp := l.tcp("--listen", taken.Addr().String())
	_, udp := l.udp("--udp-listen", packets.LocalAddr().String())
	for flag, err := range map[string]error{"--listen": tcp, "--udp-listen": udp} {
		if err == nil || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), "taken") {
			t.Errorf("got %v, want an error that names %s", err, flag)
		}
	}
}

func TestPortFallbackMovesOnAndSaysSo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var moved []string
	l := &listener{fallback: true, sent: new(atomic.Uint64), moved: func(flag, wanted, got string) {
		moved = append(moved, flag, wanted, got)
	}}
	ln, err := l.tcp("--listen", taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if len(moved) != 3 || moved[0] != "--listen" || moved[1] != taken.Addr().String() || moved[2] != ln.Addr().String() {
		t.Errorf("got %q, want the flag, the taken and the new address", moved)
	}
	first, _ := strconv.Atoi(portOf(taken.Addr()))
	if got, _ := strconv.Atoi(portOf(ln.Addr())); got <= first || got > first+portTries {
		t.Errorf("moved from %d to %d", first, got)
	}
}

func TestBadAddresses(t *testing.T) {
	l := &listener{sent: new(atomic.Uint64)}
	for _, addr := range []string{"8080", "127.0.0.1", ":http!", ":70000", ":-1"} {
		if ln, err := l.tcp("--listen", addr); err == nil || !strings.Contains(err.Error(), "--listen") {
			t.Errorf("%q: got %v, %v, want an error that names the flag", addr, ln, err)
		}
	}
}

func TestListenerCountsWhatItSends(t *testing.T) {
	var sent atomic.Uint64
	l := &listener{sent: &sent}
	ln, err := l.tcp("--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	done := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_, err = io.WriteString(c, strings.Repeat("x", 12345))
			c.Close()
		}
		done <- err
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, want := sent.Load(), uint64(tuber.StreamOnLine(12345)); got != want {
		t.Errorf("counted %d bytes, want %d", got, want)
	}
}

func TestForwardedForCountsOnlyFromTrustedProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, c := range []struct {
		name, socket string
		forwarded    []string
		want         string
	}{
		{"no proxy", "192.0.2.1:5", nil, "192.0.2.1"},
		{"a stranger's word", "192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1"},
		{"a trusted proxy", "10.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a tunnel on this machine", "127.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		{"two trusted proxies", "10.0.0.1:5", []string{"198.51.100.7, 10.2.2.2"}, "198.51.100.7"},
		{"what the client put before", "10.0.0.1:5", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"two lines", "10.0.0.1:5", []string{"1.1.1.1", "198.51.100.7"}, "198.51.100.7"},
		{"nonsense", "10.0.0.1:5", []string{"198.51.100.7, unknown"}, "10.0.0.1"},
		{"nothing said", "10.0.0.1:5", nil, "10.0.0.1"},
		{"mapped", "[::ffff:10.0.0.1]:5", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.socket
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := clientAddr(r, trusted); got.String() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}

func TestCrowdLimitsAddressesButNotTunnels(t *testing.T) {
	c := newCrowd(5, 2)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	leave := c.enter(a, false)
	if leave == nil || c.enter(a, false) == nil {
		t.Fatal("two sockets of one address are allowed")
	}
	if c.enter(a, false) != nil {
		t.Error("a third socket of one address was let in")
	}
	leave()
	leave() // twice is once
	if c.enter(a, false) == nil {
		t.Error("a place that was left stayed taken")
	}
	if c.enter(b, false) == nil || c.enter(netip.MustParseAddr("2001:db8::2"), false) == nil {
		t.Error("an IPv6 line has two places too")
	}
	if c.enter(netip.MustParseAddr("2001:db8::3"), false) != nil {
		t.Error("one IPv6 /64 counted as many lines")
	}
	tunnel := netip.MustParseAddr("127.0.0.1")
	if c.enter(tunnel, true) == nil {
		t.Error("a tunnel's visitors were taken for one")
	}
	if c.enter(tunnel, true) != nil {
		t.Error("the limit of all was passed")
	}
}

func TestSelfMadeKeyLastsAndIsPrivate(t *testing.T) {
	dir := t.TempDir()
	cert, pin, err := selfMade(dir, "host.example", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	again, pin2, err := selfMade(dir, "203.0.113.5", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if pin != pin2 {
		t.Error("another pin after a restart: every invite would be void")
	}
	if got := sha256.Sum256(cert.Leaf.RawSubjectPublicKeyInfo); got != pin {
		t.Errorf("pin %x, want that of the key %x", pin, got)
	}
	if err := cert.Leaf.VerifyHostname("host.example"); err != nil {
		t.Error(err)
	}
	if err := again.Leaf.VerifyHostname("203.0.113.5"); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(dir, tlsKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode().Perm())
	}
	if vouched(cert, "host.example", time.Now()) {
		t.Error("a self-made certificate passed for a CA's")
	}
	if err := os.WriteFile(filepath.Join(dir, tlsKeyFile), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := selfMade(dir, "", time.Now()); err == nil {
		t.Error("a damaged key was replaced silently")
	}
}

func TestCertificateIsReadAgainWhenRenewed(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		// The key file of selfMade and a certificate in PEM are what --key and --cert take.
		if err := os.RemoveAll(filepath.Join(dir, tlsKeyFile)); err != nil {
			t.Fatal(err)
		}
		cert, _, err := selfMade(dir, name, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		writePEM(t, filepath.Join(dir, "cert.pem"), cert)
	}
	write("old.example")
	path := filepath.Join(dir, "cert.pem")
	f, err := loadCertificate(path, filepath.Join(dir, tlsKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		cert, err := f.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.DNSNames[len(leaf.DNSNames)-1]
	}
	write("new.example")
	if err := os.Chtimes(path, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "old.example" {
		t.Errorf("looked again within a minute: %s", got)
	}
	f.asked = time.Now().Add(-2 * time.Minute)
	if got := name(); got != "new.example" {
		t.Errorf("got %s, want the renewed one", got)
	}
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.asked = time.Time{}
	if got := name(); got != "new.example" {
		t.Errorf("got %s, want the last whole one", got)
	}
	if _, err := loadCertificate(path, filepath.Join(dir, tlsKeyFile)); err == nil || !strings.Contains(err.Error(), "--cert") {
		t.Errorf("got %v, want an error that names --cert", err)
	}
}

func writePEM(t *testing.T, path string, cert tls.Certificate) {
	t.Helper()
	if err := os.WriteFile(path, pemOf(cert), 0o600); err != nil {
		t.Fatal(err)
	}
}

func pemOf(cert tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
}

func TestOutwardAddressIsOneThatLinksMayLeadTo(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "192.168.1.5": true, "10.0.0.2": true, "fd00::2": true, "2606:4700::1": true,
		"192.0.2.2": false, "100.64.1.1": false, "169.254.1.1": false, "127.0.0.1": false, "2001:db8::1": false, "0.0.0.0": false,
	} {
		if got := linkable(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	if _, err := netip.ParseAddr(outward()); err != nil {
		t.Error(err)
	}
}
