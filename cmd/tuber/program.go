package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/tubercdn/tuber/internal/config"
	"github.com/tubercdn/tuber/internal/demo"
	"github.com/tubercdn/tuber/internal/release"
)

// program is one call of tuber: what was asked, and where it prints.
type program struct {
	*config.Command
	out io.Writer
	log *slog.Logger
}

// commands are all there are, by name.
func (p *program) commands() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"demo":          p.demo,
		"host":          p.host,
		"boost":         p.boost,
		"gateway":       p.gateway,
		"watch":         p.watch,
		"pause":         p.pause,
		"resume":        p.resume,
		"status":        p.status,
		"leave":         p.leave,
		"invite create": p.inviteCreate,
		"invite list":   p.inviteList,
		"invite revoke": p.inviteRevoke,
		"version":       p.version,
	}
}

func (p *program) demo(ctx context.Context) error {
	if p.Demo.SiteOnly {
		return demo.ServeSite(ctx, p.Demo.Listen, p.out)
	}
	o := demo.Options{Listen: p.Demo.Listen, Input: p.Demo.Input, Viewers: p.Demo.Viewers, Out: p.out}
	if p.Verbose {
		o.Log = p.log
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		o.Keys = os.Stdin
	}
	return demo.Run(ctx, o)
}

func (p *program) version(context.Context) error {
	_, err := fmt.Fprintln(p.out, "tuber", release.Version())
	return err
}

// terminal tells whether the output is one, where a line can be written anew.
func (p *program) terminal() bool {
	f, ok := p.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
