package demo

import (
	"testing"

	"github.com/tubercdn/tuber"
)

func TestStatusLine(t *testing.T) {
	for _, c := range []struct {
		s    tuber.HostStatus
		want string
	}{
		{tuber.HostStatus{Planner: true}, "0 viewers | 0 boosters | 0 % from peers | host sends 0 kbit/s, no stream watched"},
		{tuber.HostStatus{Planner: true, Viewers: 2, Boosters: 1, FromPeers: 0.934, Upload: 1.6e6, Bitrate: 1.5e6},
			"2 viewers | 1 booster | 93 % from peers | host sends 1.6 Mbit/s = 1.07 x the stream's 1.5 Mbit/s"},
		{tuber.HostStatus{Viewers: 1, Short: 4e6}, "1 viewer | 0 boosters | 0 % from peers | host sends 0 kbit/s, no stream watched | planner stopped | 4.0 Mbit/s of boosters missing"},
	} {
		if got := statusLine(c.s); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestPortMoved(t *testing.T) {
	for _, c := range []struct{ wanted, site, want string }{
		{"127.0.0.1:8080", "http://localhost:8080/", ""},
		{"127.0.0.1:0", "http://localhost:35123/", ""},
		{":8080", "http://localhost:8081/", "Port 8080 is taken by another program, so the page is at port 8081.\n"},
	} {
		if got := portMoved(c.wanted, c.site); got != c.want {
			t.Errorf("%s at %s: got %q, want %q", c.wanted, c.site, got, c.want)
		}
	}
}
