package icons

import (
	"bytes"
	"image"
	"image/png"
	"path/filepath"
	"strings"
	"testing"
)

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestAppIsAPicture(t *testing.T) {
	if b := decode(t, App).Bounds(); b.Dx() != 256 || b.Dy() != 256 {
		t.Errorf("the program's icon is %v, want 256 x 256", b)
	}
}

// figure is what is light in a tray icon, averaged down to 16 x 16 as a small
// panel shows it: the shape, without colour.
func figure(t *testing.T, s State) [16 * 16]bool {
	img := decode(t, Tray(s))
	if b := img.Bounds(); b.Dx() != 64 || b.Dy() != 64 {
		t.Fatalf("%s is %v, want 64 x 64", s, b)
	}
	var out [16 * 16]bool
	for at := range out {
		var light uint32
		for i := range 16 {
			_, g, _, _ := img.At(at%16*4+i%4, at/16*4+i/4).RGBA() // premultiplied: clear counts as dark
			light += g >> 8
		}
		out[at] = light/16 > 0x80
	}
	return out
}

func TestTrayStatesDifferByShape(t *testing.T) {
	states := States()
	if len(states) != 7 {
		t.Fatalf("%d states, want 7", len(states))
	}
	for i, a := range states {
		for _, b := range states[:i] {
			differ := 0
			fa, fb := figure(t, a), figure(t, b)
			for p := range fa {
				if fa[p] != fb[p] {
					differ++
				}
			}
			if differ < 6 {
				t.Errorf("%s and %s differ in %d of 256 pixels of a small panel", a, b, differ)
			}
		}
	}
}

// TestTrayIsMonochrome: a panel's colours stay the desktop's own.
func TestTrayIsMonochrome(t *testing.T) {
	for _, s := range States() {
		img := decode(t, Tray(s))
		for at := range 64 * 64 {
			if r, g, b, _ := img.At(at%64, at/64).RGBA(); r != g || g != b {
				t.Fatalf("%s has a coloured pixel at %d,%d", s, at%64, at/64)
			}
		}
		if svg := string(TraySVG(s)); !strings.Contains(svg, `fill="#000000"`) || strings.Count(svg, "#") != strings.Count(svg, "#000000") {
			t.Errorf("%s: the drawing is not black alone", s)
		}
	}
}

func TestEveryDrawingHasAState(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("source", "tray", "*.svg"))
	if len(files) != len(States()) {
		t.Errorf("%d drawings, %d states", len(files), len(States()))
	}
}
