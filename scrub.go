package tuber

import (
	"net"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain is text from elsewhere as it may be shown in one line: valid, without
// control, formatting or line-breaking characters, with single spaces, and at
// most so many bytes long.
func Plain(text string, most int) string {
	var b strings.Builder
	space := false
	for _, r := range strings.ToValidUTF8(text[:min(len(text), 4*most)], "") {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case !unicode.IsGraphic(r):
			continue
		}
		if n := utf8.RuneLen(r); b.Len()+n > most || space && b.Len()+n+1 > most {
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

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
