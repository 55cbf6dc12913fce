package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"text/tabwriter"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
	"github.com/tubercdn/tuber/internal/config"
	"github.com/tubercdn/tuber/origin"
)

func (p *program) host(ctx context.Context) error {
	cfg, err := hostConfig(&p.Host)
	if err != nil {
		return err
	}
	cfg.Log = p.log
	h, err := host.New(cfg)
	if err != nil {
		return err
	}
	a := h.Addresses()
	fmt.Fprintf(p.out, `Tuber stands before your site.

  site       %s
  dashboard  %s
             (for you alone: the address holds a secret)

Invite a friend's PC with: tuber invite create
Stop with Ctrl-C.
`, a.Site, a.Dashboard)
	return h.Run(ctx)
}

func hostConfig(c *config.Host) (host.Config, error) {
	cfg := host.Config{
		Files: c.Files, Dir: c.State, Listen: c.Listen, CertFile: c.Cert, KeyFile: c.Key, OuterHTTPS: c.OuterHTTPS,
		ControlListen: c.ControlListen, PublicHost: c.PublicHost, DashboardListen: c.Dashboard,
		UDPListen: c.UDPListen, STUNListen: c.STUNListen, MapPort: c.UPnP, Prefix: c.Prefix,
		Follow: origin.FollowMode(c.Follow), Always: c.Playlist, Relay: host.RelayMode(c.Relay),
		TrustedProxies: c.TrustedProxy, AllowPrivate: c.LAN, Name: c.Name,
	}
	if rate := tuber.BitsPerSecond(c.Uplink); rate != tuber.Unlimited {
		cfg.Uplink = rate
	}
	if c.Upstream != "" {
		u, err := url.Parse(c.Upstream)
		if err != nil {
			return cfg, fmt.Errorf("--upstream: %w", err)
		}
		cfg.Upstream = u
	}
	for _, pattern := range c.Share {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return cfg, fmt.Errorf("--share: %w", err)
		}
		cfg.Rules = append(cfg.Rules, origin.ShareRule{Path: re, For: time.Duration(c.ShareFor)})
	}
	return cfg, nil
}

// withAdmin speaks to the host that runs on a directory.
func withAdmin(dir string, do func(*host.Admin) error) error {
	a, err := host.DialAdmin(dir)
	if errors.Is(err, host.ErrNotRunning) {
		return fmt.Errorf("no host runs on %s; start it with tuber host, or name its folder with --state", dir)
	}
	if err != nil {
		return err
	}
	return do(a)
}

func (p *program) inviteCreate(context.Context) error {
	c := &p.Invite.Create
	return withAdmin(c.State, func(a *host.Admin) error {
		v, err := a.Invite(tuber.Offer{Uses: c.Uses, Life: time.Duration(c.For), Note: c.Note})
		if err != nil {
			return err
		}
		uses := "once"
		if v.Uses != 1 {
			uses = fmt.Sprintf("%d times", v.Uses)
		}
		_, err = fmt.Fprintf(p.out, "%s\n\nGood %s, until %s. Send it to your friend: they open it, or run tuber boost with it.\nIt is shown this once; tuber invite revoke %s takes it back.\n",
			v.URL, uses, v.Expires.Local().Format("2 Jan 2006 15:04"), v.ID)
		return err
	})
}

func (p *program) inviteList(context.Context) error {
	var invites []tuber.InviteRecord
	dir := p.Invite.List.State
	a, err := host.DialAdmin(dir)
	if err == nil {
		invites, err = a.Invites()
	} else if errors.Is(err, host.ErrNotRunning) {
		invites, err = invitesOfBook(dir)
	}
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tUSES LEFT\tUSED BY\tEXPIRES\tNOTE")
	for _, v := range invites {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", v.ID, inviteState(v, time.Now()), v.Uses, len(v.UsedBy), v.Expires.Local().Format("2 Jan 2006 15:04"), v.Note)
	}
	return w.Flush()
}
