package config

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/tubercdn/tuber"
)

// boosterState is the state directory, shared by all commands that speak to
// the same booster.
type boosterState struct {
	State string `placeholder:"DIR" help:"Where the booster keeps its keys, settings and chunks (default: tuber/booster in your state folder)."`
}

// Boost is the command that runs a booster. Limits that are not given stay
// what they were.
type Boost struct {
	Link      string `arg:"" optional:"" name:"invite" help:"The invite link from the host. Without one, go on with what was joined."`
	Upload    *Rate  `placeholder:"RATE" help:"Send at most this, such as 5Mbit/s; kept for the next time (at first 5Mbit/s)."`
	Download  *Rate  `placeholder:"RATE" help:"Receive at most this (at first unlimited)."`
	Disk      *Size  `placeholder:"SIZE" help:"Keep at most this on disk, such as 10GiB (at first 10GiB)."`
	Allowance *Size  `placeholder:"SIZE" help:"Send at most this in a month, 0 for no end (at first 100GB)."`
	ResetDay  *int   `placeholder:"DAY" help:"Day of the month on which the allowance begins anew, 1 to 28 (at first 1)."`
	Name      string `placeholder:"TEXT" help:"The name that the host sees (default: this machine's name)."`
	Listen    string `default:":0" placeholder:"ADDRESS" help:"The one UDP port for links (default: a free one, kept)."`
	UPnP      bool   `name:"upnp" negatable:"" default:"true" help:"Ask the router to map the UDP port (--no-upnp: do not)."`
	LAN       bool   `name:"lan" help:"Link to peers in private networks too. It is so anyway for a host that has a private address."`
	boosterState
}

// PauseCmd pauses the running booster, or one of its swarms.
type PauseCmd struct {
	Words []string `arg:"" optional:"" name:"for" help:"How long: 30m, 2h, tomorrow; without it, until you resume. And a host, as status shows it, to pause for it alone."`
	boosterState

	For  Pause  `kong:"-"` // what Words say
	Host string `kong:"-"`
}

// Resume ends a pause.
type Resume struct {
	Host string `arg:"" optional:"" help:"The host, as status shows it, that was paused alone."`
	boosterState
}

// Status shows the running booster.
type Status struct {
	JSON bool `name:"json" help:"Print it as JSON."`
	boosterState
}

// Leave leaves a swarm.
type Leave struct {
	Host string `arg:"" help:"The host, as status shows it."`
	boosterState
}

// Invite is about the invites of the running host.
type Invite struct {
	Create InviteCreate `cmd:"" help:"Make an invite and print its link, this once."`
	List   InviteList   `cmd:"" help:"List invites."`
	Revoke InviteRevoke `cmd:"" help:"Make an invite useless from now on."`
}

// hostState is the state directory of a host.
type hostState struct {
	State string `placeholder:"DIR" help:"The host's state folder, as given to tuber host (default: tuber/host in your state folder)."`
}

// InviteCreate makes an invite.
type InviteCreate struct {
	Uses int      `default:"1" placeholder:"N" help:"How many boosters it may enrol (default ${default})."`
	For  Duration `default:"24h" placeholder:"TIME" help:"How long it is good for, such as 12h or 7d (default ${default})."`
	Note string   `placeholder:"TEXT" help:"For whom it is; only you see it."`
	hostState
}

// InviteList lists invites.
type InviteList struct {
	hostState
}

// InviteRevoke revokes one.
type InviteRevoke struct {
	ID string `arg:"" help:"The invite's id, as tuber invite list shows it."`
	hostState
}

const mostUses = 1000

func (i *InviteCreate) check() error {
	switch {
	case i.Uses < 1 || i.Uses > mostUses:
		return fmt.Errorf("--uses: %d; write a number from 1 to %d", i.Uses, mostUses)
	case time.Duration(i.For) < time.Minute || time.Duration(i.For) > 365*24*time.Hour:
		return fmt.Errorf("--for: %v; write from a minute to a year, such as 24h or 7d", i.For)
	case len(i.Note) > 80:
		return fmt.Errorf("--note: %d bytes, at most 80", len(i.Note))
	}
	return nil
}

// check tells hosts from times: a host has a dot or a port, or is localhost.
func (p *PauseCmd) check() error {
	for _, word := range p.Words {
		err := p.For.UnmarshalText([]byte(word))
		switch {
		case err == nil:
		case p.Host == "" && (strings.ContainsAny(word, ".:") || word == "localhost"):
			p.Host = word
		default:
			return err
		}
	}
	return nil
}

func (b *Boost) check() error {
	if b.Link != "" {
		if _, err := tuber.ParseInvite(b.Link); err != nil {
			return err
		}
	}
	if _, _, err := net.SplitHostPort(b.Listen); err != nil {
		return fmt.Errorf("--listen: %q: write ADDRESS:PORT or :PORT, such as :4500", b.Listen)
	}
	if b.ResetDay != nil && (*b.ResetDay < 1 || *b.ResetDay > 28) {
		return fmt.Errorf("--reset-day: %d; write a day from 1 to 28", *b.ResetDay)
	}
	if len(b.Name) > 64 {
		return fmt.Errorf("--name: %d bytes, at most 64", len(b.Name))
	}
	return nil
}

// check looks at what the library cannot, and fills in state directories.
func (c *Command) check() error {
	for _, dir := range []*string{&c.Boost.State, &c.Pause.State, &c.Resume.State, &c.Status.State, &c.Leave.State} {
		setDefault(dir, "booster")
	}
	for _, dir := range []*string{&c.Host.State, &c.Invite.Create.State, &c.Invite.List.State, &c.Invite.Revoke.State} {
		setDefault(dir, "host")
	}
	word, _, _ := strings.Cut(c.Name, " ")
	switch word {
	case "host":
		return c.Host.check()
	case "boost":
		return c.Boost.check()
	case "gateway":
		return c.Gateway.check()
	case "watch":
		return c.Watch.check()
	case "pause":
		return c.Pause.check()
	}
	if c.Name == "invite create" {
		return c.Invite.Create.check()
	}
	return nil
}

func setDefault(dir *string, role string) {
	if *dir == "" {
		*dir = filepath.Join(StateFolder(), role)
	}
}

// StateFolder is where everything is kept unless it is told otherwise: a folder
// for each role.
func StateFolder() string { return filepath.Join(xdg.StateHome, "tuber") }
