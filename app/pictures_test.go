package app

import (
	"image/color"
	"image/png"
	"os"
	"path/filepath"
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

// TestPictures draws every scene in both languages, light and dark, wide and
// small. TUBER_PICTURES names a folder to keep the PNGs in, to be looked at.
func TestPictures(t *testing.T) {
	folder := os.Getenv("TUBER_PICTURES")
	for _, sc := range scenes() {
		for _, language := range []string{"en", "de"} {
			for _, variant := range []string{"light", "dark"} {
				for _, size := range []fyne.Size{{Width: 920, Height: 680}, {Width: 420, Height: 560}} {
					if size.Width >= narrow && (language == "en") != (variant == "light") && folder == "" {
						continue // seen in the other dress
					}
					name := strings.Join([]string{sc.name, language, variant, map[bool]string{true: "small", false: "wide"}[size.Width < narrow]}, "-")
					if only := os.Getenv("TUBER_PICTURE"); only != "" && !strings.Contains(name, only) {
						continue
					}
					t.Run(name, func(t *testing.T) {
						s := newStand(t, language, func(s *stand) {
							v := map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark}[variant]
							s.app.Settings().SetTheme(dressed{newLook(), v})
							if sc.prepare != nil {
								sc.prepare(s)
							}
						})
						s.u.win.Resize(size)
						if sc.act != nil {
							sc.act(s)
						}
						img := s.u.win.Canvas().Capture()
						if b := img.Bounds(); b.Dx() < int(size.Width) || b.Dy() < int(size.Height) {
							t.Errorf("a picture of %v", b)
						}
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
		}
	}
}
