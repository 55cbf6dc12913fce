package origin

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// speaksHTTP2 makes a server speak HTTP/2 without TLS, as it does with it.
func speaksHTTP2(s *http.Server) {
	s.Protocols = new(http.Protocols)
	s.Protocols.SetUnencryptedHTTP2(true)
}

// client speaks HTTP/2 with p.
func (p *pipeServer) client() (*http.Client, func()) {
	tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial(), nil }}
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: tr}, tr.CloseIdleConnections
}

// opening is what a client of HTTP/2 says first, with empty settings (RFC 9113
// section 3.4), and then a frame of this type and flags on stream 1.
func opening(kind, flags byte, payload string) string {
	b := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	b = append(b, 0, 0, byte(len(payload)), kind, flags)
	return string(append(binary.BigEndian.AppendUint32(b, 1), payload...))
}

// Who opens a socket of HTTP/2 and says nothing that becomes a request is closed.
func TestSilentSocketsOfHTTP2AreClosed(t *testing.T) {
	const headers, endStream = 1, 1
	for _, c := range []struct {
		name, head, drip string
		most             time.Duration
	}{
		{"nothing sent", "", "", headerTimeout},
		{"half a preface", "PRI * HTTP/2.0\r\n", "", headerTimeout},
		{"a header that does not end", opening(headers, endStream, "\x82"), "", idleTimeout},
		{"a header that drips", opening(headers, endStream, "\x82"), strings.Repeat("\x00", 1000), idleTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipeServer(http.NotFoundHandler(), speaksHTTP2)
			defer p.close()
			conn := p.dial()
			defer conn.Close()
			if took, _ := closedAfter(conn, c.head, c.drip, time.Second); took > c.most+5*time.Second {
				t.Errorf("%s: closed after %v, want at most %v", c.name, took, c.most)
			}
		})
	}
}

// A body must keep coming, and an answer must be taken, whatever carries them.
func TestSlowClientsOfHTTP2(t *testing.T) {
	for name, drip := range map[string]int{"stands still": 1, "drips": 1000} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipeServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				var slow *slowBodyError
				w.Header().Set("Connection", "close") // as the proxy does; without it the stream is broken off
				fmt.Fprint(w, r.Proto, " slow: ", errors.As(err, &slow))
			}), speaksHTTP2)
			defer p.close()
			client, closeIdle := p.client()
			defer closeIdle()
			body, in := io.Pipe()
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				for range drip {
					if _, err := in.Write([]byte("x")); err != nil {
						return
					}
					<-time.After(time.Second)
				}
			}()
			begun := time.Now()
			res, err := client.Post("http://x/", "text/plain", body)
			if err != nil {
				t.Fatalf("body that %s: %v", name, err)
			}
			defer func() { res.Body.Close(); body.Close(); <-stopped }()
			said, _ := io.ReadAll(res.Body)
			if took := time.Since(begun); took < bodyGrace || took > bodyGrace+3*time.Second || string(said) != "HTTP/2.0 slow: true" {
				t.Errorf("body that %s: %q after %v, want it to end after %v", name, said, took, bodyGrace)
			}
		})
	}
}

func TestClientOfHTTP2ThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := New(Config{Handler: http.NotFoundHandler()})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan time.Duration, 1)
		p := newPipeServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun := time.Now()
			if _, err := io.Copy(o.metered(w, r, visitor{}), io.LimitReader(zeros{}, 64<<20)); err == nil {
				t.Error("64 MiB went to a client that reads nothing")
			}
			ended <- time.Since(begun)
		}), speaksHTTP2)
		defer p.close()
		client, closeIdle := p.client()
		defer closeIdle()
		res, err := client.Get("http://x/")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if took := <-ended; took < writeStall || took > writeStall+time.Second {
			t.Errorf("it was given up after %v, want %v", took, writeStall)
		}
	})
}
