package machine

import "net"

// ways are the devices through which packets to the internet leave, by the
// system's own choice: at most one for each IP version. Nothing is sent.
func ways() []net.Interface {
	var out []net.Interface
	for network, to := range map[string]string{
		"udp4": "192.0.2.1:9",     // kept for documentation, so routed as all else is
		"udp6": "[2001:db8::1]:9", // likewise
	} {
		c, err := net.Dial(network, to)
		if err != nil {
			continue
		}
		from := c.LocalAddr().(*net.UDPAddr).IP
		_ = c.Close() // nothing was sent
		if dev, ok := deviceOf(from); ok {
			out = append(out, dev)
		}
	}
	return out
}

// deviceOf finds the device that has an address.
func deviceOf(ip net.IP) (net.Interface, bool) {
	all, err := net.Interfaces()
	if err != nil {
		return net.Interface{}, false
	}
	for _, dev := range all {
		addrs, err := dev.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
				return dev, true
			}
		}
	}
	return net.Interface{}, false
}
