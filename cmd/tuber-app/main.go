// Command tuber-app is Tuber with a window and a tray icon. The booster runs in
// it, and the host too once the owner starts one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tubercdn/tuber/internal/logs"
	"github.com/tubercdn/tuber/internal/release"
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
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "tuber-app:", err)
		return exitUsage
	case o.version:
		fmt.Fprintln(stdout, "tuber-app", release.Version())
		return 0
	}
	code, err := start(ctx, o, logs.New(stderr, o.verbose))
	if err != nil {
		fmt.Fprintln(stderr, "tuber-app:", err)
	}
	return code
}
