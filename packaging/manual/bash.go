package main

import (
	"fmt"
	"strings"

	"github.com/tubercdn/tuber/internal/config"
)

// bash finds the command among the words before the cursor, then offers its
// flags and subcommands, or values where the word before is a flag that takes one.
func bash(tuber config.Described) string {
	var words, values, steps strings.Builder
	add := func(path []string, d config.Described) {
		at := strings.Join(path, " ")
		var offer []string
		for _, c := range d.Commands {
			offer = append(offer, c.Name)
			fmt.Fprintf(&steps, "      \"%s:%s\") command=\"%s\" ;;\n", at, c.Name, strings.TrimSpace(at+" "+c.Name))
		}
		for _, f := range append(d.Flags[:len(d.Flags):len(d.Flags)], common(tuber, path)...) {
			offer = append(offer, names(f)...)
			if f.Value != "" {
				fmt.Fprintf(&values, "    \"%s:--%s\") %s; return ;;\n", at, f.Name, bashValues(f))
			}
		}
		fmt.Fprintf(&words, "    \"%s\") words=\"%s\" ;;\n", at, strings.Join(offer, " "))
	}
	add(nil, tuber)
	walk(tuber, nil, add)
	return fmt.Sprintf(`# bash completion for tuber
_tuber() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command="" words="" word
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command:$word" in
%s    esac
  done
  case "$command:$prev" in
%s  esac
  case "$command" in
%s  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _tuber tuber
`, steps.String(), values.String(), words.String())
}

func bashValues(f config.DescribedFlag) string {
	switch {
	case len(f.Choices) > 0:
		return fmt.Sprintf(`COMPREPLY=($(compgen -W "%s" -- "$cur"))`, strings.Join(f.Choices, " "))
	case f.Value == "FILE" || f.Value == "FILE_OR_URL":
		return `COMPREPLY=($(compgen -f -- "$cur"))`
	case f.Value == "DIR":
		return `COMPREPLY=($(compgen -d -- "$cur"))`
	}
	return ":" // nothing is known of it
}

// common are the flags that every command has; the program lists them itself.
func common(tuber config.Described, path []string) []config.DescribedFlag {
	if len(path) == 0 {
		return nil
	}
	return tuber.Flags
}
