package origin

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// smuggled stands inside the bodies below: a site that sees it as a request of
// its own was fooled.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

// ambiguities are requests whose end two servers may see in two places (RFC
// 9112 sections 2.2, 5, 6.3 and 11.2, and what was published since). L is the
// length of smuggled, Z a last chunk of length zero before it.
var ambiguities = []string{
	// Both lengths.
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nCONTENT-LENGTH: L\r\nTransfer-Encoding: Chunked\r\n\r\nZ",
	"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\nZ",
	"POST / HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\nZ",
	"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\nZ",
	// Two lengths.
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: L\r\nContent-Length: 0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0, L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: L, L\r\n\r\n",
	// Lengths that are no numbers.
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x10\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1e1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \x00L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5.0\r\n\r\n",
	// Names that are nearly right.
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length\t: L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length\x00: L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\n Content-Length: L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nX: y\r\n content-length: 7\r\n\r\n",
	"POST / HTTP/1.1\r\n Content-Length: L\r\nHost: x\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding\x0b: chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\n: chunked\r\nContent-Length: 0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length L\r\n\r\n",
	// Encodings that are nearly chunked.
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \"chunked\"\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked;q=1\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0bchunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x00chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ch\xc3\xbcnked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nX: y\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nZ",
	"POST / HTTP/1.1\r\nHost: x\r\nX: y\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nZ",
	// Chunks that are nearly right.
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabX\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;x\ny\r\na\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\ng\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nContent-Length: L\r\nX y\r\n\r\n",
	// Request lines and hosts.
	"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
	"GET / HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
	"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
	"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET / HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET / HTTP/1.10\r\nHost: x\r\n\r\n",
	"GET / HTTP/01.1\r\nHost: x\r\n\r\n",
	"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
	"GET / http/1.1\r\nHost: x\r\n\r\n",
	"G ET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nBad\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nB(ad: y\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: L\r\n\r\n",
	"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n",
	"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
	"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nConnection: Content-Length\r\nContent-Length: L\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n",
}

// last follows every case, so that the end of each shows: it is answered, or the
// socket closes before.
const last = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

// bait completes a case. A body of known length holds the smuggled request;
// behind a chunked one it would be the client's own second request.
func bait(i int, text string) string {
	text = strings.ReplaceAll(text, "Z", "0\r\n\r\n")
	if strings.Contains(text, "L") && !strings.Contains(strings.ToLower(text), "chunked") {
		text += smuggled
	}
	n := fmt.Sprint(len(smuggled))
	for _, before := range []string{": ", ", ", "+", "\x00", " "} {
		text = strings.ReplaceAll(text, before+"L\r", before+n+"\r")
		text = strings.ReplaceAll(text, before+"L,", before+n+",")
	}
	return strings.ReplaceAll(text, "Host: x", fmt.Sprint("Host: case", i))
}

// TestSmuggling: the site must see each case as one request, or the client must
// be refused; nobody may see the smuggled one as a request behind an accepted one.
func TestSmuggling(t *testing.T) {
	if len(ambiguities) < 60 {
		t.Fatalf("%d cases, want at least 60", len(ambiguities))
	}
	var mu sync.Mutex
	seen := map[string]int{}
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Host+" "+r.URL.Path]++
		mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	for i, text := range ambiguities {
		raw := bait(i, text)
		statuses := s.sendRaw(raw + last)
		refused := len(statuses) > 0 && (statuses[0]/100 == 4 || statuses[0] == http.StatusNotImplemented || statuses[0] == http.StatusHTTPVersionNotSupported)
		mu.Lock()
		n := seen[fmt.Sprintf("case%d /", i)]
		if seen["x /smuggled"] > 0 {
			t.Errorf("case %d: the site saw the smuggled request: %q", i, raw)
			clear(seen)
		}
		mu.Unlock()
		switch lower := strings.ToLower(raw); {
		case n > 1 || n == 0 && !refused || n == 1 && len(statuses) > 2:
			t.Errorf("case %d: the site saw %d requests, the client %v: %q", i, n, statuses, raw)
		case strings.Contains(lower, "\r\ncontent-length:") && strings.Contains(lower, "\r\ntransfer-encoding:") && !refused:
			t.Errorf("case %d: both lengths got %v, want a refusal: %q", i, statuses, raw)
		}
	}
}

// sendRaw returns the status of every answer on one socket.
func (s *stand) sendRaw(raw string) (statuses []int) {
	c := s.dial()
	defer c.Close()
	sent := make(chan struct{})
	go func() { // the other side may stop reading
		defer close(sent)
		_, _ = io.WriteString(c, raw)
	}()
	in := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(in, nil)
		if err == nil {
			statuses = append(statuses, res.StatusCode)
			_, err = io.Copy(io.Discard, res.Body)
		}
		if err != nil {
			c.Close()
			<-sent
			return statuses
		}
	}
}

// TestBothLengthsAreRefused also where the socket served requests before.
func TestBothLengthsAreRefused(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	plain := "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	upload := "PUT /u HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000)
	chunked := "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
	both := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	for _, c := range []struct {
		sent []string
		want []int
	}{
		{[]string{both, plain}, []int{400}},
		{[]string{plain, both, plain}, []int{200, 400}},
		{[]string{upload, both, plain}, []int{200, 400}},
		{[]string{chunked, both, plain}, []int{200, 400}},
		{[]string{upload, chunked, plain, chunked, both, plain}, []int{200, 200, 200, 200, 400}},
	} {
		if got := s.sendRaw(strings.Join(c.sent, "")); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("pipelined %.60q: got %v, want %v", c.sent, got, c.want)
		}
		// And one after the other, each sent when the answer before it came.
		conn := s.dial()
		in := bufio.NewReader(conn)
		for i, want := range c.want {
			_, _ = io.WriteString(conn, c.sent[i])
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != want {
				t.Errorf("request %d of %.60q: got %v, %v, want %d", i, c.sent, res, err, want)
				break
			}
			_, _ = io.Copy(io.Discard, res.Body)
		}
		conn.Close()
	}
}
