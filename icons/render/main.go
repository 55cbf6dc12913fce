// Command render draws icons/source into icons/dist: the program's icon in every
// size that a desktop asks for, tuber.ico, tuber.icns, the picture beside the
// installer's first and last page, and the tray's by state.
// go generate ./icons runs it, in icons.
package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
)

// Sizes of the freedesktop icon theme, in pixels.
var hicolor = []int{16, 22, 24, 32, 48, 64, 128, 256, 512}

// smallest is the size from which on the whole drawing is used; below it the
// simple one, whose lines stay wider than a pixel.
const smallest = 40

const traySize = 64 // what Fyne hands to the desktop

func main() {
	if err := render("source", "dist"); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

// render draws all of source anew into dist.
func render(source, dist string) error {
	app, err := appIcon(source)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, size := range hicolor {
		if files[fmt.Sprintf("tuber-%d.png", size)], err = encode(app(size)); err != nil {
			return err
		}
	}
	if files["tuber.ico"], err = ico(app); err != nil {
		return err
	}
	if files["tuber.icns"], err = icns(app); err != nil {
		return err
	}
	files["installer.bmp"] = sidebar(app(144))
	figures, err := filepath.Glob(filepath.Join(source, "tray", "*.svg"))
	if err != nil {
		return err
	}
	for _, path := range figures {
		figure, err := readSVG(path)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(path), ".svg")
		if files["tray/"+name+".png"], err = encode(rimmed(figure.draw(traySize))); err != nil {
			return err
		}
	}
	return write(dist, files)
}

// appIcon gives the program's icon in any size.
func appIcon(source string) (func(size int) *image.NRGBA, error) {
	large, err := readSVG(filepath.Join(source, "tuber.svg"))
	if err != nil {
		return nil, err
	}
	small, err := readSVG(filepath.Join(source, "tuber-small.svg"))
	if err != nil {
		return nil, err
	}
	drawn := map[int]*image.NRGBA{}
	return func(size int) *image.NRGBA {
		if drawn[size] == nil && size < smallest {
			drawn[size] = small.draw(size)
		} else if drawn[size] == nil {
			drawn[size] = large.draw(size)
		}
		return drawn[size]
	}, nil
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// write puts the files into an emptied folder.
func write(dist string, files map[string][]byte) error {
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(dist, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
