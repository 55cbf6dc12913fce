// Package config reads what a person wants of the program tuber: its commands
// and flags, the environment (TUBER_...), and one TOML file. A flag wins over
// the environment, the environment over the file, the file over the default.
//
// Invariant: a setting is declared once, as a field with its help; the
// environment's name and the file's key follow from it, and --help shows all.
// A key that no command knows is an error, never passed over.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/adrg/xdg"
	"github.com/alecthomas/kong"
)

// CLI is all that can be said on the command line. The fields after the
// commands hold for every one of them.
type CLI struct {
	Demo    Demo     `cmd:"" help:"Show everything on this machine: a sample stream, a host before it and one booster."`
	Host    Host     `cmd:"" help:"Put a swarm before a web server (--upstream) or a folder (--files)."`
	Boost   Boost    `cmd:"" help:"Help a host: join by an invite link, or go on with what was joined."`
	Watch   Watch    `cmd:"" help:"Watch a stream without a browser: one viewer or many, and what they saw."`
	Invite  Invite   `cmd:"" help:"Make, list or revoke invites of the host that runs here."`
	Gateway Gateway  `cmd:"" help:"Answer STUN and keep a UDP port mapped at the router, and nothing else."`
	Pause   PauseCmd `cmd:"" help:"Pause the booster that runs here: it sends nothing."`
	Resume  Resume   `cmd:"" help:"End the pause of the booster that runs here."`
	Status  Status   `cmd:"" help:"Show what the booster that runs here is doing."`
	Leave   Leave    `cmd:"" help:"Leave a host's swarm for good and delete what was kept for it."`
	Version Version  `cmd:"" help:"Print the version."`

	Config  string `placeholder:"FILE" help:"The settings file, TOML. By default tuber/tuber.toml in the user's configuration folder, if it is there."`
	Verbose bool   `help:"Log more: what is done for each link and content."`
}

// Version is the command that prints the version.
type Version struct{}

// Command is one of the commands, ready to run.
type Command struct {
	Name string // words of the command, such as "invite create"
	CLI
}

// ErrUsage is what every error of Parse wraps: nothing was begun.
var ErrUsage = errors.New("usage")

// usageError is a sentence of Parse's; it does not print ErrUsage.
type usageError struct{ error }

func (usageError) Is(target error) bool { return target == ErrUsage }

const description = `Tuber puts a peer-to-peer CDN before any web server.

Every flag can also be set in the environment, by the name in brackets, or in the settings file: a table for each command, with the flag's name as key, such as

  [boost]
  upload = "5Mbit/s"

A flag wins over the environment, and the environment over the file.`

// Parse reads the arguments, without the program's name. It prints help to
// stdout and ends the program itself if help is asked for.
func Parse(args []string, stdout io.Writer) (*Command, error) {
	var c Command
	parser, err := newParser(&c.CLI, kong.Writers(stdout, io.Discard))
	if err != nil {
		return nil, err
	}
	file, err := readFile(args)
	if err != nil {
		return nil, usageError{err}
	}
	if err := kong.Resolvers(file).Apply(parser); err != nil {
		return nil, usageError{err}
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return nil, usageError{explain(err)}
	}
	c.Name = commandName(ctx.Selected())
	if err := c.check(); err != nil {
		return nil, usageError{err}
	}
	return &c, nil
}

func newParser(cli *CLI, more ...kong.Option) (*kong.Kong, error) {
	parser, err := kong.New(cli, append([]kong.Option{
		kong.Name("tuber"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"listen": defaultListen},
	}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("build commands: %w", err)
	}
	nameEnvironment(parser.Model.Node, "TUBER")
	return parser, nil
}

// explain adds where to look to the library's own sentence.
func explain(err error) error {
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil {
		if name := commandName(p.Context.Selected()); name != "" {
			return fmt.Errorf("%w (tuber %s --help lists all)", err, name)
		}
	}
	return fmt.Errorf("%w (tuber --help lists all)", err)
}

// commandName is the words that select a command.
func commandName(n *kong.Node) string {
	var words []string
	for ; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		words = append([]string{n.Name}, words...)
	}
	return strings.Join(words, " ")
}

// nameEnvironment gives each flag its name in the environment: TUBER, the
// command, the flag.
func nameEnvironment(n *kong.Node, prefix string) {
	for _, f := range n.Flags {
		if f.Name == "help" {
			continue
		}
		f.Envs = []string{prefix + "_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))}
		f.Tag.Envs = f.Envs
	}
	for _, child := range n.Children {
		nameEnvironment(child, prefix+"_"+strings.ToUpper(child.Name))
	}
}

// inEnvironment tells whether a flag is set there.
func inEnvironment(f *kong.Flag) bool {
	for _, name := range f.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return true
		}
	}
	return false
}

// defaultFile is where the settings file is looked for.
func defaultFile() (string, error) { return xdg.SearchConfigFile("tuber/tuber.toml") }
