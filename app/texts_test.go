package app

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
)

var update = flag.Bool("update", false, "write golden files and lang/en.json anew")

// vocabulary are the texts that come from elsewhere.
func vocabulary() []string {
	all := slices.Clone(said)
	for _, r := range []tuber.Reason{tuber.ReasonPaused, tuber.ReasonAllowance, tuber.ReasonSchedule, tuber.ReasonMetered,
		tuber.ReasonBattery, tuber.ReasonVPN, tuber.ReasonError} {
		all = append(all, string(r))
	}
	for _, text := range badInvites() {
		_, err := tuber.ParseInvite(text)
		all = append(all, strings.TrimPrefix(err.Error(), tuber.ErrInvite.Error()+": "))
	}
	return all
}

// badInvites make every fixed sentence of ParseInvite.
func badInvites() []string {
	whole := testInvite("tv.example", 1).URL()
	return []string{"hello", "https://tv.example/#AAAA", "https://tv.example/.tuber/join#***", strings.Replace(whole, "tv.", "tw.", 1)}
}

// used are the texts in the code: what tr, trn and their like are called with,
// and how many values each names.
func used(t *testing.T) map[string]bool {
	all := map[string]bool{}
	for _, v := range vocabulary() {
		all[v] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			name, ok := call.Fun.(*ast.Ident)
			if !ok || !slices.Contains([]string{"tr", "trn", "mark"}, name.Name) {
				return true
			}
			text, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				if f != "texts.go" && f != "said.go" {
					t.Errorf("%s: %s is called with something that is no text", f, name.Name)
				}
				return true
			}
			s, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			all[s] = true
			if want, got := names(s), given(call, name.Name == "trn"); !slices.Equal(want, got) {
				t.Errorf("%s: %q names %v, but is given %v", f, s, want, got)
			}
			return true
		})
	}
	return all
}

var nameIn = regexp.MustCompile(`{{\.(\w+)}}`)

// names are the values that a text names, each once.
func names(text string) []string {
	set := map[string]bool{}
	for _, m := range nameIn.FindAllStringSubmatch(text, -1) {
		set[m[1]] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// given are the values that a call gives.
func given(call *ast.CallExpr, counted bool) []string {
	set := map[string]bool{}
	args := call.Args[1:]
	if counted {
		set["N"], args = true, args[1:]
	}
	for i := 0; i < len(args); i += 2 {
		if lit, ok := args[i].(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				set[s] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// forms are a text's translations in a file: one, or one for each plural.
func forms(t *testing.T, raw json.RawMessage) map[string]string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return map[string]string{"": one}
	}
	var many map[string]string
	if err := json.Unmarshal(raw, &many); err != nil {
		t.Fatal(err)
	}
	return many
}

// TestEveryTextIsInEveryLanguage compares the files with the code and with each
// other, both ways.
func TestEveryTextIsInEveryLanguage(t *testing.T) {
	want := used(t)
	if len(want) < 50 {
		t.Fatalf("only %d texts found", len(want))
	}
	for _, l := range languages() {
		path := filepath.Join("lang", l+".json")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file := map[string]json.RawMessage{}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if *update && l == "en" {
			writeEnglish(t, path, want, file)
			continue
		}
		for text := range want {
			raw, ok := file[text]
			if !ok {
				t.Errorf("%s lacks %q", path, text)
				continue
			}
			for form, f := range forms(t, raw) {
				missing := slices.DeleteFunc(names(text), func(n string) bool { return slices.Contains(names(f), n) || n == "N" && form == "one" })
				if f == "" || len(missing) > 0 || len(names(f)) > len(names(text)) {
					t.Errorf("%s: %q is %q: its values differ", path, text, f)
				}
			}
		}
		for text := range file {
			if !want[text] && !slices.Contains(fynes, text) {
				t.Errorf("%s has %q, which nothing says", path, text)
			}
		}
	}
}

// fynes are texts of Fyne's own menus and dialogs, which must be in the chosen
// language too.
var fynes = []string{"Cut", "Copy", "Paste", "Select all", "Undo", "Redo", "Cancel", "Open", "Folder", "Favourites", "Show Hidden Files",
	"Create Folder", "New Folder", "OK", "Confirm", "Yes", "No", "Error", "Advanced"}

func writeEnglish(t *testing.T, path string, want map[string]bool, have map[string]json.RawMessage) {
	all := map[string]any{}
	for _, text := range fynes {
		all[text] = text
	}
	for text := range want {
		all[text] = text
		if strings.Contains(text, "{{.N}}") {
			all[text] = map[string]string{"one": text, "other": text}
		}
		if raw, ok := have[text]; ok {
			all[text] = raw
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(all); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
