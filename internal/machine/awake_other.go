//go:build !linux && !windows

package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
)

// keepAwake runs macOS's own caffeinate, which ends with this program.
func keepAwake(string) (func() error, error) {
	if runtime.GOOS != "darwin" {
		return nil, errors.New("keep the machine awake: not known how on this system")
	}
	cmd := exec.Command("/usr/bin/caffeinate", "-i", "-w", strconv.Itoa(os.Getpid()))
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("keep the machine awake: %w", err)
	}
	return func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		return err
	}, nil
}
