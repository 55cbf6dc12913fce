package tuber

import (
	"net"
	"net/netip"
	"regexp"
)

// likeAddress finds what may be an IP address; Scrub looks closer. Times of day
// and hexadecimal ids look alike and stay.
var likeAddress = regexp.MustCompile(`[0-9A-Fa-f:.]*(?:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)(?:%[0-9A-Za-z]+)?`)

// Scrub takes IP addresses out of a text that others may see, but those that
// mean this machine to itself.
func Scrub(text string) string {
	return likeAddress.ReplaceAllStringFunc(text, func(text string) string {
		for end := len(text); end > 0; end-- { // a full stop or a colon may follow
			if a, port, ok := readAddress(text[:end]); ok {
				if a.IsLoopback() || a.IsUnspecified() {
					return text
				}
				return "[address]" + port + text[end:]
			}
			if last := text[end-1]; last != ':' && last != '.' {
				break
			}
		}
		return text
	})
}

// readAddress reads an address, and a port with its colon if there is one.
func readAddress(text string) (a netip.Addr, port string, ok bool) {
	a, err := netip.ParseAddr(text)
	if err == nil {
		return a, "", true
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		return a, "", false
	}
	a, err = netip.ParseAddr(host)
	return a, ":" + port, err == nil
}
