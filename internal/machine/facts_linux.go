package machine

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/tubercdn/tuber"
)

// watcher knows where Linux keeps its facts.
type watcher struct {
	bus  *bus                   // the system's
	sys  string                 // where sysfs is
	ways func() []net.Interface // see ways
}

func newWatcher(ctx context.Context) *watcher {
	return &watcher{bus: openSystem(ctx, networkManager, uPower), sys: "/sys", ways: ways}
}

func (w *watcher) close()                   { w.bus.close() }
func (w *watcher) changes() <-chan struct{} { return w.bus.changed }

func (w *watcher) facts(ctx context.Context) tuber.Facts {
	w.bus.ensure(ctx)
	return tuber.Facts{Battery: w.battery(ctx), Metered: w.metered(ctx), VPN: w.vpn()}
}

// What answers on the system bus.
var (
	networkManager = service{"org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"}
	uPower         = service{"org.freedesktop.UPower", "/org/freedesktop/UPower"}
)

// metered is NetworkManager's word. It guesses itself (a phone's hotspot): its
// documentation asks to take such a guess for a yes.
func (w *watcher) metered(ctx context.Context) tuber.Fact {
	var n uint32
	if w.bus.property(ctx, networkManager, networkManager.name, "Metered", &n) != nil {
		return tuber.FactUnknown
	}
	switch n {
	case 1, 3: // yes, guess-yes
		return tuber.FactYes
	case 2, 4: // no, guess-no
		return tuber.FactNo
	}
	return tuber.FactUnknown
}

// battery is UPower's word, else the kernel's.
func (w *watcher) battery(ctx context.Context) tuber.Fact {
	var on bool
	if w.bus.property(ctx, uPower, uPower.name, "OnBattery", &on) == nil {
		return fact(on)
	}
	return powerSupplies(filepath.Join(w.sys, "class", "power_supply"))
}

// powerSupplies reads the kernel's list: a line that gives power decides, then
// what the batteries say of themselves. A kernel that lists nothing knows of no
// battery; one without the list knows nothing.
func powerSupplies(dir string) tuber.Fact {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return tuber.FactUnknown
	}
	lines, unclear, batteries := 0, 0, 0
	draining, fed := false, false
	for _, e := range entries {
		read := func(name string) string { return readWord(filepath.Join(dir, e.Name(), name)) }
		switch read("type") {
		case "Mains", "USB", "Wireless":
			lines++
			switch read("online") {
			case "1", "2":
				return tuber.FactNo
			case "0":
			default:
				unclear++
			}
		case "Battery", "UPS":
			if read("scope") == "Device" {
				continue // of a mouse or a headset
			}
			batteries++
			switch read("status") {
			case "Discharging":
				draining = true
			case "Charging", "Full", "Not charging":
				fed = true
			}
		}
	}
	switch {
	case draining:
		return tuber.FactYes
	case fed, batteries == 0 && lines == 0:
		return tuber.FactNo
	case batteries > 0 && lines > 0 && unclear == 0: // all lines are dead
		return tuber.FactYes
	}
	return tuber.FactUnknown
}

// vpn tells whether one of the ways to the internet is a tunnel.
func (w *watcher) vpn() tuber.Fact {
	out := tuber.FactUnknown
	for _, dev := range w.ways() {
		out = either(out, tunnel(filepath.Join(w.sys, "class", "net", dev.Name)))
	}
	return out
}

// tunnel looks at one device. A ppp device may be a VPN or a dial-in line, and
// other kinds without a link layer may be either, so they stay unknown.
func tunnel(dir string) tuber.Fact {
	if _, err := os.Stat(filepath.Join(dir, "tun_flags")); err == nil {
		return tuber.FactYes // tun or tap
	}
	if strings.Contains(readAll(filepath.Join(dir, "uevent")), "DEVTYPE=wireguard\n") {
		return tuber.FactYes
	}
	switch readWord(filepath.Join(dir, "type")) { // ARPHRD_..., linux/if_arp.h
	case "768", "778": // IPIP, GRE
		return tuber.FactYes
	case "1", "519": // Ethernet and Wi-Fi, a modem
		return tuber.FactNo
	}
	return tuber.FactUnknown
}

const maxSysfs = 4096 // bytes of one file

func readAll(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, maxSysfs)
	n, _ := f.Read(b) // what cannot be read says nothing
	return string(b[:n])
}

func readWord(path string) string { return strings.TrimSpace(readAll(path)) }
