package machine

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/windows"
)

var setThreadExecutionState = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetThreadExecutionState")

const (
	esSystemRequired = 0x00000001
	esContinuous     = 0x80000000
)

// keepAwake holds a thread, because Windows ties the wish to one.
func keepAwake(string) (func() error, error) {
	begun, end := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if was, _, err := setThreadExecutionState.Call(esContinuous | esSystemRequired); was == 0 {
			begun <- fmt.Errorf("keep the machine awake: %w", err)
			return
		}
		begun <- nil
		<-end
		was, _, err := setThreadExecutionState.Call(esContinuous)
		if was != 0 {
			err = nil
		} else {
			err = errors.Join(errors.New("let the machine sleep again"), err)
		}
		begun <- err
	}()
	if err := <-begun; err != nil {
		return nil, err
	}
	return func() error { close(end); return <-begun }, nil
}
