package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// tapped counts what a client's connections carry.
type tapped struct {
	net.Conn
	in, out *atomic.Int64
}

func (c tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in.Add(int64(n))
	return n, err
}

func (c tapped) Write(b []byte) (int, error) {
	c.out.Add(int64(len(b))) // before the other side can have it
	return c.Conn.Write(b)
}

// A report and a plan of twenty links are much less than their text on the way,
// though ids and keys are of chance.
func TestMessagesAreCompressed(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start)
	var in, out atomic.Int64
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return tapped{c, &in, &out}, err
	}}
	client, err := Dial(t.Context(), DialOptions{URL: s.url(), Client: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	server := <-s.conns
	closeBoth(t, [2]Conn{client, server})
	var report wire.Report
	var plan wire.Plan
	for n := range byte(20) {
		key := tuber.PublicKey(sha256.Sum256([]byte{n}))
		id := key.PeerID()
		report.Links = append(report.Links, tuber.LinkReport{Peer: id, Sent: 1000 * uint64(n), Received: 777})
		plan.Introductions = append(plan.Introductions, tuber.Introduction{Peer: id, Key: key, Role: tuber.RoleViewer})
	}
	for _, way := range []struct {
		from, to Conn
		carried  *atomic.Int64
		message  wire.Message
	}{{client, server, &out, report}, {server, client, &in, plan}} {
		before := way.carried.Load()
		if err := way.from.Send(t.Context(), way.message); err != nil {
			t.Fatal(err)
		}
		if _, err := way.to.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := wire.Encode(way.message)
		if err != nil {
			t.Fatal(err)
		}
		if n := way.carried.Load() - before; n == 0 || n > 3*int64(len(text))/5 {
			t.Errorf("%T of %d bytes was %d on the way", way.message, len(text), n)
		}
	}
}

// A small message that unfolds to a large one is refused like a large one.
func TestTheBoundIsThatOfTheText(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start)
	ws, _, err := websocket.Dial(t.Context(), s.url(), &websocket.DialOptions{CompressionMode: compression})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	server := <-s.conns
	defer server.Close()
	bomb := append([]byte(`{"type":"alive","song":"`), bytes.Repeat([]byte("la"), 8*tuber.MaxControl)...)
	if err := ws.Write(t.Context(), websocket.MessageText, append(bomb, `"}`...)); err != nil {
		t.Fatal(err)
	}
	if m, err := server.Receive(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %T, %v, want %v", m, err, ErrClosed)
	}
}
