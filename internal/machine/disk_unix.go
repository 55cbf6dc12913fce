//go:build !windows

package machine

import "golang.org/x/sys/unix"

func freeDisk(at string) (uint64, error) {
	var s unix.Statfs_t
	err := unix.Statfs(at, &s)
	return uint64(s.Bavail) * uint64(s.Bsize), err
}
