package main

import (
	"fmt"
	"strings"

	"github.com/tubercdn/tuber/internal/config"
)

// zsh has a function for each command that has commands, and _arguments for the rest.
func zsh(tuber config.Described) string {
	var b strings.Builder
	b.WriteString("#compdef tuber\n\n")
	zshGroup(&b, tuber, tuber, nil)
	b.WriteString("_tuber \"$@\"\n")
	return b.String()
}

func zshGroup(b *strings.Builder, tuber, d config.Described, path []string) {
	for _, c := range d.Commands {
		if len(c.Commands) > 0 {
			zshGroup(b, tuber, c, append(path[:len(path):len(path)], c.Name))
		}
	}
	name := strings.Join(append([]string{"_tuber"}, path...), "_")
	fmt.Fprintf(b, "%s() {\n  local line state ret=1\n  local -a commands\n", name)
	b.WriteString("  commands=(\n")
	for _, c := range d.Commands {
		fmt.Fprintf(b, "    '%s:%s'\n", c.Name, zshText(c.Help, ":"))
	}
	b.WriteString("  )\n  _arguments -C \\\n")
	zshFlags(b, tuber.Flags)
	b.WriteString("    '1: :->command' '*:: :->arguments' && ret=0\n  case $state in\n")
	b.WriteString("    command) _describe -t commands command commands && ret=0 ;;\n    arguments)\n      case $line[1] in\n")
	for _, c := range d.Commands {
		if len(c.Commands) > 0 {
			fmt.Fprintf(b, "        %s) %s_%s && ret=0 ;;\n", c.Name, name, c.Name)
			continue
		}
		fmt.Fprintf(b, "        %s)\n          _arguments \\\n", c.Name)
		zshFlags(b, append(c.Flags[:len(c.Flags):len(c.Flags)], tuber.Flags...))
		for i, a := range c.Args {
			colon := ":"
			if a.Optional {
				colon = "::"
			}
			fmt.Fprintf(b, "    '%d%s%s: ' \\\n", i+1, colon, zshText(a.Name, ":"))
		}
		b.WriteString("    && ret=0 ;;\n")
	}
	b.WriteString("      esac ;;\n  esac\n  return ret\n}\n\n")
}

func zshFlags(b *strings.Builder, flags []config.DescribedFlag) {
	for _, f := range flags {
		for _, name := range names(f) {
			value := ""
			switch {
			case f.Value == "":
			case len(f.Choices) > 0:
				value = fmt.Sprintf(":%s:(%s)", f.Value, strings.Join(f.Choices, " "))
			case f.Value == "FILE" || f.Value == "FILE_OR_URL":
				value = ":" + f.Value + ":_files"
			case f.Value == "DIR":
				value = ":" + f.Value + ":_files -/"
			default:
				value = ":" + f.Value + ": "
			}
			equals := ""
			if f.Value != "" {
				equals = "="
			}
			fmt.Fprintf(b, "    '%s%s[%s]%s' \\\n", name, equals, zshText(f.Help, "[]"), value)
		}
	}
}

// zshText goes between single quotes; of special it escapes each.
func zshText(text, special string) string {
	text = strings.ReplaceAll(text, `\`, `\\`)
	for _, c := range special {
		text = strings.ReplaceAll(text, string(c), `\`+string(c))
	}
	return strings.ReplaceAll(text, "'", `'\''`)
}
