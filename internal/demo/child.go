package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// child is a booster in a process of its own: this program's `boost` command.
type child struct {
	dir string
	log io.Writer
	cmd *exec.Cmd
	end chan error
}

// running tells whether the process lives, and says so if it ended by itself.
func (c *child) running() (bool, error) {
	if c.cmd == nil {
		return false, nil
	}
	select {
	case err := <-c.end:
		c.cmd = nil
		return false, fmt.Errorf("the booster ended by itself: %w; its log is %s/booster.log", err, c.dir)
	default:
		return true, nil
	}
}

// start runs it; invite is empty once it is a member.
func (c *child) start(ctx context.Context, invite string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	args := []string{"boost", "--state", c.dir, "--no-upnp", "--name", "demo booster"}
	if invite != "" {
		args = append(args, invite)
	}
	c.cmd = exec.CommandContext(ctx, self, args...)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(os.Interrupt) }
	c.cmd.WaitDelay = 5 * time.Second
	detach(c.cmd) // Ctrl-C in the terminal is for the demo, which then ends its child
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return fmt.Errorf("start the booster: %w", err)
	}
	c.end = make(chan error, 1)
	go func(cmd *exec.Cmd, end chan<- error) {
		if err := cmd.Wait(); err != nil {
			end <- err
			return
		}
		end <- fmt.Errorf("it left")
	}(c.cmd, c.end)
	return nil
}

// kill ends it without a chance to say goodbye, as a power cut would.
func (c *child) kill() error {
	if c.cmd == nil {
		return nil
	}
	if err := c.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the booster: %w", err)
	}
	<-c.end
	c.cmd = nil
	return nil
}

// stop ends it in order and waits.
func (c *child) stop() {
	if c.cmd == nil {
		return
	}
	c.cmd.Cancel()
	select {
	case <-c.end:
	case <-time.After(c.cmd.WaitDelay):
		c.cmd.Process.Kill()
		<-c.end
	}
	c.cmd = nil
}
