package app

import (
	"embed"
	"encoding/json"
	"path"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
)

// Every text of the window stands in lang/LANGUAGE.json under its English
// wording. Another language is one more file there.
//
//go:embed lang/*.json
var spoken embed.FS

// languages are those that have a file, English first.
func languages() []string {
	files, err := spoken.ReadDir("lang")
	if err != nil {
		panic("app: internal error: " + err.Error())
	}
	all := []string{"en"}
	for _, f := range files {
		if name := strings.TrimSuffix(f.Name(), ".json"); name != "en" {
			all = append(all, name)
		}
	}
	return all
}

// Of the language spoken. Only Fyne's goroutine touches them.
var (
	decimal = "." // the sign before a fraction
	known   map[string]json.RawMessage
)

// speak chooses the language of every text made from then on: the named one,
// or, if there is no such file, the system's, or English. It must run on Fyne's
// goroutine. Fyne always speaks the system's language, so the chosen file is
// given to it under the system's name.
func speak(chosen string) error {
	system := string(lang.SystemLocale())
	short, _, _ := strings.Cut(system, "-")
	use := "en"
	for _, l := range languages() {
		if l == chosen || chosen == "" && l == short {
			use = l
		}
	}
	text, err := spoken.ReadFile(path.Join("lang", use+".json"))
	if err != nil {
		return err
	}
	for _, as := range []string{"en", short, system} {
		if err := lang.AddTranslationsForLocale(text, fyne.Locale(as)); err != nil {
			return err
		}
	}
	known = map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &known); err != nil {
		return err
	}
	decimal = "."
	if use == "de" {
		decimal = ","
	}
	return nil
}

// tr is the text in the language spoken. Pairs of names and values fill its
// {{.Name}}s.
func tr(english string, pairs ...any) string { return lang.X(english, english, fill(pairs)) }

// trn is tr for a number of things, which the text names {{.N}}.
func trn(english string, n int, pairs ...any) string {
	return lang.XN(english, english, n, fill(append(pairs, "N", n)))
}

// trOr is tr for text that may have no translation: then it is the other one.
func trOr(english, otherwise string) string {
	if _, ok := known[english]; ok {
		return tr(english)
	}
	return otherwise
}

// mark has a text translated that is looked up elsewhere.
func mark(english string) string { return english }

func fill(pairs []any) map[string]any {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}
