package origin

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
)

const (
	rawTail = 8 << 10           // bytes read ahead by net/http, of what may be the next header
	rawHead = maxHeader + 8<<10 // bytes kept of a header
)

// socket remembers the newest bytes that were read from it, so that a request's
// header can be seen as it was sent: net/http mends ambiguities before a handler
// could refuse them (RFC 9112 section 6.3). Not used beneath TLS.
type socket struct {
	net.Conn
	once    sync.Once
	release func()

	mu   sync.Mutex // guards the fields below
	busy bool       // a handler runs: what comes now is mostly a body
	seen []byte
}

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	most := rawHead
	if s.busy {
		most = rawTail
	}
	fresh := p[:n]
	if len(fresh) >= most {
		s.seen, fresh = s.seen[:0], fresh[len(fresh)-most:]
	}
	if over := len(s.seen) + len(fresh) - most; over > 0 {
		s.seen = s.seen[:copy(s.seen, s.seen[over:])]
	}
	s.seen = append(s.seen, fresh...)
	return n, err
}

func (s *socket) Close() error {
	s.once.Do(s.release)
	return s.Conn.Close()
}

// CloseWrite lets net/http finish an answer before it closes.
func (s *socket) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// begin marks that a handler runs, and returns a copy of what was read before
// if it is wanted.
func (s *socket) begin(want bool) (raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy = true; want {
		raw = bytes.Clone(s.seen)
	}
	if over := len(s.seen) - rawTail; over > 0 {
		s.seen = s.seen[:copy(s.seen, s.seen[over:])]
	}
	return raw
}

func (s *socket) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
}

var (
	errBoth   = errors.New("it has both Content-Length and Transfer-Encoding")
	errOld    = errors.New("HTTP/1.0 has no Transfer-Encoding")
	errUnseen = errors.New("its header was sent in a way that cannot be checked")
)

// ambiguous says why another server could see the request end elsewhere.
func ambiguous(r *http.Request, s *socket) error {
	old := !r.ProtoAtLeast(1, 1)
	raw := s.begin(old || len(r.TransferEncoding) > 0)
	if raw == nil {
		return nil
	}
	heads := headers(raw, r)
	for _, lines := range heads {
		length, encoding := false, false
		for _, l := range lines {
			name, _, _ := strings.Cut(l, ":")
			length = length || strings.EqualFold(name, "Content-Length")
			encoding = encoding || strings.EqualFold(name, "Transfer-Encoding")
		}
		switch {
		case length && encoding:
			return errBoth
		case old && encoding:
			return errOld
		}
	}
	if len(heads) == 0 && !old {
		return errUnseen
	}
	return nil
}

// headers finds the lines of each header in raw that begins with this request line.
func headers(raw []byte, r *http.Request) [][]string {
	line := []byte(r.Method + " " + r.RequestURI + " " + r.Proto)
	var found [][]string
	for at := 0; ; {
		i := bytes.Index(raw[at:], line)
		if i < 0 {
			return found
		}
		at += i + len(line)
		var lines []string
		for l := range strings.Lines(string(raw[at:])) {
			if l = strings.TrimRight(l, "\r\n"); l == "" && len(lines) > 0 {
				break
			}
			lines = append(lines, l)
		}
		found = append(found, lines)
	}
}
