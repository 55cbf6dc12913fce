package main

import (
	"fmt"
	"strings"

	"github.com/tubercdn/tuber/internal/config"
)

// fish has one line for every command and flag, each under the condition that
// the words before lead to it.
func fish(tuber config.Described) string {
	var b strings.Builder
	b.WriteString("# fish completion for tuber\ncomplete -c tuber -f\n")
	fishFlags(&b, "", tuber.Flags)
	fishCommands(&b, "__fish_use_subcommand", tuber.Commands)
	walk(tuber, nil, func(words []string, d config.Described) {
		var seen []string
		for _, w := range words {
			seen = append(seen, "__fish_seen_subcommand_from "+w)
		}
		here := strings.Join(seen, "; and ")
		fishFlags(&b, here, d.Flags)
		if len(d.Commands) > 0 {
			var below []string
			for _, c := range d.Commands {
				below = append(below, c.Name)
			}
			fishCommands(&b, here+"; and not __fish_seen_subcommand_from "+strings.Join(below, " "), d.Commands)
		}
	})
	return b.String()
}

func fishCommands(b *strings.Builder, when string, commands []config.Described) {
	for _, c := range commands {
		fmt.Fprintf(b, "complete -c tuber -n '%s' -a %s -d '%s'\n", when, c.Name, fishText(c.Help))
	}
}

func fishFlags(b *strings.Builder, when string, flags []config.DescribedFlag) {
	condition := ""
	if when != "" {
		condition = fmt.Sprintf(" -n '%s'", when)
	}
	for _, f := range flags {
		for _, name := range names(f) {
			value := ""
			switch {
			case f.Value == "":
			case len(f.Choices) > 0:
				value = fmt.Sprintf(" -x -a '%s'", strings.Join(f.Choices, " "))
			case f.Value == "FILE" || f.Value == "FILE_OR_URL":
				value = " -r -F"
			case f.Value == "DIR":
				value = " -x -a '(__fish_complete_directories)'"
			default:
				value = " -x"
			}
			fmt.Fprintf(b, "complete -c tuber%s -l %s%s -d '%s'\n", condition, strings.TrimPrefix(name, "--"), value, fishText(f.Help))
		}
	}
}

func fishText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text)
}
