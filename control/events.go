package control

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
)

// Events is the control socket of pages that came by HTTP/2, where a WebSocket
// would take a connection of its own: messages to the page are Server-Sent
// Events of one GET (WHATWG HTML section 9.2), messages from it the lines of
// POSTs that name the same stream. The zero value is ready.
//
//	GET  PREFIX control/events         event: stream, data: its name; then data: a message, each
//	POST PREFIX control/send?stream=   a message a line, at most maxPost bytes; 204
type Events struct {
	mu   sync.Mutex // guards the field below
	open map[string]*events
}

// maxPost is what one POST may bring: two of the longest messages.
const maxPost = 2 * (tuber.MaxControl + 1)

// Accept answers a page's GET; on an error the response is written. The handler
// must not return before the connection is closed.
func (e *Events) Accept(w http.ResponseWriter, r *http.Request) (Conn, error) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "the stream of control messages is for reading", http.StatusMethodNotAllowed)
		return nil, fmt.Errorf("accept control stream: method %s", r.Method)
	}
	if !SameOrigin(r) {
		http.Error(w, "this stream is for pages of this site only", http.StatusForbidden)
		return nil, errors.New("accept control stream: request of another origin")
	}
	name := newStreamName()
	t := &events{w: w, rc: http.NewResponseController(w), gone: r.Context().Done(), in: make(chan []byte), closed: make(chan struct{})}
	t.drop = func() { e.drop(name) }
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx, where one stands before us, would hold events back
	e.keep(name, t)
	if err := t.event("event: stream\ndata: "+name+"\n\n", time.Now().Add(writeTimeout)); err != nil {
		t.close(true)
		return nil, fmt.Errorf("accept control stream: %w", err)
	}
	return newSession(t), nil
}

// Post takes what a page says on a stream of its own.
func (e *Events) Post(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "control messages are posted", http.StatusMethodNotAllowed)
		return
	}
	if !SameOrigin(r) {
		http.Error(w, "control messages are for pages of this site only", http.StatusForbidden)
		return
	}
	t := e.find(r.URL.Query().Get("stream"))
	if t == nil {
		http.Error(w, "this stream of control messages has ended", http.StatusNotFound)
		return
	}
	if !t.posting.TryLock() {
		http.Error(w, "one post of a stream at a time", http.StatusConflict)
		return
	}
	defer t.posting.Unlock()
	if err := t.take(http.MaxBytesReader(w, r.Body, maxPost), r.Context().Done()); err != nil {
		t.close(true)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e *Events) keep(name string, t *events) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open == nil {
		e.open = map[string]*events{}
	}
	e.open[name] = t
}

func (e *Events) find(name string) *events {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open[name]
}

func (e *Events) drop(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.open, name)
}

// newStreamName is a secret: who knows it speaks for the page.
func newStreamName() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// events is the transport over one such stream.
type events struct {
	gone    <-chan struct{} // the page's request has ended
	in      chan []byte
	drop    func()
	once    sync.Once
	closed  chan struct{}
	posting sync.Mutex // held by the post under way

	mu sync.Mutex // guards the fields below
	w  http.ResponseWriter
	rc *http.ResponseController
}

var errStreamEnded = errors.New("the stream of events has ended")

// take hands on the messages of a post, in order; it waits until they are read.
func (t *events) take(body interface{ Read([]byte) (int, error) }, given <-chan struct{}) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 4<<10), tuber.MaxControl+1)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		select {
		case t.in <- bytes.Clone(lines.Bytes()):
		case <-t.closed:
			return errStreamEnded
		case <-t.gone:
			return errStreamEnded
		case <-given:
			return errors.New("the post was given up")
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read control messages: %w", err)
	}
	return nil
}

func (t *events) read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-t.in:
		return b, nil
	case <-t.closed:
		return nil, errStreamEnded
	case <-t.gone:
		return nil, errStreamEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// write sends a message as one event; JSON has no line breaks of its own.
func (t *events) write(ctx context.Context, b []byte) error {
	return t.event("data: "+string(b)+"\n\n", deadlineOf(ctx))
}

// ping keeps the way open; the page says that it is alive by itself.
func (t *events) ping(ctx context.Context) error { return t.event(":\n\n", deadlineOf(ctx)) }

func (t *events) event(text string, until time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.gone:
		return errStreamEnded
	default:
	}
	_ = t.rc.SetWriteDeadline(until) // a writer without deadlines blocks no longer than its client lives
	if _, err := t.w.Write([]byte(text)); err != nil {
		return err
	}
	if err := t.rc.Flush(); err != nil {
		return err
	}
	_ = t.rc.SetWriteDeadline(time.Time{})
	return nil
}

func deadlineOf(ctx context.Context) time.Time {
	until, _ := ctx.Deadline()
	return until
}

func (t *events) close(bool) {
	t.once.Do(func() {
		t.drop()
		close(t.closed)
	})
}
