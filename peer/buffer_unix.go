//go:build unix

package peer

import (
	"net"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// bufferMend is the line that grants larger buffers.
const bufferMend = "sysctl -w net.core.rmem_max=8388608 net.core.wmem_max=8388608"

// grantedBuffer reads back how large the receive buffer is.
func grantedBuffer(c net.PacketConn) (int, bool) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, false
	}
	n := 0
	var inner error
	err = raw.Control(func(fd uintptr) {
		n, inner = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	if runtime.GOOS == "linux" {
		n /= 2 // Linux reports twice what it grants (socket(7))
	}
	return n, err == nil && inner == nil
}
