package host

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

const homePage = "<!doctype html><html><head><title>home</title></head><body>hello</body></html>"

// testConfig is a host on loopback before a site of one page.
func testConfig(t *testing.T) Config {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Seen-For", r.Header.Get("X-Forwarded-For"))
		io.WriteString(w, homePage)
	}))
	t.Cleanup(site.Close)
	upstream, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "host") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return Config{
		Upstream: upstream, Dir: dir, PublicHost: "127.0.0.1",
		Listen: "127.0.0.1:0", ControlListen: "127.0.0.1:0", DashboardListen: "127.0.0.1:0",
		UDPListen: "127.0.0.1:0", STUNListen: "127.0.0.1:0",
	}
}

// begin runs a host whose planner is up.
func begin(t *testing.T, cfg Config) (*Host, func()) {
	t.Helper()
	h, stop := run(t, cfg)
	eventually(t, "the planner runs", func() bool { return h.Status().Planner })
	return h, stop
}

// run runs a host until the test ends, or until the returned stop.
func run(t *testing.T, cfg Config) (*Host, func()) {
	t.Helper()
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return h, stop
}

// eventually waits for what happens soon in another goroutine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// fetch is one GET or POST without keep-alive.
func fetch(t *testing.T, method, address, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// ticketOf asks for a ticket as a page of the site does.
func ticketOf(t *testing.T, h *Host, f tuber.Fingerprint) (ticket string, code int) {
	t.Helper()
	q, err := json.Marshal(map[string]wire.Bytes{"fingerprint": f[:]})
	if err != nil {
		t.Fatal(err)
	}
	resp, body := fetch(t, "POST", h.Addresses().Site+".tuber/ticket", string(q), http.Header{
		"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"},
	})
	var a struct {
		Ticket  string          `json:"ticket"`
		Site    tuber.PublicKey `json:"site"`
		Planner tuber.PublicKey `json:"planner"`
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		if a.Site != h.Site() {
			t.Errorf("site key %v, want %v", a.Site, h.Site())
		}
	}
	return a.Ticket, resp.StatusCode
}

// member joins over a socket and keeps it open until the test ends.
func member(t *testing.T, h *Host, o control.DialOptions, join wire.Join) (control.Conn, control.Session, error) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return memberWith(t, h, o, join, key)
}

func memberWith(t *testing.T, h *Host, o control.DialOptions, join wire.Join, key ed25519.PrivateKey) (control.Conn, control.Session, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	conn, err := control.Dial(ctx, o)
	if err != nil {
		return nil, control.Session{}, err
	}
	t.Cleanup(func() { conn.Close() })
	s, err := control.Join(ctx, conn, control.Identity{Key: key, Site: h.Site(), Join: join})
	return conn, s, err
}

// plain is the control socket of the public listener on this machine.
func plain(t *testing.T, h *Host) control.DialOptions {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return control.DialOptions{
		URL:    "ws" + strings.TrimPrefix(h.Addresses().Site, "http") + ".tuber/control",
		Client: &http.Client{Transport: transport},
	}
}

// viewerJoin is a viewer with its ticket.
func viewerJoin(t *testing.T, h *Host) wire.Join {
	t.Helper()
	var f tuber.Fingerprint
	rand.Read(f[:])
	ticket, code := ticketOf(t, h, f)
	if code != http.StatusOK {
		t.Fatalf("ticket: got %d", code)
	}
	return wire.Join{Role: tuber.RoleViewer, Fingerprint: f[:], Ticket: ticket}
}

// pinned is how an invite leads to the host.
func pinned(v tuber.Invite) control.DialOptions {
	return control.DialOptions{URL: "wss://" + v.Host + v.Prefix + "control", Pin: v.Pin}
}

func boosterJoin(v tuber.Invite, name string) wire.Join {
	f := make([]byte, 32)
	rand.Read(f)
	return wire.Join{Role: tuber.RoleBooster, Name: name, Fingerprint: f, Secret: v.Secret[:]}
}

// pinnedTransport is an HTTP client's end of a pin.
func pinnedTransport(pin tuber.Digest) *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // the pin says more than a CA could
		VerifyConnection: func(s tls.ConnectionState) error {
			if sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo) != pin {
				return errors.New("another key")
			}
			return nil
		},
	}}
}
