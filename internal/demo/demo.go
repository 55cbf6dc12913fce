package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
)

// Options are the demo's few choices.
type Options struct {
	Listen  string       // address of the page; a taken port moves to the next
	Input   string       // a file or URL for ffmpeg instead of the clip
	Dir     string       // state; empty for a temporary folder that goes with the demo
	Out     io.Writer    // what people read
	Viewers int          // headless ones beside it
	Keys    *os.File     // the terminal, or nil
	Log     *slog.Logger // nil for none: what a newcomer must know stands in Out
}

// demo is one run.
type demo struct {
	Options
	host    *host.Host
	booster child
	planner bool
	failed  chan error
}

// Run shows the whole of Tuber until ctx ends or `q` is pressed.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "tuber-demo-")
		if err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		defer os.RemoveAll(dir)
		o.Dir = dir
	}
	d := &demo{Options: o, planner: true, failed: make(chan error, 3)}
	return d.run(ctx, cancel)
}

func (d *demo) run(ctx context.Context, cancel context.CancelFunc) error {
	upstream, stopSite, err := d.startSite(ctx)
	if err != nil {
		return err
	}
	defer stopSite()
	d.host, err = host.New(host.Config{
		Upstream:     upstream,
		Listen:       d.Listen,
		UDPListen:    ":0",
		STUNListen:   host.Off,
		PortFallback: true,
		AllowPrivate: true, // all of the demo is on this machine or at home
		Dir:          filepath.Join(d.Dir, "host"),
		Log:          d.Log,
	})
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.host.Run(ctx); err != nil && ctx.Err() == nil {
			d.failed <- err
		}
	}()
	defer func() { cancel(); <-done }()
	if err := d.startBooster(ctx); err != nil {
		return err
	}
	defer d.booster.stop()
	if err := d.announce(); err != nil {
		return err
	}
	stopViewers, err := d.startViewers(ctx)
	if err != nil {
		return err
	}
	defer stopViewers()
	return d.watch(ctx)
}

// startSite puts the sample site on a port of its own, as any web server would be.
func (d *demo) startSite(ctx context.Context) (*url.URL, func(), error) {
	var live http.Handler
	ended := func() {}
	if d.Input != "" {
		dir := filepath.Join(d.Dir, "live")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, fmt.Errorf("make a folder for ffmpeg: %w", err)
		}
		in, err := startInput(ctx, d.Input, dir)
		if err != nil {
			return nil, nil, err
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			if err := in.wait(); ctx.Err() == nil {
				d.failed <- err
			}
		}()
		live, ended = in, func() { <-gone }
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the sample site: %w", err)
	}
	server := &http.Server{Handler: NewSite(live), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l)
	stop := func() { server.Close(); ended() }
	return &url.URL{Scheme: "http", Host: l.Addr().String()}, stop, nil
}

func (d *demo) startBooster(ctx context.Context) error {
	dir := filepath.Join(d.Dir, "booster")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder for the booster: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "booster.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the booster's log: %w", err)
	}
	d.booster = child{dir: dir, log: log}
	invite, err := d.host.NewInvite(1, time.Hour)
	if err != nil {
		return err
	}
	return d.booster.start(ctx, invite.URL())
}

func (d *demo) announce() error {
	invite, err := d.host.NewInvite(1, tuber.InviteLife)
	if err != nil {
		return err
	}
	a := d.host.Addresses()
	fmt.Fprintf(d.Out, `Tuber demo: a sample site, a host before it, and a booster in a process of its own.

  page       %s
  dashboard  %s
  invite     %s
             (fresh, good once: paste it after "tuber boost" on another machine)

Open the page, then open it again in another browser or in a private window:
tabs of one profile are one peer. The video plays in both and the share from
peers rises.

`, localhost(a.Site), a.Dashboard, invite.URL())
	if moved := portsMoved(a.Moved); moved != "" {
		fmt.Fprintln(d.Out, moved)
	}
	if d.Keys != nil {
		fmt.Fprint(d.Out, "Keys: b kills or starts the booster, p stops or starts the planner, q quits.\n\n")
	}
	return nil
}

// localhost is the same address by the name under which browsers count plain
// HTTP as secure, which service workers need.
func localhost(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return site
	}
	u.Host = net.JoinHostPort("localhost", u.Port())
	return u.String()
}

// movedTo says what stands at the port that a flag of the host names.
var movedTo = map[string]string{
	"--listen":         "the page is",
	"--control-listen": "boosters join",
	"--dashboard":      "the dashboard is",
}

// portsMoved says a line for each port that is another than was asked for.
func portsMoved(moves []host.Move) string {
	var b strings.Builder
	for _, m := range moves {
		_, wanted, err := net.SplitHostPort(m.Wanted)
		_, got, err2 := net.SplitHostPort(m.Got)
		if what := movedTo[m.Flag]; what != "" && err == nil && err2 == nil {
			fmt.Fprintf(&b, "Port %s is taken by another program, so %s at port %s.\n", wanted, what, got)
		}
	}
	return b.String()
}

// errQuit ends the demo in order.
var errQuit = errors.New("quit")

// watch prints a status line a second and obeys keys.
func (d *demo) watch(ctx context.Context) error {
	keys, restore := readKeys(ctx, d.Keys)
	defer restore()
	end := "\n"
	if keys != nil {
		end = clearRest + "\r" // one line, written anew
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			fmt.Fprint(d.Out, "\r\n")
			return nil
		case err := <-d.failed:
			return err
		case key := <-keys:
			if err := d.press(ctx, key); errors.Is(err, errQuit) {
				fmt.Fprint(d.Out, "\r\n")
				return nil
			} else if err != nil {
				d.say(err.Error())
			}
		case <-tick.C:
			if _, err := d.booster.running(); err != nil {
				d.say(err.Error())
			}
			fmt.Fprint(d.Out, statusLine(d.host.Status()), end)
		}
	}
}

// clearRest blanks what an older, longer line left (ECMA-48, EL).
const clearRest = "\x1b[K"

// say prints a sentence above the status line.
func (d *demo) say(sentence string) {
	fmt.Fprintf(d.Out, "\r%s%s\r\n", strings.TrimSpace(sentence), clearRest)
}

func (d *demo) press(ctx context.Context, key byte) error {
	switch key {
	case 'q', 'Q', ctrlC:
		return errQuit
	case 'b', 'B':
		if up, _ := d.booster.running(); up {
			d.say("The booster is killed; press b to start it again.")
			return d.booster.kill()
		}
		d.say("The booster starts again.")
		return d.booster.start(ctx, "")
	case 'p', 'P':
		if err := d.host.SetPlanner(!d.planner); err != nil {
			return err
		}
		d.planner = !d.planner
		if d.planner {
			d.say("The planner starts again.")
		} else {
			d.say("The planner is stopped: links live on; press p to start it again.")
		}
	}
	return nil
}
