package config

import (
	"errors"
	"fmt"
)

// maxViewers of one process: each has a goroutine for every one of its links.
const maxViewers = 2000

// Watch is the command that is a viewer, or many.
type Watch struct {
	URL      string   `arg:"" help:"Address of a page with a player, or of an HLS playlist."`
	Viewers  int      `default:"1" placeholder:"N" help:"How many, in this one process (default ${default})."`
	For      Duration `placeholder:"TIME" help:"End after this time, such as 90s. Without it: when the stream ends, or with Ctrl-C."`
	After    Duration `placeholder:"TIME" help:"Leave out of the result what happens in this time at the start."`
	Ramp     Duration `placeholder:"TIME" help:"Start the viewers one by one over this time (default: 100 ms each)."`
	Upload   Rate     `default:"unlimited" placeholder:"RATE" help:"What each viewer may send at most; 0 gives nothing (default ${default})."`
	Check    bool     `help:"Compare every segment that is played with a plain fetch of it; costs the host its bytes again."`
	Insecure bool     `help:"Accept any TLS certificate, such as one that the host made itself."`
	LAN      bool     `name:"lan" help:"Let links use private addresses although the URL is a name."`
	JSON     bool     `name:"json" help:"Print the result as JSON, and nothing else."`
}

func (w *Watch) check() error {
	switch {
	case w.Viewers < 1 || w.Viewers > maxViewers:
		return fmt.Errorf("--viewers %d: from 1 to %d run in one process; start more processes for more", w.Viewers, maxViewers)
	case w.For < 0 || w.After < 0 || w.Ramp < 0:
		return errors.New("--for, --after and --ramp are times such as 90s")
	}
	return nil
}
