// Package logs makes the log of a program.
//
// Invariant: no IP address but this machine's own loopback stands in it.
package logs

import (
	"io"
	"log/slog"

	"github.com/tubercdn/tuber"
)

// New logs to w, without any address of anybody: what a part of the program
// or a library puts into a message or an error is scrubbed here at the latest.
func New(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(scrubber{w}, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log) // the standard log package, which libraries use, goes this way too
	return log
}

// scrubber takes addresses out of the lines that pass it. A handler writes each
// record with one call.
type scrubber struct{ w io.Writer }

func (s scrubber) Write(line []byte) (int, error) {
	if _, err := s.w.Write([]byte(tuber.Scrub(string(line)))); err != nil {
		return 0, err
	}
	return len(line), nil
}
