package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

// drawing is one SVG, read. Cut-outs in it run against the outline: the
// rasteriser fills by the nonzero rule only.
type drawing struct{ icon *oksvg.SvgIcon }

func readSVG(path string) (drawing, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return drawing{}, err
	}
	icon, err := oksvg.ReadIconStream(bytes.NewReader(text), oksvg.StrictErrorMode)
	if err != nil {
		return drawing{}, fmt.Errorf("read %s: %w", path, err)
	}
	return drawing{icon}, nil
}

// Small pictures are rasterised larger than asked and then averaged: edges of
// neighbouring paths come out cleaner. In large ones nobody sees them.
const (
	oversample     = 4
	oversampleUpTo = 128 // pixels
)

func (d drawing) draw(size int) *image.NRGBA {
	by := 1
	if size <= oversampleUpTo {
		by = oversample
	}
	big := size * by
	canvas := image.NewRGBA(image.Rect(0, 0, big, big))
	d.icon.SetTarget(0, 0, float64(big), float64(big))
	// The library scales outlines, but not the width of strokes.
	scale := float64(big) / d.icon.ViewBox.W
	for i := range d.icon.SVGPaths {
		path := &d.icon.SVGPaths[i]
		width := path.LineWidth
		path.LineWidth *= scale
		defer func() { path.LineWidth = width }()
	}
	d.icon.Draw(rasterx.NewDasher(big, big, rasterx.NewScannerGV(big, big, canvas, canvas.Bounds())), 1)
	return shrink(canvas, by)
}

// shrink averages squares of by x by pixels, in premultiplied colour.
func shrink(from *image.RGBA, by int) *image.NRGBA {
	size := from.Bounds().Dx() / by
	to := image.NewRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			var sum [4]int
			for dy := range by {
				at := from.PixOffset(x*by, y*by+dy)
				for i, v := range from.Pix[at : at+4*by] {
					sum[i%4] += int(v)
				}
			}
			at := to.PixOffset(x, y)
			for i := range sum {
				to.Pix[at+i] = uint8((sum[i] + by*by/2) / (by * by))
			}
		}
	}
	straight := image.NewNRGBA(to.Bounds())
	draw.Draw(straight, straight.Bounds(), to, image.Point{}, draw.Src)
	return straight
}

// rim is how far, in pixels, the dark rim reaches beyond a tray figure.
const rim = 3

// rimmed is the figure in near white with a near black rim round it; what the
// rim encloses is near black too.
func rimmed(figure *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(figure.Bounds())
	dark := image.NewUniform(color.NRGBA{0x20, 0x20, 0x20, 0xff})
	light := image.NewUniform(color.NRGBA{0xf6, 0xf6, 0xf6, 0xff})
	draw.DrawMask(out, out.Bounds(), dark, image.Point{}, filled(widened(figure)), image.Point{}, draw.Over)
	draw.DrawMask(out, out.Bounds(), light, image.Point{}, figure, image.Point{}, draw.Over)
	return out
}

// widened is the figure's coverage, spread by rim in all directions.
func widened(figure *image.NRGBA) *image.Alpha {
	out := image.NewAlpha(figure.Bounds())
	size := figure.Bounds().Dx()
	for y := range size {
		for x := range size {
			covers := figure.Pix[figure.PixOffset(x, y)+3]
			if covers == 0 {
				continue
			}
			for dy := max(-rim, -y); dy <= min(rim, size-1-y); dy++ {
				for dx := max(-rim, -x); dx <= min(rim, size-1-x); dx++ {
					if at := out.PixOffset(x+dx, y+dy); dx*dx+dy*dy <= rim*rim {
						out.Pix[at] = max(out.Pix[at], covers)
					}
				}
			}
		}
	}
	return out
}

// filled covers every hole: all that cannot be reached from the border over
// pixels that are more open than covered.
func filled(mask *image.Alpha) *image.Alpha {
	b := mask.Bounds()
	outside := map[image.Point]bool{}
	var todo []image.Point
	visit := func(p image.Point) {
		if p.In(b) && !outside[p] && mask.AlphaAt(p.X, p.Y).A < 0x80 {
			outside[p] = true
			todo = append(todo, p)
		}
	}
	for i := b.Min.X; i < b.Max.X; i++ { // it is a square
		visit(image.Pt(i, b.Min.Y))
		visit(image.Pt(i, b.Max.Y-1))
		visit(image.Pt(b.Min.X, i))
		visit(image.Pt(b.Max.X-1, i))
	}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, step := range []image.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}} {
			visit(p.Add(step))
		}
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			edge := outside[image.Pt(x, y)] || outside[image.Pt(x+1, y)] || outside[image.Pt(x-1, y)] ||
				outside[image.Pt(x, y+1)] || outside[image.Pt(x, y-1)]
			if !edge {
				mask.SetAlpha(x, y, color.Alpha{0xff})
			}
		}
	}
	return mask
}
