package config

import "github.com/alecthomas/kong"

// Described is a command as a manual or a shell's completion shows it. The
// program itself has no name and holds the commands and the flags of all.
type Described struct {
	Name     string
	Help     string
	Args     []DescribedArg
	Flags    []DescribedFlag
	Commands []Described
}

// DescribedArg is a word that follows a command.
type DescribedArg struct {
	Name     string
	Help     string
	Optional bool
}

// DescribedFlag is a flag, without its dashes.
type DescribedFlag struct {
	Name      string
	Help      string
	Value     string   // what stands for its value, such as RATE; empty if it takes none
	Choices   []string // all values there are, if they can be counted
	Negatable bool     // --no-NAME is one too
	Env       string   // its name in the environment
}

// Describe tells all that Parse understands, without what is hidden.
func Describe() (Described, error) {
	var c Command
	parser, err := newParser(&c.CLI)
	if err != nil {
		return Described{}, err
	}
	d := describe(parser.Model.Node)
	d.Name, d.Help = "", description
	return d, nil
}

func describe(n *kong.Node) Described {
	d := Described{Name: n.Name, Help: n.Help}
	for _, p := range n.Positional {
		d.Args = append(d.Args, DescribedArg{Name: p.Name, Help: p.Help, Optional: !p.Required})
	}
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		flag := DescribedFlag{Name: f.Name, Help: f.Help, Negatable: f.Tag.Negatable != ""}
		if len(f.Envs) > 0 {
			flag.Env = f.Envs[0]
		}
		if !f.IsBool() {
			flag.Value = f.FormatPlaceHolder()
		}
		if f.Enum != "" {
			flag.Choices = f.EnumSlice()
		}
		d.Flags = append(d.Flags, flag)
	}
	for _, child := range n.Children {
		if !child.Hidden {
			d.Commands = append(d.Commands, describe(child))
		}
	}
	return d
}
