package control

import (
	"context"
	"errors"
	"sync"

	"github.com/tubercdn/tuber/wire"
)

// Pipe is a connection within one process: what one end sends the other
// receives, encoded and bounded as on a socket. It owns no goroutine.
func Pipe() (a, b Conn) {
	ab, ba := make(chan []byte, queueMessages), make(chan []byte, queueMessages)
	x := &pipeEnd{in: ba, out: ab, closed: make(chan struct{})}
	y := &pipeEnd{in: ab, out: ba, closed: make(chan struct{})}
	x.other, y.other = y, x
	return x, y
}

type pipeEnd struct {
	in     <-chan []byte
	out    chan<- []byte
	other  *pipeEnd
	once   sync.Once
	closed chan struct{}
}

// Send queues a message and returns at once.
func (p *pipeEnd) Send(ctx context.Context, m wire.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := wire.Encode(m)
	if err != nil {
		return err
	}
	if p.gone() || p.other.gone() {
		return ErrClosed
	}
	select {
	case p.out <- b:
		return nil
	default:
		p.shut()
		p.other.shut()
		return ErrSlow
	}
}

// Receive waits for the next message. What was sent before the other end
// closed is still delivered.
func (p *pipeEnd) Receive(ctx context.Context) (wire.Message, error) {
	for {
		b, err := p.next(ctx)
		if err != nil {
			return nil, err
		}
		m, err := wire.Decode(b)
		if errors.Is(err, wire.ErrUnknown) {
			continue
		}
		return m, err
	}
}

func (p *pipeEnd) next(ctx context.Context) ([]byte, error) {
	if p.gone() {
		return nil, ErrClosed
	}
	select {
	case b := <-p.in:
		return b, nil
	case <-p.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.other.closed:
	}
	select {
	case b := <-p.in:
		return b, nil
	default:
		return nil, ErrClosed
	}
}

// Close ends the connection for both ends.
func (p *pipeEnd) Close() error {
	p.shut()
	return nil
}

func (p *pipeEnd) shut() { p.once.Do(func() { close(p.closed) }) }

func (p *pipeEnd) gone() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}
