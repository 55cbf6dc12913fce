package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/tubercdn/tuber/internal/config"
)

// options are what can be said on the command line.
type options struct {
	state   string // folder of all folders
	invite  string // text from elsewhere: only tuber.ParseInvite says whether it is one
	hidden  bool
	noUPnP  bool
	quit    bool
	version bool
	verbose bool
}

const usage = `Usage: tuber-app [--hidden] [--state DIR] [INVITE]
       tuber-app --quit [--state DIR]

Tuber with a window and a tray icon. INVITE is the link from a host; a second
start hands it to the Tuber that runs already and raises its window.

  --hidden      start without the window, if there is a tray to reach it by
  --state DIR   keep keys, settings and chunks there
                (default: tuber in your state folder)
  --quit        end the Tuber that runs, and wait for that
  --no-upnp     do not ask the router to map the UDP port
  --verbose     log more
  --version     print the version and end

Without a display, tuber boost does the same in a terminal.
`

// parse reads the arguments. A flag behind the invite is none: what the system
// hands over as a link cannot bring flags with it.
func parse(args []string, stdout io.Writer) (o options, err error) {
	f := flag.NewFlagSet("tuber-app", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.StringVar(&o.state, "state", config.StateFolder(), "")
	f.BoolVar(&o.hidden, "hidden", false, "")
	f.BoolVar(&o.quit, "quit", false, "")
	f.BoolVar(&o.noUPnP, "no-upnp", false, "")
	f.BoolVar(&o.version, "version", false, "")
	f.BoolVar(&o.verbose, "verbose", false, "")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprint(stdout, usage) // nobody can be told
			return o, err
		}
		return o, fmt.Errorf("%.200q; tuber-app --help lists what there is", err.Error())
	}
	if f.NArg() > 1 {
		return o, errors.New("more than one argument; it takes one invite, and flags before it")
	}
	if o.quit && f.NArg() > 0 {
		return o, errors.New("--quit takes no invite")
	}
	o.invite = f.Arg(0)
	return o, nil
}
