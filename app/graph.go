package app

import (
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// graph draws two rates over the last span seconds: the first as a filled area,
// the second as a line.
type graph struct {
	widget.BaseWidget
	data   *samples
	height float32
	bare   bool // without the scale's text
}

func newGraph(data *samples, height float32, bare bool) *graph {
	g := &graph{data: data, height: height, bare: bare}
	g.ExtendBaseWidget(g)
	return g
}

func (g *graph) CreateRenderer() fyne.WidgetRenderer {
	r := &graphRenderer{g: g, top: canvas.NewText("", nil), base: canvas.NewLine(nil), roof: canvas.NewLine(nil)}
	r.area = canvas.NewRaster(r.draw)
	r.Refresh()
	return r
}

type graphRenderer struct {
	g          *graph
	area       *canvas.Raster
	top        *canvas.Text
	base, roof *canvas.Line
}

func (r *graphRenderer) Destroy()           {}
func (r *graphRenderer) MinSize() fyne.Size { return fyne.NewSize(80, r.g.height) }

func (r *graphRenderer) Objects() []fyne.CanvasObject {
	if r.g.bare {
		return []fyne.CanvasObject{r.area, r.base}
	}
	return []fyne.CanvasObject{r.roof, r.area, r.base, r.top}
}

func (r *graphRenderer) Layout(size fyne.Size) {
	head := float32(0)
	if !r.g.bare {
		head = r.top.MinSize().Height + 2
	}
	r.top.Move(fyne.NewPos(0, 0))
	r.area.Move(fyne.NewPos(0, head))
	r.area.Resize(fyne.NewSize(size.Width, size.Height-head-1))
	r.roof.Position1, r.roof.Position2 = fyne.NewPos(0, head), fyne.NewPos(size.Width, head)
	r.base.Position1, r.base.Position2 = fyne.NewPos(0, size.Height-1), fyne.NewPos(size.Width, size.Height-1)
}

func (r *graphRenderer) Refresh() {
	th, v := r.g.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	line := th.Color(colorLine, v)
	r.base.StrokeColor, r.roof.StrokeColor = line, line
	r.top.Color, r.top.TextSize = th.Color(theme.ColorNameDisabled, v), th.Size(theme.SizeNameCaptionText)
	r.top.Text = rateText(r.g.data.ceiling())
	r.top.Refresh()
	r.base.Refresh()
	r.roof.Refresh()
	r.area.Refresh()
}

func (r *graphRenderer) draw(w, h int) image.Image {
	th, v := r.g.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	if w < 4 || h < 4 {
		return img
	}
	d := drawing{img: img, top: float64(r.g.data.ceiling()), thick: math.Max(1.5, float64(w)/float64(r.g.Size().Width+1)*1.5)}
	d.line(r.g.data.up, th.Color(theme.ColorNamePrimary, v), true)
	d.line(r.g.data.down, th.Color(colorSecond, v), false)
	return img
}

// drawing draws lines of samples with soft edges.
type drawing struct {
	img   *image.NRGBA
	top   float64 // the rate at the upper edge
	thick float64 // of a line, in pixels
}

func (d *drawing) line(list []tuber.BitsPerSecond, c color.Color, filled bool) {
	if len(list) < 2 {
		return
	}
	ink := color.NRGBAModel.Convert(c).(color.NRGBA)
	w, h := d.img.Rect.Dx(), d.img.Rect.Dy()
	step := float64(w-1) / float64(span-1)
	start := float64(w-1) - step*float64(len(list)-1)
	at := func(x float64) float64 { // the line's height in pixels from the upper edge
		i := math.Min(math.Max((x-start)/step, 0), float64(len(list)-1))
		left := int(i)
		right := min(left+1, len(list)-1)
		v := float64(list[left]) + (float64(list[right])-float64(list[left]))*(i-float64(left))
		return (float64(h) - d.thick) * (1 - v/d.top)
	}
	for x := int(math.Ceil(start)); x < w; x++ {
		a, b, mid := at(float64(x)-0.5), at(float64(x)+0.5), at(float64(x))
		high, low := math.Min(math.Min(a, b), mid), math.Max(math.Max(a, b), mid)+d.thick
		for y := int(high); y < h; y++ {
			cover := math.Min(float64(y+1), low) - math.Max(float64(y), high)
			alpha := math.Max(0, math.Min(1, cover))
			if filled && float64(y) >= mid {
				alpha = math.Max(alpha, 0.16)
			}
			if alpha <= 0 {
				break
			}
			d.blend(x, y, ink, alpha)
		}
	}
}

func (d *drawing) blend(x, y int, c color.NRGBA, alpha float64) {
	under := d.img.NRGBAAt(x, y)
	a := alpha * float64(c.A) / 255
	ua := float64(under.A) / 255
	out := a + ua*(1-a)
	mix := func(over, below uint8) uint8 {
		return uint8((float64(over)*a + float64(below)*ua*(1-a)) / out)
	}
	d.img.SetNRGBA(x, y, color.NRGBA{mix(c.R, under.R), mix(c.G, under.G), mix(c.B, under.B), uint8(out * 255)})
}
