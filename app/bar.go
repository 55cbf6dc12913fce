package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// bar shows a part of a whole.
type bar struct {
	widget.BaseWidget
	part float64 // 0 to 1
}

func newBar() *bar {
	b := &bar{}
	b.ExtendBaseWidget(b)
	return b
}

func (b *bar) show(part float64) {
	if b.part != part {
		b.part = part
		b.Refresh()
	}
}

func (b *bar) CreateRenderer() fyne.WidgetRenderer {
	r := &barRenderer{b: b, whole: &canvas.Rectangle{CornerRadius: 3}, part: &canvas.Rectangle{CornerRadius: 3}}
	r.Refresh()
	return r
}

type barRenderer struct {
	b           *bar
	whole, part *canvas.Rectangle
}

func (r *barRenderer) Destroy()                     {}
func (r *barRenderer) MinSize() fyne.Size           { return fyne.NewSize(40, 6) }
func (r *barRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.whole, r.part} }

func (r *barRenderer) Layout(size fyne.Size) {
	r.whole.Resize(size)
	r.part.Resize(fyne.NewSize(size.Width*float32(r.b.part), size.Height))
}

func (r *barRenderer) Refresh() {
	th, v := r.b.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.whole.FillColor, r.part.FillColor = th.Color(colorLine, v), th.Color(theme.ColorNamePrimary, v)
	r.Layout(r.b.Size())
	r.whole.Refresh()
	r.part.Refresh()
}
