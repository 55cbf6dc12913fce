package app

import (
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// scene is a window in one state.
type scene struct {
	name    string
	prepare func(*stand) // before the window is made
	act     func(*stand) // after
}

// dressed is a theme in one variant, whatever the system's.
type dressed struct {
	fyne.Theme
	variant fyne.ThemeVariant
}

func (d dressed) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	return d.Theme.Color(name, d.variant)
}

// A dress is how a scene is looked at.
type dress struct {
	language string
	variant  fyne.ThemeVariant
	size     fyne.Size
}

func (d dress) String() string {
	return d.language + map[fyne.ThemeVariant]string{theme.VariantLight: "-light", theme.VariantDark: "-dark"}[d.variant] + d.width()
}

func (d dress) width() string {
	return map[bool]string{true: "-small", false: "-wide"}[d.size.Width < narrow]
}

// words names what the texts depend on.
func (d dress) words() string { return d.language + d.width() }

var big, little = fyne.NewSize(920, 680), fyne.NewSize(420, 560)

// dresses are four, in which each language, variant and size meets each other
// one; all eight if pictures are kept.
func dresses(all bool) []dress {
	light, dark := theme.VariantLight, theme.VariantDark
	list := []dress{{"en", light, big}, {"en", dark, little}, {"de", light, little}, {"de", dark, big}}
	if all {
		list = append(list, dress{"en", dark, big}, dress{"en", light, little}, dress{"de", dark, little}, dress{"de", light, big})
	}
	return list
}

// TestScenes draws every scene and compares the texts that are shown with
// testdata. TUBER_PICTURES names a folder to keep PNGs in, to be looked at;
// TUBER_PICTURE a part of the names wanted.
func TestScenes(t *testing.T) {
	folder, part := os.Getenv("TUBER_PICTURES"), os.Getenv("TUBER_PICTURE")
	drawn := map[string]bool{}
	for _, sc := range slices.Concat(scenes(), rareScenes()) {
		for _, d := range dresses(folder != "") {
			name := sc.name + "-" + d.String()
			if !strings.Contains(name, part) {
				continue
			}
			texts := sc.name + "-" + d.words() + ".txt"
			drawn[texts] = true
			t.Run(name, func(t *testing.T) {
				s := newStand(t, d.language, func(s *stand) {
					s.app.Settings().SetTheme(dressed{newLook(), d.variant})
					if sc.prepare != nil {
						sc.prepare(s)
					}
				})
				s.u.win.Resize(d.size)
				if sc.act != nil {
					sc.act(s)
				}
				if got := s.u.win.Canvas().Size(); got != d.size {
					t.Errorf("the content needs a window of %v", got)
				}
				golden(t, texts, s.texts())
				if racing {
					return // painting is slow then, and has no goroutines
				}
				img := s.u.win.Canvas().Capture()
				if folder == "" {
					return
				}
				f, err := os.Create(filepath.Join(folder, name+".png"))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := png.Encode(f, img); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
	if part == "" {
		noneLeft(t, drawn)
	}
}

// noneLeft says that each file in testdata is of a scene that there is.
func noneLeft(t *testing.T, drawn map[string]bool) {
	t.Helper()
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !drawn[f.Name()] {
			t.Errorf("testdata/%s is of no scene", f.Name())
		}
	}
}

// golden compares with a file in testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update writes it anew. Shown is:\n%s", path, got)
	}
}
