package tuber_test

import (
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"Ann's attic":                   "Ann's attic",
		"  two \t\r\n lines\u2028 ":     "two lines",
		"bell\a, red \x1b[31m, NUL\x00": "bell, red [31m, NUL",
		"left \u202etfel, hidden\u200b": "left tfel, hidden",
		"broken \xff\xfe bytes":         "broken bytes",
		"Grüße aus 東京":                  "Grüße aus 東京",
		"0123456789012345678901234":     "01234567890123456789",
		"0123456789012345678ü":          "0123456789012345678",
		"0123456789012345678 x":         "0123456789012345678",
		strings.Repeat("\x00", 1000):    "",
		strings.Repeat("ü", 1000):       strings.Repeat("ü", 10),
	} {
		if got := tuber.Plain(in, 20); got != want {
			t.Errorf("%.40q: got %q, want %q", in, got, want)
		}
	}
}

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
