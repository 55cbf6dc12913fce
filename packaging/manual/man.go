package main

import (
	"fmt"
	"strings"

	"github.com/tubercdn/tuber/internal/config"
)

// manPage is all of tuber in one page. It bears no date, so that the same
// version always gives the same page.
func manPage(tuber config.Described, version string) string {
	var b strings.Builder
	first, rest, _ := strings.Cut(tuber.Help, "\n\n")
	fmt.Fprintf(&b, ".TH TUBER 1 \"\" \"Tuber %s\" \"User Commands\"\n", roff(version))
	b.WriteString(".SH NAME\ntuber \\- peer-to-peer CDN before any web server\n")
	b.WriteString(".SH SYNOPSIS\n.B tuber\n.I command\n.RI [ flags ]\n")
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roff(first))
	for _, paragraph := range strings.Split(rest, "\n\n") {
		if strings.HasPrefix(paragraph, " ") {
			fmt.Fprintf(&b, ".PP\n.nf\n%s\n.fi\n", roff(paragraph))
		} else {
			fmt.Fprintf(&b, ".PP\n%s\n", roff(paragraph))
		}
	}
	b.WriteString(".SH FLAGS OF ALL COMMANDS\n")
	manFlags(&b, tuber.Flags)
	b.WriteString(".SH COMMANDS\n")
	walk(tuber, nil, func(words []string, d config.Described) {
		if len(d.Commands) > 0 {
			return // its own commands say it all
		}
		fmt.Fprintf(&b, ".SS tuber %s", roff(strings.Join(words, " ")))
		for _, a := range d.Args {
			if a.Optional {
				fmt.Fprintf(&b, " [%s]", roff(strings.ToUpper(a.Name)))
			} else {
				fmt.Fprintf(&b, " %s", roff(strings.ToUpper(a.Name)))
			}
		}
		fmt.Fprintf(&b, "\n%s\n", roff(d.Help))
		for _, a := range d.Args {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(strings.ToUpper(a.Name)), roff(a.Help))
		}
		manFlags(&b, d.Flags)
	})
	b.WriteString(".SH EXIT STATUS\n0 if it did what was asked, 1 if it could not, 2 if it was asked wrongly.\n")
	b.WriteString(".SH FILES\n.TP\n.I ~/.config/tuber/tuber.toml\nSettings.\n")
	b.WriteString(".TP\n.I ~/.local/state/tuber/\nKeys, the book, and chunks.\n")
	b.WriteString(".SH SEE ALSO\n.BR tuber-app (1),\nhttps://github.com/tubercdn/tuber\n")
	return b.String()
}

func manFlags(b *strings.Builder, flags []config.DescribedFlag) {
	for _, f := range flags {
		fmt.Fprintf(b, ".TP\n.BR %s", strings.Join(roffAll(names(f)), " \", \" "))
		if f.Value != "" {
			fmt.Fprintf(b, " =\\fI%s\\fR", roff(f.Value))
		}
		fmt.Fprintf(b, "\n%s\n", roff(f.Help))
		if f.Env != "" {
			fmt.Fprintf(b, "In the environment:\n.BR %s .\n", roff(f.Env))
		}
	}
}

// roff keeps text from being read as requests.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

func roffAll(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = roff(t)
	}
	return out
}
