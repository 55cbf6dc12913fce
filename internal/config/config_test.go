package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adrg/xdg"

	"github.com/tubercdn/tuber"
)

// alone keeps the machine's own settings out of a test.
func alone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("XDG_CONFIG_DIRS", filepath.Join(dir, "none"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	xdg.Reload()
	t.Cleanup(xdg.Reload)
	return dir
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func parse(t *testing.T, args ...string) *Command {
	t.Helper()
	c, err := Parse(args, io.Discard)
	if err != nil {
		t.Fatalf("parse %q: %v", args, err)
	}
	return c
}

func TestPrecedence(t *testing.T) {
	dir := alone(t)
	host := func(args ...string) string {
		return parse(t, append([]string{"host", "--files", dir}, args...)...).Host.Listen
	}
	if got := host(); got != ":8080" {
		t.Errorf("default: got %q, want :8080", got)
	}
	write(t, filepath.Join(dir, "tuber", "tuber.toml"), "[host]\nlisten = \":1\"\n")
	if got := host(); got != ":1" {
		t.Errorf("file in the usual place: got %q, want :1", got)
	}
	other := write(t, filepath.Join(dir, "other.toml"), "[host]\nlisten = \":2\"\n")
	for _, args := range [][]string{{"--config", other}, {"--config=" + other}} {
		if got := host(args...); got != ":2" {
			t.Errorf("named file: got %q, want :2", got)
		}
	}
	t.Setenv("TUBER_CONFIG", other)
	if got := host(); got != ":2" {
		t.Errorf("file named in the environment: got %q, want :2", got)
	}
	t.Setenv("TUBER_HOST_LISTEN", ":3")
	if got := host(); got != ":3" {
		t.Errorf("environment over file: got %q, want :3", got)
	}
	if got := host("--listen", ":4"); got != ":4" {
		t.Errorf("flag over environment: got %q, want :4", got)
	}
}

func TestFileTypes(t *testing.T) {
	dir := alone(t)
	path := write(t, filepath.Join(dir, "a.toml"), `verbose = true

[host]
files = "`+dir+`"
upnp = false
uplink = "10 Mbit/s"
playlist = ["/a.m3u8", "/b.m3u8"]
trusted-proxy = ["127.0.0.1/32"]

[boost]
disk = "2GiB"
reset-day = 7

[invite.create]
uses = 3
for = "7d"
`)
	c := parse(t, "host", "--config", path)
	h := c.Host
	if !c.Verbose || h.UPnP || h.Uplink != 10e6 || len(h.Playlist) != 2 || len(h.TrustedProxy) != 1 || h.TrustedProxy[0].Bits() != 32 {
		t.Errorf("got %v %+v, want what the file says", c.Verbose, h)
	}
	b := parse(t, "boost", "--config", path).Boost
	if b.Upload != nil || b.Disk == nil || *b.Disk != 2<<30 || b.ResetDay == nil || *b.ResetDay != 7 {
		t.Errorf("got %+v, want the disk and the reset day of the file alone", b)
	}
	i := parse(t, "invite", "create", "--config", path).Invite.Create
	if i.Uses != 3 || time.Duration(i.For) != 7*24*time.Hour {
		t.Errorf("got %+v, want 3 uses for a week", i)
	}
}

func TestStateDirectories(t *testing.T) {
	dir := alone(t)
	if got, want := parse(t, "boost").Boost.State, filepath.Join(dir, "state", "tuber", "booster"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := parse(t, "pause", "1h").Pause.State, filepath.Join(dir, "state", "tuber", "booster"); got != want {
		t.Errorf("got %q, want %q: of the same booster", got, want)
	}
	if got := parse(t, "status", "--state", "x").Status.State; got != "x" {
		t.Errorf("got %q, want x", got)
	}
}

// Each error names the flag or key and says how to mend it.
func TestErrors(t *testing.T) {
	dir := alone(t)
	file := func(name, text string) string { return write(t, filepath.Join(dir, name+".toml"), text) }
	whole := tuber.Invite{Host: "example.org", Prefix: tuber.DefaultPrefix, Site: tuber.PublicKey{1}}.URL()
	flipped := []byte(whole)
	if at := &flipped[len(flipped)-9]; *at == 'A' {
		*at = 'B'
	} else {
		*at = 'A'
	}
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"no command like it", []string{"bost"}, []string{"bost", "--help"}},
		{"no such flag", []string{"boost", "--uplod", "1Mbit/s"}, []string{"--uplod", "tuber boost --help"}},
		{"rate", []string{"boost", "--upload", "5"}, []string{"--upload", "5Mbit/s"}},
		{"size", []string{"boost", "--disk", "10 apples"}, []string{"--disk", "10GiB"}},
		{"duration", []string{"invite", "create", "--for", "soon"}, []string{"--for", "7d"}},
		{"too short", []string{"invite", "create", "--for", "1s"}, []string{"--for", "24h"}},
		{"uses", []string{"invite", "create", "--uses", "0"}, []string{"--uses", "1 to 1000"}},
		{"pause", []string{"pause", "never"}, []string{"30m", "tomorrow"}},
		{"nothing to host", []string{"host"}, []string{"--upstream", "--files"}},
		{"both to host", []string{"host", "--upstream", "http://x", "--files", dir}, []string{"--upstream", "--files", "leave one out"}},
		{"no web server", []string{"host", "--upstream", "localhost:3000"}, []string{"--upstream", "http://"}},
		{"no folder", []string{"host", "--files", filepath.Join(dir, "gone")}, []string{"--files", "gone"}},
		{"half a certificate", []string{"host", "--files", dir, "--cert", "a.pem"}, []string{"--cert", "--key"}},
		{"prefix", []string{"host", "--files", dir, "--prefix", "tuber"}, []string{"--prefix", "/.tuber/"}},
		{"uplink", []string{"host", "--files", dir, "--uplink", "0"}, []string{"--uplink", "unlimited"}},
		{"share", []string{"host", "--files", dir, "--share", "(("}, []string{"--share", "/downloads/.*"}},
		{"relay", []string{"host", "--files", dir, "--relay", "maybe"}, []string{"--relay", "ask"}},
		{"proxy", []string{"host", "--files", dir, "--trusted-proxy", "me"}, []string{"--trusted-proxy"}},
		{"port", []string{"boost", "--listen", "here"}, []string{"--listen", ":4500"}},
		{"schedule", []string{"boost", "--schedule", "evenings"}, []string{"--schedule", "mon-fri 18-23 2Mbit/s"}},
		{"rule", []string{"boost", "--on-battery", "panic"}, []string{"--on-battery", "stop"}},
		{"share of nothing", []string{"boost", "--share", "tv.example=0"}, []string{"--share", "HOST=PERCENT"}},
		{"share of nobody", []string{"boost", "--share", "50"}, []string{"--share", "tv.example=50"}},
		{"paused twice", []string{"pause", "1h", "2h"}, []string{"2h", "said already"}},
		{"host's name", []string{"host", "--files", dir, "--name", strings.Repeat("x", 65)}, []string{"--name", "at most 64"}},
		{"day", []string{"boost", "--reset-day", "31"}, []string{"--reset-day", "28"}},
		{"nothing to do", []string{"gateway", "--stun", ""}, []string{"--stun", "--map"}},
		{"nobody watches", []string{"watch", "http://localhost/", "--viewers", "0"}, []string{"--viewers", "1 to 2000"}},
		{"nothing to watch", []string{"watch"}, []string{"<url>", "tuber watch --help"}},
		{"invite cut short", []string{"boost", whole[:len(whole)-20]}, []string{"cut short", "copy the whole link"}},
		{"invite flipped", []string{"boost", string(flipped)}, []string{"changed", "copy the whole link"}},
		{"no invite", []string{"boost", "hello"}, []string{"https://"}},
		{"no file", []string{"boost", "--config", "/nowhere/x.toml"}, []string{"--config", "/nowhere/x.toml"}},
		{"not TOML", []string{"boost", "--config", file("broken", "[boost\n")}, []string{"--config", "line 1"}},
		{"unknown key", []string{"boost", "--config", file("key", "[boost]\nuplod = \"1Mbit/s\"\n")}, []string{"boost.uplod", "take it out"}},
		{"unknown table", []string{"boost", "--config", file("table", "[bost]\n")}, []string{"bost", "take the table out"}},
		{"wrong value in file", []string{"boost", "--config", file("value", "[boost]\nupload = 5\n")}, []string{"upload", "5Mbit/s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse(tc.args, io.Discard)
			if !errors.Is(err, ErrUsage) {
				t.Fatalf("got %v, want a usage error", err)
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got %q, want it to say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line", err)
			}
		})
	}
}

// Whatever says it, the owner's settings come out whole.
func TestBoostSettings(t *testing.T) {
	dir := alone(t)
	path := write(t, filepath.Join(dir, "boost.toml"), `[boost]
upload = "8Mbit/s"
schedule = "sat 0-24 0"
on-metered = "send"
lan-exempt = true
share = ["tv.example=50", "[::1]:8443=7%"]
folder = "/srv/chunks"
`)
	t.Setenv("TUBER_BOOST_ON_BATTERY", "ask")
	b := parse(t, "boost", "--config", path, "--on-vpn", "stop", "--reset-day", "7", "--download", "0").Boost
	got := tuber.DefaultSettings()
	b.Apply(&got)
	want := tuber.DefaultSettings()
	want.Limits.Upload, want.Limits.Download, want.ResetDay = 8e6, 0, 7
	want.Schedule = tuber.Schedule{On: true, Hours: [7]tuber.DayHours{time.Saturday: 1<<24 - 1}}
	want.Rules = tuber.Rules{OnBattery: tuber.Ask, OnMetered: tuber.Send, OnVPN: tuber.Stop}
	want.LANExempt, want.Folder = true, "/srv/chunks"
	if !reflect.DeepEqual(got, want) || !b.Changes() {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if shares := []Share{{"tv.example", 50}, {"[::1]:8443", 7}}; !slices.Equal(b.Share, shares) {
		t.Errorf("got %+v, want %+v", b.Share, shares)
	}
	back := parse(t, "boost", "--config", path, "--folder", "default", "--no-lan-exempt").Boost
	back.Apply(&got)
	if got.Folder != "" || got.LANExempt {
		t.Errorf("got %+v, want the default folder and no exemption", got)
	}
	if none := parse(t, "boost").Boost; none.OnBattery != "ask" {
		t.Errorf("got %+v, want what the environment says", none)
	}
}

func TestPauseWords(t *testing.T) {
	alone(t)
	for text, want := range map[string]PauseCmd{
		"":                       {},
		"30m":                    {For: Pause{For: 30 * time.Minute}},
		"tv.example:8443":        {Host: "tv.example:8443"},
		"tomorrow 127.0.0.1:443": {For: Pause{Tomorrow: true}, Host: "127.0.0.1:443"},
		"localhost 2h":           {For: Pause{For: 2 * time.Hour}, Host: "localhost"},
	} {
		got := parse(t, append([]string{"pause"}, strings.Fields(text)...)...).Pause
		if got.For != want.For || got.Host != want.Host {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
	if got := parse(t, "resume", "tv.example").Resume.Host; got != "tv.example" {
		t.Errorf("got %q, want the host", got)
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]tuber.BitsPerSecond{
		"5Mbit/s": 5e6, "5 Mbit/s": 5e6, "1.5mbit/s": 1.5e6, "800kbit/s": 8e5, "2Gbit/s": 2e9, "64 bit/s": 64,
		"0": 0, "unlimited": tuber.Unlimited, "Unlimited": tuber.Unlimited,
		"5": -1, "": -1, "-1Mbit/s": -1, "Mbit/s": -1, "5MB": -1, "NaN bit/s": -1, "Inf Mbit/s": -1, "1e30 Gbit/s": -1, "5 Mbit/s 3": -1,
	} {
		r := Rate(-1)
		if err := r.UnmarshalText([]byte(text)); (err != nil) != (want == -1) || tuber.BitsPerSecond(r) != want {
			t.Errorf("rate %q: got %d, %v, want %d", text, r, err, want)
		}
	}
	for text, want := range map[string]uint64{
		"10GiB": 10 << 30, "500 MB": 500e6, "1.5KiB": 1536, "7b": 7, "0": 0, "2TiB": 2 << 40, "10": 99, "": 99, "x GB": 99, "-1GB": 99,
	} {
		s := Size(99)
		if err := s.UnmarshalText([]byte(text)); (err != nil) != (want == 99) || uint64(s) != want {
			t.Errorf("size %q: got %d, %v, want %d", text, s, err, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"7d": 168 * time.Hour, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "0s": 0, "d": -1, "": -1, "-1h": -1, "1.5d": -1, "7": -1, "99999999d": -1,
	} {
		d := Duration(-1)
		if err := d.UnmarshalText([]byte(text)); (err != nil) != (want == -1) || time.Duration(d) != want {
			t.Errorf("duration %q: got %v, %v, want %v", text, d, err, want)
		}
	}
}

func TestPauseUntil(t *testing.T) {
	at := func(text string) time.Time {
		m, err := time.ParseInLocation(time.DateTime, text, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, tc := range []struct {
		text      string
		now, want string
	}{
		{"30m", "2026-03-01 12:00:00", "2026-03-01 12:30:00"},
		{"tomorrow", "2026-03-01 23:00:00", "2026-03-02 04:00:00"},
		{"tomorrow", "2026-03-01 01:00:00", "2026-03-01 04:00:00"},
	} {
		var p Pause
		if err := p.UnmarshalText([]byte(tc.text)); err != nil {
			t.Fatal(err)
		}
		if got := p.Until(at(tc.now)); !got.Equal(at(tc.want)) {
			t.Errorf("%s at %s: got %v, want %s", tc.text, tc.now, got, tc.want)
		}
	}
	if got := (Pause{}).Until(time.Now()); !got.IsZero() {
		t.Errorf("without a time: got %v, want zero", got)
	}
}
