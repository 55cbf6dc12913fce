//go:build !unix

package peer

import "net"

// bufferMend is empty where the buffer cannot be read back.
const bufferMend = ""

// grantedBuffer cannot tell here.
func grantedBuffer(net.PacketConn) (int, bool) { return 0, false }
