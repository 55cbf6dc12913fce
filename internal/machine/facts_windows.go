package machine

import (
	"context"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"

	"github.com/tubercdn/tuber"
)

// watcher asks Windows anew at every look: nothing is held.
type watcher struct{}

func newWatcher(context.Context) *watcher { return &watcher{} }
func (*watcher) close()                   {}
func (*watcher) changes() <-chan struct{} { return nil }

func (*watcher) facts(context.Context) tuber.Facts {
	return tuber.Facts{Battery: battery(), Metered: metered(), VPN: vpn()}
}

var getSystemPowerStatus = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")

// battery is GetSystemPowerStatus's word.
func battery() tuber.Fact {
	var status struct { // SYSTEM_POWER_STATUS
		line, flag, percent, saver byte
		left, full                 uint32
	}
	if ok, _, _ := getSystemPowerStatus.Call(uintptr(unsafe.Pointer(&status))); ok == 0 {
		return tuber.FactUnknown
	}
	switch status.line {
	case 0:
		return tuber.FactYes
	case 1:
		return tuber.FactNo
	}
	return tuber.FactUnknown
}

// Of netlistmgr.h.
var (
	classNetworkListManager = ole.NewGUID("{DCB00C01-570F-4A9B-8D69-199FDBA5723B}")
	faceNetworkCostManager  = ole.NewGUID("{DCB00008-570F-4A9B-8D69-199FDBA5723B}")
)

const (
	costUnrestricted = 0x1
	costPaid         = 0x2 | 0x4 | 0x10000 | 0x40000 // fixed, variable, over the limit, roaming
)

// metered is the Network List Manager's word on the machine's line.
func metered() tuber.Fact {
	runtime.LockOSThread() // COM belongs to a thread
	defer runtime.UnlockOSThread()
	if err := ole.CoInitializeEx(0, ole.COINIT_MULTITHREADED); err != nil {
		if code, ok := err.(*ole.OleError); !ok || code.Code() != 1 { // S_FALSE: it was begun here before
			return tuber.FactUnknown
		}
	}
	defer ole.CoUninitialize()
	manager, err := ole.CreateInstance(classNetworkListManager, faceNetworkCostManager)
	if err != nil {
		return tuber.FactUnknown
	}
	defer manager.Release()
	var cost uint32
	table := (*struct{ queryInterface, addRef, release, getCost uintptr })(unsafe.Pointer(manager.RawVTable))
	code, _, _ := syscall.SyscallN(table.getCost, uintptr(unsafe.Pointer(manager)), uintptr(unsafe.Pointer(&cost)), 0)
	switch {
	case code != 0 || cost == 0:
		return tuber.FactUnknown
	case cost&costPaid != 0:
		return tuber.FactYes
	case cost&costUnrestricted != 0:
		return tuber.FactNo
	}
	return tuber.FactUnknown
}

// vpn looks at the adapters through which the internet is reached.
func vpn() tuber.Fact {
	kinds, err := adapters()
	if err != nil {
		return tuber.FactUnknown
	}
	out := tuber.FactUnknown
	for _, dev := range ways() {
		out = either(out, kinds[dev.Index])
	}
	return out
}

const (
	ifTypeVirtual = 53  // IF_TYPE_PROP_VIRTUAL: WireGuard, Wintun
	ifTypeTunnel  = 131 // IF_TYPE_TUNNEL
	maxAdapters   = 1 << 20
)

// adapters tells of each whether it is a tunnel, by its index. One of the kind
// PPP may be a VPN or a dial-in line, so it stays unknown.
func adapters() (map[int]tuber.Fact, error) {
	size := uint32(16 << 10)
	var list []byte
	for {
		list = make([]byte, size)
		err := windows.GetAdaptersAddresses(windows.AF_UNSPEC, 0, 0, (*windows.IpAdapterAddresses)(unsafe.Pointer(&list[0])), &size)
		if err == nil {
			break
		}
		if err != windows.ERROR_BUFFER_OVERFLOW || size > maxAdapters {
			return nil, err
		}
	}
	out := make(map[int]tuber.Fact)
	for a := (*windows.IpAdapterAddresses)(unsafe.Pointer(&list[0])); a != nil; a = a.Next {
		kind := tuber.FactUnknown
		switch a.IfType {
		case ifTypeVirtual, ifTypeTunnel:
			kind = tuber.FactYes
		case windows.IF_TYPE_ETHERNET_CSMACD, windows.IF_TYPE_IEEE80211:
			// OpenVPN's driver passes itself off as Ethernet.
			kind = fact(strings.HasPrefix(windows.UTF16PtrToString(a.Description), "TAP-Win"))
		}
		out[int(a.IfIndex)] = kind
		out[int(a.Ipv6IfIndex)] = kind
	}
	runtime.KeepAlive(list)
	return out, nil
}
