// Command tuber is the whole of Tuber without a window: a host, a booster, a
// gateway, and the commands that speak to those that run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tubercdn/tuber/internal/config"
	"github.com/tubercdn/tuber/internal/logs"
)

// Exit codes: 0, it did what was asked; 1, it could not; 2, it was asked wrongly.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := config.Parse(args, stdout)
	if err == nil {
		p := program{Command: c, out: stdout, log: logs.New(stderr, c.Verbose)}
		err = p.commands()[c.Name](ctx)
	}
	switch {
	case err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return 0
	case errors.Is(err, config.ErrUsage):
		fmt.Fprintln(stderr, "tuber:", err)
		return exitUsage
	default:
		fmt.Fprintln(stderr, "tuber:", err)
		return exitFailed
	}
}
