package app

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// column stacks what a page shows in one column of readable width, in the
// middle. Text that wraps learns its width before its height is asked.
type column struct {
	most, gap, edge float32
	grown           func() // the height changed with the width: scroll anew
	height          float32
}

func (c *column) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := fyne.Min(size.Width-2*c.edge, c.most)
	x, y := (size.Width-width)/2, c.edge
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		o.Resize(fyne.NewSize(width, o.MinSize().Height))
		high := o.MinSize().Height // now that it knows its width
		o.Resize(fyne.NewSize(width, high))
		o.Move(fyne.NewPos(x, y))
		y += high + c.gap
	}
	y += c.edge - c.gap
	if y != c.height {
		c.height = y
		if c.grown != nil {
			c.grown()
		}
	}
}

func (c *column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var wide, high float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		wide = fyne.Max(wide, m.Width)
		high += m.Height + c.gap
	}
	return fyne.NewSize(wide+2*c.edge, fyne.Max(high+2*c.edge-c.gap, 0))
}

// newPage is a scrolling column.
func newPage(objects ...fyne.CanvasObject) *container.Scroll {
	c := &column{most: 720, gap: 12, edge: 16}
	scroll := container.NewVScroll(container.New(c, objects...))
	busy := false
	c.grown = func() {
		if !busy {
			busy = true
			scroll.Refresh()
			busy = false
		}
	}
	return scroll
}

// tiles lays equal boxes out in as many columns as fit.
type tiles struct {
	least, gap float32
	columns    int
}

func (t *tiles) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	shown := visible(objects)
	if len(shown) == 0 {
		return
	}
	fit := min(max(int((size.Width+t.gap)/(t.least+t.gap)), 1), len(shown))
	rows := (len(shown) + fit - 1) / fit
	t.columns = (len(shown) + rows - 1) / rows // rows as even as can be
	width := (size.Width - t.gap*float32(t.columns-1)) / float32(t.columns)
	y := float32(0)
	for row := 0; row < len(shown); row += t.columns {
		line := shown[row:min(row+t.columns, len(shown))]
		high := float32(0)
		for _, o := range line {
			o.Resize(fyne.NewSize(width, o.MinSize().Height))
			high = fyne.Max(high, o.MinSize().Height)
		}
		for i, o := range line {
			o.Resize(fyne.NewSize(width, high))
			o.Move(fyne.NewPos(float32(i)*(width+t.gap), y))
		}
		y += high + t.gap
	}
}

func (t *tiles) MinSize(objects []fyne.CanvasObject) fyne.Size {
	shown := visible(objects)
	columns := max(t.columns, 1)
	var wide, high float32
	for row := 0; row < len(shown); row += columns {
		line := float32(0)
		for _, o := range shown[row:min(row+columns, len(shown))] {
			m := o.MinSize()
			wide, line = fyne.Max(wide, m.Width), fyne.Max(line, m.Height)
		}
		high += line + t.gap
	}
	return fyne.NewSize(wide, fyne.Max(high-t.gap, 0))
}

// wrap lays buttons out in a row that breaks where the width ends.
type wrap struct {
	gap  float32
	rows int
}

func (w *wrap) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x, y, line := float32(0), float32(0), float32(0)
	w.rows = 1
	for _, o := range visible(objects) {
		m := o.MinSize()
		if x > 0 && x+m.Width > size.Width+0.5 {
			x, y, line = 0, y+line+w.gap, 0
			w.rows++
		}
		o.Resize(fyne.NewSize(fyne.Min(m.Width, size.Width), m.Height))
		o.Move(fyne.NewPos(x, y))
		x, line = x+m.Width+w.gap, fyne.Max(line, m.Height)
	}
}

func (w *wrap) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var wide, high float32
	for _, o := range visible(objects) {
		m := o.MinSize()
		wide, high = fyne.Max(wide, m.Width), fyne.Max(high, m.Height)
	}
	rows := float32(max(w.rows, 1))
	return fyne.NewSize(wide, high*rows+w.gap*(rows-1))
}

func visible(objects []fyne.CanvasObject) []fyne.CanvasObject {
	var shown []fyne.CanvasObject
	for _, o := range objects {
		if o.Visible() {
			shown = append(shown, o)
		}
	}
	return shown
}

func newTiles(least float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&tiles{least: least, gap: 12}, objects...)
}

// wide gives an object a least width.
func wide(o fyne.CanvasObject, width float32) fyne.CanvasObject {
	room := canvas.NewRectangle(color.Transparent)
	room.SetMinSize(fyne.NewSize(width, 1))
	return container.NewStack(room, o)
}

func newWrap(objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&wrap{gap: 8}, objects...)
}

// newLines stacks labels as lines of one text: their own padding is enough.
func newLines(objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(-10), objects...)
}
