package machine

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/apptest"
)

const (
	yes     = tuber.FactYes
	no      = tuber.FactNo
	unknown = tuber.FactUnknown
)

// sysfs lays files out below a root, by their path.
func sysfs(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		at := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestPowerSupplies(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  tuber.Fact
	}{
		"laptop on its battery":          {map[string]string{"AC/type": "Mains\n", "AC/online": "0\n", "BAT0/type": "Battery\n", "BAT0/status": "Discharging\n"}, yes},
		"laptop that is fed":             {map[string]string{"AC/type": "Mains\n", "AC/online": "1\n", "BAT0/type": "Battery\n", "BAT0/status": "Charging\n"}, no},
		"fed, and draining all the same": {map[string]string{"AC/type": "Mains\n", "AC/online": "1\n", "BAT0/type": "Battery\n", "BAT0/status": "Discharging\n"}, no},
		"fed over USB-C":                 {map[string]string{"ucsi/type": "USB\n", "ucsi/online": "1\n", "BAT0/type": "Battery\n", "BAT0/status": "Not charging\n"}, no},
		"dead line, silent battery":      {map[string]string{"AC/type": "Mains\n", "AC/online": "0\n", "BAT0/type": "Battery\n", "BAT0/status": "Unknown\n"}, yes},
		"battery alone, full":            {map[string]string{"BAT0/type": "Battery\n", "BAT0/status": "Full\n"}, no},
		"battery alone, silent":          {map[string]string{"BAT0/type": "Battery\n", "BAT0/status": "Unknown\n"}, unknown},
		"two batteries, one drains":      {map[string]string{"BAT0/type": "Battery\n", "BAT0/status": "Full\n", "BAT1/type": "Battery\n", "BAT1/status": "Discharging\n"}, yes},
		"a mouse's battery":              {map[string]string{"hid/type": "Battery\n", "hid/scope": "Device\n", "hid/status": "Discharging\n"}, no},
		"desktop with a UPS":             {map[string]string{"ups/type": "UPS\n", "ups/status": "Discharging\n"}, yes},
		"line that does not say":         {map[string]string{"AC/type": "Mains\n", "BAT0/type": "Battery\n"}, unknown},
	} {
		if got := powerSupplies(sysfs(t, tc.files)); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	if got := powerSupplies(t.TempDir()); got != no {
		t.Errorf("a kernel that lists none: got %q, want no", got)
	}
	if got := powerSupplies(filepath.Join(t.TempDir(), "none")); got != unknown {
		t.Errorf("no list: got %q, want unknown", got)
	}
}

func TestVPN(t *testing.T) {
	root := sysfs(t, map[string]string{
		"class/net/eth0/type": "1\n", "class/net/eth0/uevent": "INTERFACE=eth0\n",
		"class/net/wlan0/type": "1\n", "class/net/wlan0/uevent": "DEVTYPE=wlan\n",
		"class/net/tun0/type": "65534\n", "class/net/tun0/tun_flags": "0x1001\n",
		"class/net/tap0/type": "1\n", "class/net/tap0/tun_flags": "0x1002\n",
		"class/net/wg0/type": "65534\n", "class/net/wg0/uevent": "DEVTYPE=wireguard\nINTERFACE=wg0\n",
		"class/net/ppp0/type": "512\n", "class/net/wwan0/type": "519\n", "class/net/gre1/type": "778\n",
		"class/net/odd/type": "65534\n",
	})
	for _, tc := range []struct {
		ways []string
		want tuber.Fact
	}{
		{nil, unknown}, {[]string{"eth0"}, no}, {[]string{"wlan0"}, no}, {[]string{"tun0"}, yes}, {[]string{"tap0"}, yes},
		{[]string{"wg0"}, yes}, {[]string{"gre1"}, yes}, {[]string{"wwan0"}, no}, {[]string{"ppp0"}, unknown}, {[]string{"odd"}, unknown},
		{[]string{"gone"}, unknown}, {[]string{"eth0", "wg0"}, yes}, {[]string{"wg0", "ppp0"}, yes}, {[]string{"eth0", "ppp0"}, no},
	} {
		var devs []net.Interface
		for _, name := range tc.ways {
			devs = append(devs, net.Interface{Name: name})
		}
		w := &watcher{sys: root, ways: func() []net.Interface { return devs }}
		if got := w.vpn(); got != tc.want {
			t.Errorf("out through %q: got %q, want %q", tc.ways, got, tc.want)
		}
	}
}

// systemBus puts a bus of the test's own in the system's place.
func systemBus(t *testing.T) *apptest.Bus {
	t.Helper()
	b := apptest.StartBus(t)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", b.Address)
	return b
}

func TestFactsOfServices(t *testing.T) {
	bus := systemBus(t)
	if f := Facts(); f.Metered != unknown {
		t.Errorf("without NetworkManager: metered is %q, want unknown", f.Metered)
	}
	nm := bus.Serve(t, networkManager.name, networkManager.path, networkManager.name, map[string]any{"Metered": uint32(0)}, nil)
	power := bus.Serve(t, uPower.name, uPower.path, uPower.name, map[string]any{"OnBattery": true}, nil)
	for n, want := range []tuber.Fact{unknown, yes, no, yes, no, unknown} {
		nm.Set("Metered", uint32(n))
		if f := Facts(); f.Metered != want || f.Battery != yes {
			t.Errorf("Metered %d: got %+v, want metered %q, on battery", n, f, want)
		}
	}
	power.Set("OnBattery", false)
	if f := Facts(); f.Battery != no {
		t.Errorf("got %q, want no battery in use", f.Battery)
	}
	nm.Set("Metered", uint32(1))
	bus.Stop()
	if f := Facts(); f.Metered != unknown {
		t.Errorf("without a bus: metered is %q, want unknown", f.Metered)
	}
}

func TestServiceOfAnotherKindIsUnknown(t *testing.T) {
	bus := systemBus(t)
	bus.Serve(t, networkManager.name, networkManager.path, networkManager.name, map[string]any{"Metered": "yes"}, nil)
	if f := Facts(); f.Metered != unknown {
		t.Errorf("a word where a number belongs: metered is %q, want unknown", f.Metered)
	}
}

func TestWatchFacts(t *testing.T) {
	bus := systemBus(t)
	nm := bus.Serve(t, networkManager.name, networkManager.path, networkManager.name, map[string]any{"Metered": uint32(4)}, nil)
	power := bus.Serve(t, uPower.name, uPower.path, uPower.name, map[string]any{"OnBattery": false}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan tuber.Facts, 8), make(chan error, 1)
	go func() { ended <- WatchFacts(ctx, func(f tuber.Facts) { told <- f }) }()
	next := func() tuber.Facts {
		select {
		case f := <-told:
			return f
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was told")
			return tuber.Facts{}
		}
	}
	if f := next(); f.Metered != no || f.Battery != no {
		t.Errorf("at first: got %+v, want neither", f)
	}
	start := time.Now()
	nm.Set("Metered", uint32(3))
	if f := next(); f.Metered != yes || f.Battery != no {
		t.Errorf("got %+v, want metered", f)
	}
	power.Set("OnBattery", true)
	if f := next(); f.Metered != yes || f.Battery != yes {
		t.Errorf("got %+v, want both", f)
	}
	if took := time.Since(start); took > lookEvery/2 {
		t.Errorf("changes were told after %v: by looking, not by signals", took)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
