package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/booster"
	"github.com/tubercdn/tuber/internal/config"
	"github.com/tubercdn/tuber/internal/machine"
)

func (p *program) boost(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &p.Boost
	if running, err := booster.Dial(c.State); err == nil && c.Link != "" {
		return p.handOver(running)
	}
	b, err := booster.New(booster.Config{
		Dir: c.State, Name: c.Name, Listen: c.Listen, Change: change(c), AllowPrivate: c.LAN, UPnP: c.UPnP,
		WatchFacts: machine.WatchFacts, Log: p.log,
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	if err := p.join(ctx, b); err != nil {
		cancel()
		return errors.Join(err, <-ended)
	}
	p.narrate(ctx, b, ended)
	return <-ended
}

// handOver gives the invite to the booster that runs here already.
func (p *program) handOver(running *booster.Client) error {
	c := &p.Boost
	if c.Upload != nil || c.Download != nil || c.Disk != nil || c.Allowance != nil || c.ResetDay != nil {
		return errors.New("a booster runs here already, with its own limits: leave the limits out to join by it, or stop it first")
	}
	if err := running.Join(c.Link); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.out, "Joined. The booster that runs here goes on with it; tuber status shows how.")
	return err
}

// join joins by the invite, if there is one, and says how that went.
func (p *program) join(ctx context.Context, b *booster.Booster) error {
	if p.Boost.Link == "" {
		if len(b.Status().Swarms) == 0 {
			return errors.New("no swarm was joined yet: run tuber boost with the invite link from your host")
		}
		fmt.Fprintln(p.out, "Going on with what was joined. Stop with Ctrl-C.")
		return nil
	}
	invite, err := tuber.ParseInvite(p.Boost.Link)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Joining the swarm of %s ...\n", invite.Host)
	switch err := b.Join(ctx, p.Boost.Link); {
	case errors.Is(err, booster.ErrJoined):
		fmt.Fprintf(p.out, "The swarm of %s was joined already. Going on with what was joined. Stop with Ctrl-C.\n", invite.Host)
	case errors.Is(err, booster.ErrOffline):
		fmt.Fprintf(p.out, "%s does not answer now. The invite is kept; it is tried again until it does.\n", invite.Host)
	case errors.Is(err, context.Canceled):
		return nil
	case err != nil:
		return err
	default:
		l := b.Settings().Limits
		fmt.Fprintf(p.out, "Joined. This PC now helps %s: it sends at most %v and keeps at most %s on disk.\nPause with tuber pause, stop with Ctrl-C; tuber boost goes on with it.\n",
			invite.Host, l.Upload, bytesText(l.Disk))
	}
	return nil
}

// change puts the limits of the command line over those that were kept.
func change(c *config.Boost) func(*tuber.Settings) {
	return func(s *tuber.Settings) {
		if c.Upload != nil {
			s.Limits.Upload = tuber.BitsPerSecond(*c.Upload)
		}
		if c.Download != nil {
			s.Limits.Download = tuber.BitsPerSecond(*c.Download)
		}
		if c.Disk != nil {
			s.Limits.Disk = uint64(*c.Disk)
		}
		if c.Allowance != nil {
			s.Limits.Allowance = uint64(*c.Allowance)
		}
		if c.ResetDay != nil {
			s.ResetDay = *c.ResetDay
		}
	}
}

const (
	lineEvery = time.Second      // on a terminal
	logEvery  = 30 * time.Second // elsewhere, and only if something changed
)

// narrate shows what the booster does until it ends: one line that is written
// anew on a terminal, else now and then a line of the log.
func (p *program) narrate(ctx context.Context, b *booster.Booster, ended chan error) {
	every := logEvery
	if p.terminal() {
		every = lineEvery
	}
	t := time.NewTicker(every)
	defer t.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			if p.terminal() {
				fmt.Fprintln(p.out)
			}
			return
		case err := <-ended:
			ended <- err // boost returns it
			return
		case <-t.C:
		}
		line := sentence(b.Status())
		switch {
		case p.terminal():
			fmt.Fprintf(p.out, "\r\033[K%s", line)
		case line != last:
			p.log.Info(line)
		}
		last = line
	}
}

