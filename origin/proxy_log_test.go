package origin

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// lines is a log that a test can read while it is written.
type lines struct {
	mu  sync.Mutex // guards the field below
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// count is how many lines hold the word.
func (l *lines) count(word string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, word) {
			n++
		}
	}
	return n
}
