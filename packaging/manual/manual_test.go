package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tubercdn/tuber/internal/config"
)

// TestEveryFlagIsDocumented: page and completions know each command and flag.
func TestEveryFlagIsDocumented(t *testing.T) {
	tuber, err := config.Describe()
	if err != nil {
		t.Fatal(err)
	}
	page := manPage(tuber, "1.2.3")
	shells := map[string]string{"bash": bash(tuber), "zsh": zsh(tuber), "fish": fish(tuber)}
	commands, flags := 0, 0
	walk(tuber, nil, func(words []string, d config.Described) {
		commands++
		if at := "tuber " + strings.Join(words, " "); len(d.Commands) == 0 && !strings.Contains(page, roff(at)) {
			t.Errorf("the manual page lacks %q", at)
		}
		for shell, text := range shells {
			if !strings.Contains(text, d.Name) {
				t.Errorf("%s lacks the command %q", shell, d.Name)
			}
		}
		for _, f := range d.Flags {
			flags++
			if !strings.Contains(page, roff("--"+f.Name)) || !strings.Contains(page, f.Env) {
				t.Errorf("the manual page lacks --%s or %s", f.Name, f.Env)
			}
			for shell, text := range shells {
				if !strings.Contains(text, "--"+f.Name) && !strings.Contains(text, "-l "+f.Name+" ") {
					t.Errorf("%s lacks --%s", shell, f.Name)
				}
			}
		}
	})
	if commands < 14 || flags < 40 {
		t.Errorf("only %d commands and %d flags described", commands, flags)
	}
	if strings.Contains(page, "${") || strings.Contains(page, "share-for") {
		t.Error("the manual page shows a placeholder or a hidden flag")
	}
}

// TestBashCompletes asks a real bash.
func TestBashCompletes(t *testing.T) {
	dir := t.TempDir()
	if err := run("1.2.3", dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "films"), 0o755); err != nil {
		t.Fatal(err)
	}
	complete := func(words ...string) []string {
		script := `source ./tuber.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tuber; printf '%s\n' "${COMPREPLY[@]}"`
		cmd := exec.Command("bash", append([]string{"-c", script, "bash", "tuber"}, words...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", words, err, out)
		}
		return strings.Fields(string(out))
	}
	for _, c := range []struct {
		words []string
		want  []string
	}{
		{[]string{"ho"}, []string{"host"}},
		{[]string{"invite", "re"}, []string{"revoke"}},
		{[]string{"host", "--relay", ""}, []string{"ask", "off", "on"}},
		{[]string{"host", "--files", "fi"}, []string{"films"}},
		{[]string{"boost", "--no-u"}, []string{"--no-upnp"}},
		{[]string{"--verbose", "boost", "--upl"}, []string{"--upload"}},
		{[]string{"invite", "create", "--note", ""}, nil},
		{[]string{"boost", "ho"}, nil},
		{[]string{"host", "--config", "tuber.b"}, []string{"tuber.bash"}},
	} {
		got := complete(c.words...)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("tuber %s: %q, want %q", strings.Join(c.words, " "), got, c.want)
		}
	}
}

func TestRequestsInTextAreText(t *testing.T) {
	if got, want := roff(".so /etc/passwd\n'x\\"), "\\&.so /etc/passwd\n\\&'x\\e"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := zshText("it's [a:b]", "[]"), `it'\''s \[a:b\]`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
