package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	if running, err := booster.Dial(c.State); err == nil && (c.Link != "" || c.Changes()) {
		return p.handOver(running)
	}
	b, err := booster.New(booster.Config{
		Dir: c.State, Name: c.Name, Listen: c.Listen, Change: c.Apply, AllowPrivate: c.LAN, UPnP: c.UPnP,
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
	if len(c.Share) > 0 {
		s := b.Settings()
		err := setShares(&s, c.Share, b.Status().Swarms)
		if err == nil {
			err = b.SetSettings(s)
		}
		if err != nil {
			cancel()
			return errors.Join(err, <-ended)
		}
	}
	p.narrate(ctx, b, ended)
	return <-ended
}

// handOver gives the invite and the settings to the booster that runs here already.
func (p *program) handOver(running *booster.Client) error {
	c := &p.Boost
	if c.Link != "" {
		if err := running.Join(c.Link); err != nil {
			return err
		}
		fmt.Fprintln(p.out, "Joined. The booster that runs here goes on with it; tuber status shows how.")
	}
	if !c.Changes() {
		return nil
	}
	s, err := running.Settings()
	if err != nil {
		return err
	}
	st, err := running.Status()
	if err != nil {
		return err
	}
	c.Apply(&s)
	if err := setShares(&s, c.Share, st.Swarms); err != nil {
		return err
	}
	if err := running.SetSettings(s); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, "The booster that runs here has the new settings.")
	return err
}

// setShares gives swarms their parts of the cap, by the names of their hosts.
func setShares(s *tuber.Settings, shares []config.Share, swarms []tuber.SwarmStatus) error {
	for _, share := range shares {
		i := slices.IndexFunc(swarms, func(sw tuber.SwarmStatus) bool { return sw.Host == share.Host })
		if i < 0 {
			return fmt.Errorf("--share: %q: %w; tuber status lists those that were", share.Host, booster.ErrUnknown)
		}
		site := swarms[i].Site
		s.Shares = slices.DeleteFunc(s.Shares, func(old tuber.Share) bool { return old.Site == site })
		if share.Percent < 100 {
			s.Shares = append(s.Shares, tuber.Share{Site: site, Percent: share.Percent})
		}
	}
	return nil
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
	settings, err := c.Settings()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.out, statusText(st, settings))
	return err
}
