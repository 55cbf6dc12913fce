// Package app is Tuber's window and tray icon. It shows whatever engine it is
// given and holds no logic: every figure comes from an Engine, a Hosting or the
// Desk, and every click goes to one of them.
//
// Invariants:
//   - Fyne is imported here and nowhere else;
//   - no call to an engine is made on Fyne's own goroutine, and no widget is
//     touched off it;
//   - while the window is hidden nothing in it is refreshed;
//   - text from elsewhere (names of hosts, boosters, streams) is shown only
//     after plain() bounded it and took out control characters.
package app

import (
	"context"
	"time"

	"github.com/tubercdn/tuber"
)

// Engine is the booster that the window shows, in this process or in another
// one. All methods may block for a while and may be called from any goroutine.
// A zero site means all swarms.
type Engine interface {
	Status() (tuber.Status, error)
	Settings() (tuber.Settings, error)
	SetSettings(tuber.Settings) error
	Pause(site tuber.PublicKey, until time.Time) error // zero until: until Resume
	Resume(site tuber.PublicKey) error
	Join(invite string) error
	Leave(site tuber.PublicKey) error
	Events() ([]tuber.Event, error) // oldest first
}

// Hosting starts, stops and shows the host that runs inside the app.
type Hosting interface {
	Start(tuber.HostSetup) error // returns once the host serves
	Stop() error
	Running() (bool, error) // the error is why a host that was started ended
	State() (tuber.HostState, error)
	Invite(tuber.Offer) (tuber.Invited, error)
	RevokeInvite(id string) error
	RemoveBooster(id tuber.PeerID) error
}

// Desk is the desktop round the window.
type Desk interface {
	Settings() tuber.AppSettings
	SetSettings(tuber.AppSettings) error
	Trouble() string // what was wrong with the settings file at the start, empty if nothing
	StartsAtLogin() (bool, error)
	SetStartAtLogin(on bool) error
	HasTray() tuber.Fact // whether anybody shows tray icons
	FreeDisk(folder string) (free uint64, err error)
	KeepAwake(on bool, why string) error
	// CheckUpdate asks for the newest release; a zero one means that this is it.
	// It is never called while AppSettings.CheckUpdates is off.
	CheckUpdate(context.Context) (tuber.Release, error)
	Version() string
	// FirewallAsks tells whether the system will ask about the network at the
	// first start of the engine (Windows).
	FirewallAsks() bool
}
