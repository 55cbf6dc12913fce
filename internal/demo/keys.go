package demo

import (
	"context"
	"os"

	"golang.org/x/term"
)

const ctrlC = 3

// readKeys sends each key pressed until ctx ends. On anything but a terminal
// there are no keys. restore gives the terminal back; it may be called twice.
func readKeys(ctx context.Context, in *os.File) (keys <-chan byte, restore func()) {
	if in == nil || !term.IsTerminal(int(in.Fd())) {
		return nil, func() {}
	}
	old, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, func() {}
	}
	out := make(chan byte)
	// The read cannot be interrupted, so this goroutine ends with the process;
	// it holds nothing but its one byte.
	go func() {
		b := make([]byte, 1)
		for {
			if n, err := in.Read(b); err != nil || n == 0 {
				return
			}
			select {
			case out <- b[0]:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, func() { term.Restore(int(in.Fd()), old) }
}
