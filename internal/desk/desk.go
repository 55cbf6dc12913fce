// Package desk is the desktop round Tuber's window: the window's own settings,
// the one running program, starting at login, the tray, the update check. It
// draws nothing.
//
// Invariants:
//   - one program has the folder at a time; a later start hands over what it
//     was given and ends;
//   - settings are replaced whole or not at all, and a file that cannot be
//     understood is kept aside;
//   - an update is never fetched: only a page to open, and only if the release
//     was signed by the key that is built in.
package desk

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/machine"
)

// Options say what a desk is for. Dir, ID and Version must be set.
type Options struct {
	Dir     string // of the settings; it is made if it is not there
	Engine  string // folder of the engine's book
	ID      string // of the program, such as io.github.tubercdn.tuber
	Version string
	Key     ed25519.PublicKey // of releases; nil believes none
}

// Desk implements what the window asks of the desktop. All methods may be
// called from any goroutine.
type Desk struct {
	o       Options
	awake   machine.Awake
	login   machine.Login
	asks    bool
	file    settingsFile
	trouble string
	client  *http.Client
	from    string // where releases are

	mu       sync.Mutex // guards the fields below
	settings tuber.AppSettings
	tray     tuber.Fact
	trayLost time.Time
}

// Open reads the settings. It fails only where its folder cannot be made.
func Open(o Options) (*Desk, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	d := &Desk{
		o: o, client: newClient(nil), from: releases,
		login: machine.Login{ID: o.ID, Name: "Tuber", Args: []string{program, "--hidden"}},
		file:  settingsFile{path: filepath.Join(o.Dir, "app.json")},
		tray:  tuber.FactUnknown,
	}
	_, err = os.Stat(filepath.Join(o.Engine, "book.db"))
	d.asks = runtime.GOOS == "windows" && os.IsNotExist(err)
	d.settings, d.trouble = d.file.read()
	return d, nil
}

// trayGone is how long a tray may be away before it counts as gone: a desktop's
// panel restarts now and then.
const trayGone = 5 * time.Second

// Run follows the tray until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	machine.WatchTray(ctx, func(f tuber.Fact) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.tray == tuber.FactYes && f != tuber.FactYes {
			d.trayLost = time.Now()
		}
		d.tray = f
	})
}

// HasTray tells whether anybody shows tray icons.
func (d *Desk) HasTray() tuber.Fact {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tray != tuber.FactYes && time.Since(d.trayLost) < trayGone {
		return tuber.FactYes
	}
	return d.tray
}

// AwaitTray waits for a tray for a while: at login programs start before the
// panel does.
func (d *Desk) AwaitTray(ctx context.Context, most time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	machine.WatchTray(ctx, func(f tuber.Fact) {
		if f == tuber.FactYes {
			cancel()
		}
	})
}

// Settings are the window's own.
func (d *Desk) Settings() tuber.AppSettings {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings
}

// SetSettings keeps them for the next start too.
func (d *Desk) SetSettings(s tuber.AppSettings) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.file.write(s); err != nil {
		return err
	}
	d.settings = s
	return nil
}

// Trouble is what was wrong with the settings file at the start, empty if nothing.
func (d *Desk) Trouble() string { return d.trouble }

// StartsAtLogin tells whether the program starts when its user logs in.
func (d *Desk) StartsAtLogin() (bool, error) { return d.login.On() }

// SetStartAtLogin changes that.
func (d *Desk) SetStartAtLogin(on bool) error { return d.login.Set(on) }

// FreeDisk is how many bytes may still be written to the disk of folder; an
// empty one is the engine's.
func (d *Desk) FreeDisk(folder string) (uint64, error) {
	if folder == "" {
		folder = d.o.Engine
	}
	return machine.FreeDisk(folder)
}

// KeepAwake keeps the machine from falling asleep by itself, or lets it again.
func (d *Desk) KeepAwake(on bool, why string) error { return d.awake.Keep(on, why) }

// Version is this program's.
func (d *Desk) Version() string { return d.o.Version }

// FirewallAsks tells whether Windows will ask about the network at the first
// start of the engine.
func (d *Desk) FirewallAsks() bool { return d.asks }
