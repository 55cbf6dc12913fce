package origin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestWebSocketThrough(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), kind, append([]byte("echo "), b...)); err != nil {
				return
			}
		}
	}))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.url, "http")+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for i := range 3 {
		msg := fmt.Sprint("message ", i)
		if err := c.Write(ctx, websocket.MessageText, []byte(msg)); err != nil {
			t.Fatal(err)
		}
		_, b, err := c.Read(ctx)
		if err != nil || string(b) != "echo "+msg {
			t.Fatalf("got %q, %v, want echo", b, err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestOtherUpgradesThrough: whatever the two agreed on, bytes go both ways until
// one side is done.
func TestOtherUpgradesThrough(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\nwelcome\n", r.Header.Get("Upgrade"))
		for {
			if rw.Flush() != nil {
				return
			}
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprintf(rw, "heard %s", line)
		}
	}))
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(conn, "GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: knocking/1\r\n\r\n")
	back := bufio.NewReader(conn)
	res, err := http.ReadResponse(back, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Upgrade") != "knocking/1" {
		t.Fatalf("got %v, %v, want 101 and knocking/1", res, err)
	}
	said := "welcome\n" // the site speaks first
	for i := range 3 {
		if line, err := back.ReadString('\n'); err != nil || line != said {
			t.Fatalf("got %q, %v, want %q", line, err, said)
		}
		fmt.Fprintf(conn, "knock %d\x00\xff\n", i)
		said = fmt.Sprintf("heard knock %d\x00\xff\n", i)
	}
}

// TestStreamsWithoutBuffering: the site sends the next piece only after the
// client has the one before, so anything held back stops the test.
func TestStreamsWithoutBuffering(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers map[string]string
	}{
		{"server-sent events", map[string]string{"Content-Type": "text/event-stream"}},
		{"chunked", map[string]string{"Content-Type": "text/plain"}},
		{"with a length", map[string]string{"Content-Type": "text/plain", "Content-Length": "24"}},
	} {
		next := make(chan bool)
		s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for k, v := range c.headers {
				w.Header().Set(k, v)
			}
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n", i)
				w.(http.Flusher).Flush()
				<-next
			}
		}))
		res := s.open("GET", "/", nil)
		lines := bufio.NewReader(res.Body)
		for i := range 3 {
			line, err := lines.ReadString('\n')
			if want := fmt.Sprintf("data: %d\n", i); err != nil || line != want {
				t.Fatalf("%s: got %q, %v, want %q", c.name, line, err, want)
			}
			next <- true
		}
		res.Body.Close()
	}
}

func TestTrailers(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d bytes", len(b))
		w.Header().Set("X-Sum", "out "+r.Trailer.Get("X-Sum"))
		w.Header().Set(http.TrailerPrefix+"X-Late", "late")
	}))
	r, _ := http.NewRequest("POST", s.url+"/", io.MultiReader(strings.NewReader("hello")))
	r.Trailer = http.Header{"X-Sum": {"in"}}
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if string(b) != "5 bytes" || res.Trailer.Get("X-Sum") != "out in" || res.Trailer.Get("X-Late") != "late" {
		t.Errorf("got %q and trailers %v, want both trailers, and the request's inside", b, res.Trailer)
	}
}

func TestHeadAndRange(t *testing.T) {
	data := make([]byte, 300_000)
	_, _ = rand.Read(data)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Etag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	res, body := s.ask("HEAD", "/v.mp4", nil)
	if res.ContentLength != int64(len(data)) || body != "" || res.Header.Get("Etag") != `"v1"` {
		t.Errorf("HEAD: got length %d, %d bytes, etag %s", res.ContentLength, len(body), res.Header.Get("Etag"))
	}
	res, body = s.ask("GET", "/v.mp4", nil, "Range", "bytes=1000-200999", "If-Range", `"v1"`)
	if res.StatusCode != 206 || body != string(data[1000:201000]) || res.Header.Get("Content-Range") != "bytes 1000-200999/300000" {
		t.Errorf("Range: got %d, %d bytes, %q", res.StatusCode, len(body), res.Header.Get("Content-Range"))
	}
	res, _ = s.ask("GET", "/v.mp4", nil, "Range", "bytes=900000-")
	if res.StatusCode != 416 {
		t.Errorf("unsatisfiable range: got %d, want 416", res.StatusCode)
	}
	if res, _ = s.ask("GET", "/v.mp4", nil, "If-None-Match", `"v1"`); res.StatusCode != 304 {
		t.Errorf("If-None-Match: got %d, want 304", res.StatusCode)
	}
}

func TestContinue(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusExpectationFailed) // without reading: no 100 goes out
			return
		}
		b, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, len(b))
	}))
	for path, want := range map[string]string{"/yes": "HTTP/1.1 100 Continue", "/no": "HTTP/1.1 417 Expectation Failed"} {
		c := s.dial()
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", path)
		in := bufio.NewReader(c)
		if line, err := in.ReadString('\n'); strings.TrimSpace(line) != want {
			t.Errorf("%s: got %q, %v, want %q", path, line, err, want)
		}
		if path == "/yes" {
			_, _ = in.ReadString('\n')
			fmt.Fprint(c, "body")
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("after the body: %v, %v", res, err)
			}
			res.Body.Close()
		}
		c.Close()
	}
}

func (s *stand) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	s.t.Cleanup(func() { c.Close() })
	return c
}

// TestAnswersWhileReading: a site may answer before it has read the upload.
func TestAnswersWhileReading(t *testing.T) {
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		in := bufio.NewScanner(r.Body)
		for in.Scan() {
			fmt.Fprintln(w, "got", in.Text())
			w.(http.Flusher).Flush()
		}
	}))
	body, out := io.Pipe()
	go fmt.Fprintln(out, "one")
	res := s.open("POST", "/", body)
	lines := bufio.NewReader(res.Body)
	for _, word := range []string{"one", "two", "three"} {
		line, err := lines.ReadString('\n')
		if err != nil || line != "got "+word+"\n" {
			t.Fatalf("got %q, %v, want got %s", line, err, word)
		}
		switch word {
		case "one":
			go fmt.Fprintln(out, "two")
		case "two":
			go fmt.Fprintln(out, "three")
		}
	}
	out.Close()
	res.Body.Close()
}

func TestLargeUpload(t *testing.T) {
	const size = 32 << 20
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	}))
	if _, body := s.ask("PUT", "/big", io.LimitReader(zeros{}, size)); body != fmt.Sprint(size, nil) {
		t.Errorf("site read %q, want %d", body, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
