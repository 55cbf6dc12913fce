package machine

import "golang.org/x/sys/windows"

var allowSetForegroundWindow = windows.NewLazySystemDLL("user32.dll").NewProc("AllowSetForegroundWindow")

const anyProcess = 0xFFFFFFFF // ASFW_ANY

// GiveFront lets another program raise its window in this one's place, which
// the user just started. Where the system says no, the taskbar blinks instead.
func GiveFront() { _, _, _ = allowSetForegroundWindow.Call(anyProcess) }
