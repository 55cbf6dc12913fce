package tuber

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits are the owner's. The zero value is not a limit but nothing at all:
// start from DefaultLimits.
type Limits struct {
	Upload    BitsPerSecond `json:"upload"`    // hard, over all links
	Download  BitsPerSecond `json:"download"`  // hard, over all links
	Disk      uint64        `json:"disk"`      // bytes that the chunk files may take
	Allowance uint64        `json:"allowance"` // bytes of upload a month, 0 for no end
}

// DefaultLimits are what a friend gets without choosing.
func DefaultLimits() Limits {
	return Limits{Upload: 5e6, Download: Unlimited, Disk: 10 << 30, Allowance: 100e9}
}

// Settings are all that a booster's owner chooses. They are kept from one start
// to the next. The zero value sends nothing: start from DefaultSettings.
type Settings struct {
	Limits   Limits   `json:"limits"`
	ResetDay int      `json:"resetDay"` // of the month, 1 to 28, on which the allowance begins anew
	Schedule Schedule `json:"schedule,omitzero"`
	Rules    Rules    `json:"rules"`
	// Shares hold a swarm to a part of the upload cap, in percent. A swarm that
	// is not named may take all of it. At most MaxShares.
	Shares []Share `json:"shares,omitempty"`
	// LANExempt leaves what goes to peers in the home network out of the caps
	// and of the allowance.
	LANExempt bool `json:"lanExempt,omitempty"`
	// Folder is where chunk files rest; empty: beside the book.
	Folder string `json:"folder,omitempty"`
	// Port is the UDP port of links from the next start on; 0: a free one, kept.
	Port uint16 `json:"port,omitempty"`
	// NoMapping leaves the router alone from the next start on.
	NoMapping bool `json:"noMapping,omitempty"`
}

// Share is one swarm's part of the upload cap.
type Share struct {
	Site    PublicKey `json:"site"`
	Percent int       `json:"percent"` // 1 to 100
}

// MaxShares is how many swarms can be held to a part of the cap.
const MaxShares = 256

// Schedule puts a second cap in place of the first in some hours of the week,
// by the local clock. A second cap of 0 sends nothing then.
type Schedule struct {
	On    bool          `json:"on,omitempty"`
	Cap   BitsPerSecond `json:"cap,omitempty"`
	Hours [7]DayHours   `json:"hours,omitzero"` // by time.Weekday: Sunday first
}

// DayHours are hours of one day: bit h stands for h:00 to h:59.
type DayHours uint32

// Has tells whether the hour, 0 to 23, is among them.
func (d DayHours) Has(hour int) bool { return d&(1<<hour) != 0 }

// Applies tells whether the second cap is in force at t, in t's own zone.
func (s *Schedule) Applies(t time.Time) bool {
	return s.On && s.Hours[t.Weekday()].Has(t.Hour())
}

// Rules say when a booster keeps silent by itself.
type Rules struct {
	OnBattery OnFact `json:"onBattery"`
	OnMetered OnFact `json:"onMetered"`
	OnVPN     OnFact `json:"onVPN"`
}

// OnFact is what is done while a fact of the machine holds. A fact that is not
// known changes nothing.
type OnFact string

const (
	Stop OnFact = "stop" // send nothing
	Send OnFact = "send" // go on
	Ask  OnFact = "ask"  // send nothing until the owner has chosen Stop or Send
)

// DefaultSettings are what a friend gets without choosing.
func DefaultSettings() Settings {
	return Settings{
		Limits: DefaultLimits(), ResetDay: 1,
		Rules: Rules{OnBattery: Stop, OnMetered: Stop, OnVPN: Ask},
	}
}

// ErrSettings is what every error of Settings.Check wraps.
var ErrSettings = errors.New("settings")

// Check refuses what makes no sense, naming the setting and what it may be.
func (s *Settings) Check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrSettings}, args...)...)
	}
	switch {
	case s.Limits.Upload < 0:
		return bad("an upload cap below zero; 0 sends nothing")
	case s.Limits.Download < 0:
		return bad("a download cap below zero; 0 receives nothing")
	case s.Schedule.Cap < 0:
		return bad("a second cap below zero; 0 sends nothing")
	case s.Limits.Disk > math.MaxInt64:
		return bad("a disk quota of %d bytes, at most %d", s.Limits.Disk, int64(math.MaxInt64))
	case s.ResetDay < 1 || s.ResetDay > 28:
		return bad("the allowance begins anew on day %d; choose 1 to 28", s.ResetDay)
	case len(s.Shares) > MaxShares:
		return bad("%d shares, at most %d", len(s.Shares), MaxShares)
	case len(s.Folder) > maxFolder:
		return bad("a folder of %d characters, at most %d", len(s.Folder), maxFolder)
	}
	for _, day := range s.Schedule.Hours {
		if day >= 1<<24 {
			return bad("a schedule with more than 24 hours a day")
		}
	}
	for _, share := range s.Shares {
		if share.Percent < 1 || share.Percent > 100 {
			return bad("a share of %d %%; choose 1 to 100", share.Percent)
		}
	}
	for _, do := range []OnFact{s.Rules.OnBattery, s.Rules.OnMetered, s.Rules.OnVPN} {
		if do != Stop && do != Send && do != Ask {
			return bad("a rule %q; choose stop, send or ask", string(do))
		}
	}
	return nil
}

const maxFolder = 4096 // characters

// AppSettings are the window's own, kept in one file beside the engine's book.
type AppSettings struct {
	StartHidden  bool        `json:"startHidden,omitempty"`
	Quiet        bool        `json:"quiet,omitempty"` // no notifications
	CheckUpdates bool        `json:"checkUpdates,omitempty"`
	Language     string      `json:"language,omitempty"` // "en", "de"; empty: the system's
	Hosting      HostSetup   `json:"hosting,omitzero"`
	Agreed       []PublicKey `json:"agreed,omitempty"` // sites whose terms were accepted
}

// Release is a release of this program that is newer than what runs.
type Release struct {
	Version string `json:"version"`
	Page    string `json:"page"` // https address, to be opened in a browser
}
