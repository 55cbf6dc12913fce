package main

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
)

// newLog logs to w, without any address of anybody: what a part of the program
// or a library puts into a message or an error is scrubbed here at the latest.
func newLog(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(scrubber{w}, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log) // the standard log package, which libraries use, goes this way too
	return log
}

// scrubber takes addresses out of the lines that pass it. A handler writes each
// record with one call.
type scrubber struct{ w io.Writer }

func (s scrubber) Write(line []byte) (int, error) {
	if _, err := s.w.Write(scrub(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// likeAddress finds what may be an IP address; scrub looks closer. Times of day
// and hexadecimal ids look alike and stay.
var likeAddress = regexp.MustCompile(`[0-9A-Fa-f:.]*(?:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)(?:%[0-9A-Za-z]+)?`)

func scrub(line []byte) []byte {
	return likeAddress.ReplaceAllFunc(line, func(found []byte) []byte {
		text := string(found)
		for end := len(text); end > 0; end-- { // a full stop or a colon may follow
			if a, port, ok := readAddress(text[:end]); ok {
				if a.IsLoopback() || a.IsUnspecified() {
					return found
				}
				return []byte("[address]" + port + text[end:])
			}
			if last := text[end-1]; last != ':' && last != '.' {
				break
			}
		}
		return found
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
