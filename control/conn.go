// Package control is both ends of the control socket between a peer and its
// planner: the connection (WebSocket, Server-Sent Events plus POST, or a pipe
// in memory) and the handshake that proves each side to the other.
//
// Invariants:
//   - a message has at most tuber.MaxControl bytes, in both directions;
//   - Send never waits: what a side does not read piles up in a bounded queue,
//     and when that is full the connection is dropped;
//   - after Close returns no goroutine of the connection is left.
package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tubercdn/tuber/wire"
)

// Conn carries control messages. Send and Receive may be called from two
// goroutines at once; Receive from one only.
type Conn interface {
	// Send queues a message and returns at once. After ErrSlow or ErrClosed
	// the connection is gone.
	Send(context.Context, wire.Message) error
	// Receive waits for the next message of a known type. When ctx ends the
	// connection stays usable.
	Receive(context.Context) (wire.Message, error)
	// Close sends what is queued, says goodbye and waits for both, at most
	// closeTimeout.
	Close() error
}

var (
	// ErrClosed is returned once either side has closed the connection.
	ErrClosed = errors.New("control connection is closed")
	// ErrSlow is returned when the other side does not read what it is sent.
	ErrSlow = errors.New("control connection dropped: the other side does not read")
)

// The bounds of one connection.
const (
	queueMessages = 512     // messages waiting to be sent
	queueBytes    = 1 << 20 // bytes waiting to be sent
	inMessages    = 16      // messages read and not yet received

	writeTimeout = 10 * time.Second
	pingEvery    = 20 * time.Second // below the idle time of common proxies
	pingTimeout  = 15 * time.Second
	closeTimeout = 3 * time.Second
)

// transport moves whole messages. read, write and ping may run at once, each in
// one goroutine; all end with an error once close was called or ctx is done.
type transport interface {
	read(context.Context) ([]byte, error)
	write(context.Context, []byte) error
	ping(context.Context) error // returns when the other side has answered
	close(now bool)             // now: without waiting for the other side's goodbye
}

// session is a Conn over a transport.
type session struct {
	t      transport
	ctx    context.Context // ends when the session is dead
	cancel context.CancelFunc
	in     chan wire.Message // closed by the reader
	wake   chan struct{}     // the queue has something
	stop   chan struct{}     // closed by Close: send the rest, then end
	ending sync.Once
	loops  sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	queue  [][]byte
	queued int // bytes
	err    error
}

func newSession(t transport) *session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{
		t: t, ctx: ctx, cancel: cancel,
		in:   make(chan wire.Message, inMessages),
		wake: make(chan struct{}, 1),
		stop: make(chan struct{}),
	}
	s.loops.Go(s.readLoop)
	s.loops.Go(s.writeLoop)
	s.loops.Go(s.pingLoop)
	return s
}

// Send queues a message and returns at once.
func (s *session) Send(ctx context.Context, m wire.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := wire.Encode(m)
	if err != nil {
		return err
	}
	if err := s.push(b); err != nil {
		s.fail(err)
		return err
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

func (s *session) push(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case len(s.queue) >= queueMessages || s.queued+len(b) > queueBytes:
		return ErrSlow
	}
	s.queue, s.queued = append(s.queue, b), s.queued+len(b)
	return nil
}

func (s *session) pop() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	b := s.queue[0]
	s.queue[0] = nil
	s.queue, s.queued = s.queue[1:], s.queued-len(b)
	return b
}

// Receive waits for the next message of a known type.
func (s *session) Receive(ctx context.Context) (wire.Message, error) {
	select {
	case m, ok := <-s.in:
		if !ok {
			return nil, s.cause()
		}
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close sends what is queued and ends the connection.
func (s *session) Close() error {
	s.ending.Do(func() { close(s.stop) })
	limit := time.AfterFunc(closeTimeout, func() { s.fail(ErrClosed) })
	defer limit.Stop()
	s.loops.Wait()
	return nil
}

// fail ends the session at once; the first cause stays.
func (s *session) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.queue, s.queued = nil, 0
	s.mu.Unlock()
	s.cancel()
}

func (s *session) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return ErrClosed
	}
	return s.err
}

func (s *session) readLoop() {
	defer close(s.in)
	for {
		b, err := s.t.read(s.ctx)
		if err != nil {
			s.fail(fmt.Errorf("%w: %v", ErrClosed, err))
			return
		}
		m, err := wire.Decode(b)
		if errors.Is(err, wire.ErrUnknown) {
			continue
		}
		if err != nil {
			s.fail(err)
			return
		}
		select {
		case s.in <- m:
		case <-s.stop: // nobody receives any more; read on for the other's goodbye
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *session) writeLoop() {
	graceful := false
	defer func() {
		s.t.close(!graceful)
		s.fail(ErrClosed)
	}()
	for {
		if b := s.pop(); b != nil {
			if err := s.write(b); err != nil {
				s.fail(fmt.Errorf("%w: %v", ErrClosed, err))
				return
			}
			continue
		}
		select {
		case <-s.wake:
			continue
		case <-s.ctx.Done():
			return
		case <-s.stop:
		}
		if s.empty() {
			graceful = true
			return
		}
	}
}

func (s *session) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) == 0
}

func (s *session) write(b []byte) error {
	ctx, cancel := context.WithTimeout(s.ctx, writeTimeout)
	defer cancel()
	return s.t.write(ctx, b)
}

// pingLoop keeps the way through proxies and NATs open and finds the other side
// dead when nothing else would.
func (s *session) pingLoop() {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.stop:
			return
		case <-s.ctx.Done():
			return
		}
		ctx, cancel := context.WithTimeout(s.ctx, pingTimeout)
		err := s.t.ping(ctx)
		cancel()
		if err != nil {
			s.fail(fmt.Errorf("%w: %v", ErrClosed, err))
			return
		}
	}
}
