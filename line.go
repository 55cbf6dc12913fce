package tuber

import "net"

// A cap is one of the line: of datagrams and segments with their headers, of what
// SCTP sends again and acknowledges, not of payload alone. An uplink grants
// payload and is charged for the rest as it leaves.
const (
	// headroom keeps a stretch of seconds below the cap, with the last chunk
	// and the burst that an idle line is allowed.
	headroom = 0.97
	// payload is how much of the line chunks get: the rest is headers.
	payload = 0.92

	headers4, headers6 = 20 + 8, 40 + 8 // of IP and UDP, in bytes

	// TCP over IPv4 with timestamps, on Ethernet.
	segment, segmentHeaders = 1448, 52
)

// OnLine is the rate at which an uplink grants so that the cap is kept on the line.
func OnLine(cap BitsPerSecond) BitsPerSecond {
	if cap == Unlimited {
		return cap
	}
	return BitsPerSecond(float64(cap) * headroom)
}

// InPayload is what a planner may reckon with under a cap.
func InPayload(cap BitsPerSecond) BitsPerSecond {
	if cap == Unlimited {
		return cap
	}
	return BitsPerSecond(float64(cap) * headroom * payload)
}

// DatagramOnLine is how many bytes a UDP datagram of n takes on the way to an address.
func DatagramOnLine(to net.Addr, n int) int {
	if n <= 0 {
		return 0
	}
	if udp, ok := to.(*net.UDPAddr); ok && udp.IP.To4() != nil {
		return n + headers4
	}
	return n + headers6
}

// StreamOnLine is how many bytes n of a TCP connection take, about.
func StreamOnLine(n int) int { return n + n*segmentHeaders/segment }
