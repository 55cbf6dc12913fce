//go:build !windows

package store

import (
	"errors"
	"os"
	"syscall"
)

// diskFull is what the system says when there is no room.
const diskFull = syscall.ENOSPC

// syncDir makes a rename in the folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// release closes a file whose mapping stays: as long as it does, closing alone
// does not end the lock.
func release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
