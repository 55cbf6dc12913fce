package demo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// startViewers runs this program's `watch` command as a child: headless viewers
// of the demo's page. The returned stop ends them and waits.
func (d *demo) startViewers(ctx context.Context) (stop func(), err error) {
	if d.Viewers <= 0 {
		return func() {}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(d.Dir, "viewers.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the viewers' log: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, self, "watch", "--viewers", strconv.Itoa(d.Viewers), d.host.Addresses().Site)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	detach(cmd) // Ctrl-C in the terminal is for the demo, which then ends its child
	if err := cmd.Start(); err != nil {
		cancel()
		log.Close()
		return nil, fmt.Errorf("start the viewers: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer log.Close()
		if err := cmd.Wait(); ctx.Err() == nil {
			d.failed <- fmt.Errorf("the viewers ended by themselves (%v); their log is %s", err, log.Name())
		}
	}()
	return func() { cancel(); <-ended }, nil
}