// sentence is a status in one line.
func sentence(st tuber.Status) string {
	var parts []string
	if st.Reason != tuber.ReasonNone {
		parts = append(parts, "not sending: "+string(st.Reason)+until(st))
	} else {
		parts = append(parts, "sending "+st.Upload.String())
	}
	if st.Reachable != "" {
		parts = append(parts, st.Reachable)
	}
	parts = append(parts, plural(st.Links, "link"), bytesText(st.Sent)+" sent", bytesText(st.Stored)+" on disk")
	for _, s := range st.Swarms {
		if !s.Connected {
			parts = append(parts, s.Host+" is away")
		}
	}
	return strings.Join(parts, ", ")
}

func until(st tuber.Status) string {
	if st.Until.IsZero() {
		return ""
	}
	return " until " + st.Until.Local().Format("2 Jan 15:04")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func bytesText(n uint64) string {
	for _, u := range []struct {
		size uint64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// swarmOf finds the swarm of a host, by the name that status shows; the zero
// key, which stands for all, if none is named.
func swarmOf(c *booster.Client, host string) (tuber.PublicKey, error) {
	if host == "" {
		return tuber.PublicKey{}, nil
	}
	st, err := c.Status()
	if err != nil {
		return tuber.PublicKey{}, err
	}
	for _, s := range st.Swarms {
		if s.Host == host {
			return s.Site, nil
		}
	}
	return tuber.PublicKey{}, fmt.Errorf("%q: %w; tuber status lists those that were", host, booster.ErrUnknown)
}

func (p *program) pause(context.Context) error {
	c, err := booster.Dial(p.Pause.State)
	if err != nil {
		return err
	}
	site, err := swarmOf(c, p.Pause.Host)
	if err != nil {
		return err
	}
	end := p.Pause.For.Until(time.Now())
	if err := c.Pause(site, end); err != nil {
		return err
	}
	what := "Paused"
	if p.Pause.Host != "" {
		what = "Paused for " + p.Pause.Host
	}
	if end.IsZero() {
		_, err = fmt.Fprintf(p.out, "%s until you run tuber resume.\n", what)
	} else {
		_, err = fmt.Fprintf(p.out, "%s until %s.\n", what, end.Format("2 Jan 15:04"))
	}
	return err
}

func (p *program) resume(context.Context) error {
	c, err := booster.Dial(p.Resume.State)
	if err != nil {
		return err
	}
	site, err := swarmOf(c, p.Resume.Host)
	if err != nil {
		return err
	}
	if err := c.Resume(site); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, "Sending again, as far as your limits allow.")
	return err
}

func (p *program) leave(context.Context) error {
	c, err := booster.Dial(p.Leave.State)
	if err != nil {
		return err
	}
	site, err := swarmOf(c, p.Leave.Host)
	if err != nil {
		return err
	}
	if err := c.Leave(site); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "Left %s; what was kept for it is deleted.\n", p.Leave.Host)
	return err
}

func (p *program) status(context.Context) error {
	c, err := booster.Dial(p.Status.State)
	if err != nil {
		return err
	}
	st, err := c.Status()
	if err != nil {
		return err
	}
	if p.Status.JSON {
		e := json.NewEncoder(p.out)
		e.SetIndent("", "  ")
		return e.Encode(st)
	}
	fmt.Fprintln(p.out, sentence(st))
	for _, s := range st.Swarms {
		state := "joined"
		if !s.Connected {
			state = "away"
		}
		fmt.Fprintf(p.out, "  %s: %s, %s, %s sent, %s on disk\n", s.Host, state, plural(s.Peers, "link"), bytesText(s.Sent), bytesText(s.Stored))
		if s.Error != "" {
			fmt.Fprintf(p.out, "    %s\n", s.Error)
		}
	}
	return nil
}
