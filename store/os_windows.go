package store

import (
	"os"
	"syscall"
)

// diskFull is what the system says when there is no room: ERROR_DISK_FULL.
const diskFull = syscall.Errno(112)

// syncDir does nothing: Windows orders a rename by the file's own flush and
// offers no handle on a folder to flush.
func syncDir(string) error { return nil }

// release closes a file; its lock ends with the handle.
func release(f *os.File) error { return f.Close() }
