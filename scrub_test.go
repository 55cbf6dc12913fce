package tuber_test

import (
	"testing"

	"github.com/tubercdn/tuber"
)

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"from 198.51.100.7:4567 came":                  "from [address]:4567 came",
		"from 198.51.100.7 came":                       "from [address] came",
		"err=\"dial tcp 203.0.113.9:443: refused\"":    "err=\"dial tcp [address]:443: refused\"",
		"at [2001:db8::7]:443 and 2001:db8::8.":        "at [[address]]:443 and [address].",
		"time=2026-11-22T19:10:05.890Z level=INFO":     "time=2026-11-22T19:10:05.890Z level=INFO",
		"listening at 127.0.0.1:8080 and [::]:8443":    "listening at 127.0.0.1:8080 and [::]:8443",
		"peer=8f0a1b2c3d4e5f60718293a4b5c6d7e8 v1.2.3": "peer=8f0a1b2c3d4e5f60718293a4b5c6d7e8 v1.2.3",
		"mapped ::ffff:198.51.100.7 fe80::1%eth0":      "mapped [address] [address]",
	} {
		if got := tuber.Scrub(in); got != want {
			t.Errorf("scrub %q: got %q, want %q", in, got, want)
		}
	}
}
