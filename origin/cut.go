package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tubercdn/tuber"
)

// slowRun is how long a whole chunk waits for its run to fill: then the run is
// closed, so that chunks flow before a segment is complete.
const slowRun = 100 * time.Millisecond

var (
	// errTooLong is returned for a body over tuber.MaxSegment: it is not shared.
	errTooLong = fmt.Errorf("segment is over %d bytes and not shared", tuber.MaxSegment)
	// errEmpty is returned for a body without bytes: there is nothing to share.
	errEmpty = errors.New("segment is empty")
	// errStalled is returned when upstream sends nothing for too long.
	errStalled = errors.New("upstream stopped sending")
)

// cutter turns the bytes of one body into runs, in order. A run closes at the
// end of the body, at tuber.MaxRun chunks, or when its first whole chunk has
// waited for slowRun. Only the last chunk of a body is short: what a slow run
// leaves of a chunk waits for the next one.
type cutter struct {
	size  int64                                  // announced length of the body, -1 if none
	stall time.Duration                          // without a byte for so long the cut fails
	emit  func(chunks [][]byte, ends bool) error // takes a closed run and keeps its slices

	read   int64    // bytes so far
	whole  [][]byte // full chunks of the open run
	filled []byte   // the chunk that is being filled
}

// block is what one Read gave.
type block struct {
	data []byte
	err  error
}

// cut reads body to its end and closes it. The end of ctx must end a Read.
func (c *cutter) cut(ctx context.Context, body io.ReadCloser) error {
	ctx, cancel := context.WithCancel(ctx)
	blocks, gone := make(chan block, 4), make(chan struct{})
	go func() {
		defer close(gone)
		readBlocks(ctx, body, blocks)
	}()
	defer func() {
		cancel()
		body.Close()
		<-gone
	}()
	stall, slow := time.NewTimer(c.stall), time.NewTimer(slowRun)
	defer stall.Stop()
	defer slow.Stop()
	slow.Stop()
	for armed := false; ; {
		select {
		case b := <-blocks:
			stall.Reset(c.stall)
			if err := c.add(b.data); err != nil {
				return err
			}
			if b.err != nil {
				return c.end(b.err)
			}
		case <-slow.C:
			armed = false
			if err := c.flush(c.closable()); err != nil {
				return err
			}
		case <-stall.C:
			return errStalled
		case <-ctx.Done():
			return ctx.Err()
		}
		if ready := c.closable() > 0; ready != armed {
			armed = ready
			slow.Stop()
			if ready {
				slow.Reset(slowRun)
			}
		}
	}
}

// readBlocks ends with the body's first error, or with ctx.
func readBlocks(ctx context.Context, body io.Reader, out chan<- block) {
	for {
		buf := make([]byte, tuber.ChunkSize)
		n, err := body.Read(buf)
		select {
		case out <- block{buf[:n], err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (c *cutter) add(data []byte) error {
	c.read += int64(len(data))
	switch {
	case c.read > tuber.MaxSegment:
		return errTooLong
	case c.size >= 0 && c.read > c.size:
		return fmt.Errorf("body is longer than the %d bytes announced", c.size)
	}
	for len(data) > 0 {
		if c.filled == nil {
			c.filled = make([]byte, 0, tuber.ChunkSize)
		}
		n := min(len(data), tuber.ChunkSize-len(c.filled))
		c.filled, data = append(c.filled, data[:n]...), data[n:]
		if len(c.filled) == tuber.ChunkSize {
			c.whole, c.filled = append(c.whole, c.filled), nil
		}
		if c.closable() >= tuber.MaxRun {
			if err := c.flush(tuber.MaxRun); err != nil {
				return err
			}
		}
	}
	return nil
}

// closable is how many full chunks may go before the end is known. A chunk that
// may be the body's last one stays, since the last run must say that it ends.
func (c *cutter) closable() int {
	if len(c.whole) > 0 && c.filled == nil && (c.size < 0 || c.read >= c.size) {
		return len(c.whole) - 1
	}
	return len(c.whole)
}

func (c *cutter) flush(n int) error {
	if n == 0 {
		return nil
	}
	run := c.whole[:n:n]
	c.whole = append([][]byte(nil), c.whole[n:]...)
	return c.emit(run, false)
}

func (c *cutter) end(err error) error {
	switch {
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("read body: %w", err)
	case c.size >= 0 && c.read < c.size:
		return fmt.Errorf("read body: %w after %d of %d bytes", io.ErrUnexpectedEOF, c.read, c.size)
	case c.read == 0:
		return errEmpty
	}
	if c.filled != nil {
		c.whole, c.filled = append(c.whole, c.filled), nil
	}
	return c.emit(c.whole, true)
}
