package demo

import (
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
)

func TestStatusLine(t *testing.T) {
	for _, c := range []struct {
		s    tuber.HostStatus
		want string
	}{
		{tuber.HostStatus{Planner: true}, "0 tabs of 0 viewers | 0 boosters | 0 % from peers | host sends 0 kbit/s, no stream watched"},
		{tuber.HostStatus{Planner: true, Viewers: 2, Tabs: 3, Boosters: 1, FromPeers: 0.934, Upload: 1.6e6, Bitrate: 1.5e6},
			"3 tabs of 2 viewers | 1 booster | 93 % from peers | host sends 1.6 Mbit/s = 1.07 x the stream's 1.5 Mbit/s"},
		{tuber.HostStatus{Viewers: 1, Tabs: 1, Short: 4e6}, "1 tab of 1 viewer | 0 boosters | 0 % from peers | host sends 0 kbit/s, no stream watched | planner stopped | 4.0 Mbit/s of boosters missing"},
	} {
		if got := statusLine(c.s); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestPortMoved: every port that a host was to have and has not is said.
func TestPortMoved(t *testing.T) {
	for _, c := range []struct {
		moves []host.Move
		want  string
	}{
		{nil, ""},
		{[]host.Move{{Flag: "--listen", Wanted: ":8080", Got: "[::]:8081"}}, "Port 8080 is taken by another program, so the page is at port 8081.\n"},
		{[]host.Move{{Flag: "--listen", Wanted: "127.0.0.1:8080", Got: "127.0.0.1:8082"}, {Flag: "--control-listen", Wanted: ":8443", Got: "[::]:8444"}},
			"Port 8080 is taken by another program, so the page is at port 8082.\n" +
				"Port 8443 is taken by another program, so boosters join at port 8444.\n"},
		{[]host.Move{{Flag: "--dashboard", Wanted: "127.0.0.1:9000", Got: "127.0.0.1:9001"}}, "Port 9000 is taken by another program, so the dashboard is at port 9001.\n"},
	} {
		if got := portsMoved(c.moves); got != c.want {
			t.Errorf("%v: got %q, want %q", c.moves, got, c.want)
		}
	}
}

// TestMovedPortsAreAnnounced: by the demo itself, of a host whose ports are taken.
func TestMovedPortsAreAnnounced(t *testing.T) {
	var taken [2]net.Listener
	for i := range taken {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		taken[i] = l
	}
	h, err := host.New(host.Config{
		Upstream: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Dir: shortDir(t), PublicHost: "127.0.0.1",
		Listen: taken[0].Addr().String(), ControlListen: taken[1].Addr().String(), PortFallback: true,
		UDPListen: "127.0.0.1:0", STUNListen: host.Off, AllowPrivate: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var out strings.Builder
	d := &demo{Options: Options{Out: &out}, host: h}
	if err := d.announce(); err != nil {
		t.Fatal(err)
	}
	for _, l := range taken {
		_, port, _ := net.SplitHostPort(l.Addr().String())
		if want := "Port " + port + " is taken"; !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
}

// shortDir is a folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "demo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
