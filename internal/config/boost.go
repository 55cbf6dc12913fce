package config

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
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
	Link      string    `arg:"" optional:"" name:"invite" help:"The invite link from the host. Without one, go on with what was joined."`
	Upload    *Rate     `placeholder:"RATE" help:"Send at most this, such as 5Mbit/s; kept for the next time (at first 5Mbit/s)."`
	Download  *Rate     `placeholder:"RATE" help:"Receive at most this (at first unlimited)."`
	Disk      *Size     `placeholder:"SIZE" help:"Keep at most this on disk, such as 10GiB (at first 10GiB, or a fifth of what is free)."`
	Allowance *Size     `placeholder:"SIZE" help:"Send at most this in a month, 0 for no end (at first 100GB)."`
	ResetDay  *int      `placeholder:"DAY" help:"Day of the month on which the allowance begins anew, 1 to 28 (at first 1)."`
	Schedule  *Schedule `placeholder:"TEXT" help:"Another cap in some hours of the week, such as 'mon-fri 18-23 2Mbit/s', with 0 for nothing; several by commas; off for none."`
	OnBattery string    `enum:",stop,send,ask" default:"" placeholder:"DO" help:"On battery: stop or send (at first stop)."`
	OnMetered string    `enum:",stop,send,ask" default:"" placeholder:"DO" help:"On a metered line: stop or send (at first stop)."`
	OnVPN     string    `name:"on-vpn" enum:",stop,send,ask" default:"" placeholder:"DO" help:"While a VPN is on: stop, send, or ask, which is silence until you have chosen (at first ask)."`
	Share     []Share   `placeholder:"HOST=PERCENT" help:"Hold a host's swarm to a part of the upload cap, such as tv.example=50; 100 for all of it."`
	LANExempt *bool     `name:"lan-exempt" negatable:"" help:"Leave what goes to peers in your own network out of the caps and the allowance."`
	Folder    *string   `placeholder:"DIR" help:"Where chunks are kept; 'default' for beside the settings."`
	Name      string    `placeholder:"TEXT" help:"The name that the host sees (default: this machine's name)."`
	Listen    string    `default:":0" placeholder:"ADDRESS" help:"The one UDP port for links (default: a free one, kept)."`
	UPnP      bool      `name:"upnp" negatable:"" default:"true" help:"Ask the router to map the UDP port (--no-upnp: do not)."`
	LAN       bool      `name:"lan" help:"Link to peers in private networks too. It is so anyway for a host that has a private address."`
	boosterState
}

// Share is a swarm's part of the upload cap: HOST=PERCENT.
type Share struct {
	Host    string
	Percent int
}

// UnmarshalText reads a share.
func (s *Share) UnmarshalText(text []byte) error {
	host, percent, ok := strings.Cut(strings.TrimSuffix(string(text), "%"), "=")
	n, err := strconv.Atoi(percent)
	if !ok || host == "" || err != nil || n < 1 || n > 100 {
		return fmt.Errorf("%.40q is no share; write HOST=PERCENT with 1 to 100, such as tv.example=50", text)
	}
	*s = Share{host, n}
	return nil
}

// Changes tells whether any of the owner's settings is given.
func (b *Boost) Changes() bool {
	return b.Upload != nil || b.Download != nil || b.Disk != nil || b.Allowance != nil || b.ResetDay != nil ||
		b.Schedule != nil || b.OnBattery+b.OnMetered+b.OnVPN != "" || len(b.Share) > 0 || b.LANExempt != nil || b.Folder != nil
}

// Apply puts the settings that are given over those that were kept. Shares are
// not among them: whose they are is known only where swarms are.
func (b *Boost) Apply(s *tuber.Settings) {
	if b.Upload != nil {
		s.Limits.Upload = tuber.BitsPerSecond(*b.Upload)
	}
	if b.Download != nil {
		s.Limits.Download = tuber.BitsPerSecond(*b.Download)
	}
	if b.Disk != nil {
		s.Limits.Disk = uint64(*b.Disk)
	}
	if b.Allowance != nil {
		s.Limits.Allowance = uint64(*b.Allowance)
	}
	if b.ResetDay != nil {
		s.ResetDay = *b.ResetDay
	}
	if b.Schedule != nil {
		s.Schedule = tuber.Schedule(*b.Schedule)
	}
	for do, rule := range map[*tuber.OnFact]string{
		&s.Rules.OnBattery: b.OnBattery, &s.Rules.OnMetered: b.OnMetered, &s.Rules.OnVPN: b.OnVPN,
	} {
		if rule != "" {
			*do = tuber.OnFact(rule)
		}
	}
	if b.LANExempt != nil {
		s.LANExempt = *b.LANExempt
	}
	if b.Folder != nil {
		s.Folder = *b.Folder
		if s.Folder == "default" {
			s.Folder = ""
		}
	}
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
		var long Pause
		err := long.UnmarshalText([]byte(word))
		switch {
		case err == nil && p.For == Pause{}:
			p.For = long
		case err == nil:
			return fmt.Errorf("%.40q: how long is said already", word)
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
	if b.Folder != nil && *b.Folder != "default" {
		whole, err := filepath.Abs(*b.Folder)
		if err != nil {
			return fmt.Errorf("--folder: %w", err)
		}
		b.Folder = &whole
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
