package app

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// hours is the week as a grid of days and hours, to be painted with the mouse
// or walked with the arrow keys and Space.
type hours struct {
	widget.BaseWidget
	marked  [7]tuber.DayHours // by time.Weekday
	changed func([7]tuber.DayHours)

	focused  bool
	row, col int // of the keyboard: rows begin on Monday
	painting bool
	paint    bool // what is painted: marks, or their absence
}

var (
	_ fyne.Focusable    = (*hours)(nil)
	_ fyne.Draggable    = (*hours)(nil)
	_ desktop.Mouseable = (*hours)(nil)
)

func newHours(changed func([7]tuber.DayHours)) *hours {
	h := &hours{changed: changed}
	h.ExtendBaseWidget(h)
	return h
}

// weekday is the day of a row: Monday first.
func weekday(row int) int { return (row + 1) % 7 }

func (h *hours) has(row, col int) bool { return h.marked[weekday(row)].Has(col) }

func (h *hours) put(row, col int, on bool) {
	bit := tuber.DayHours(1) << col
	if on {
		h.marked[weekday(row)] |= bit
	} else {
		h.marked[weekday(row)] &^= bit
	}
	h.Refresh()
}

const (
	hoursLeft = 34 // for the days' names
	hoursTop  = 18 // for the hours' names
	hoursCell = 20 // high
)

// cell is the row and column at a place, if there is one.
func (h *hours) cell(at fyne.Position) (row, col int, ok bool) {
	wide := (h.Size().Width - hoursLeft) / 24
	if at.X < hoursLeft || at.Y < hoursTop || wide <= 0 {
		return 0, 0, false
	}
	row, col = int((at.Y-hoursTop)/hoursCell), int((at.X-hoursLeft)/wide)
	return row, col, row < 7 && col < 24
}

func (h *hours) MouseDown(e *desktop.MouseEvent) {
	if row, col, ok := h.cell(e.Position); ok {
		h.row, h.col = row, col
		h.painting, h.paint = true, !h.has(row, col)
		h.put(row, col, h.paint)
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(h); c != nil {
		c.Focus(h)
	}
}

func (h *hours) Dragged(e *fyne.DragEvent) {
	if row, col, ok := h.cell(e.Position); ok && h.painting {
		h.put(row, col, h.paint)
	}
}

func (h *hours) MouseUp(*desktop.MouseEvent) { h.DragEnd() }

func (h *hours) DragEnd() {
	if h.painting {
		h.painting = false
		h.changed(h.marked)
	}
}

func (h *hours) FocusGained()   { h.focused = true; h.Refresh() }
func (h *hours) FocusLost()     { h.focused = false; h.Refresh() }
func (h *hours) TypedRune(rune) {}

func (h *hours) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyUp:
		h.row = max(h.row-1, 0)
	case fyne.KeyDown:
		h.row = min(h.row+1, 6)
	case fyne.KeyLeft:
		h.col = max(h.col-1, 0)
	case fyne.KeyRight:
		h.col = min(h.col+1, 23)
	case fyne.KeySpace:
		h.put(h.row, h.col, !h.has(h.row, h.col))
		h.changed(h.marked)
	}
	h.Refresh()
}

// show brings the grid up to date, unless it is being painted.
func (h *hours) show(marked [7]tuber.DayHours) {
	if !h.painting && h.marked != marked {
		h.marked = marked
		h.Refresh()
	}
}

func (h *hours) CreateRenderer() fyne.WidgetRenderer {
	r := &hoursRenderer{h: h, cursor: canvas.NewRectangle(nil)}
	for row := range 7 {
		r.days[row] = canvas.NewText("", nil)
		for col := range 24 {
			r.cells[row][col] = &canvas.Rectangle{CornerRadius: 3}
		}
	}
	for i := range r.hours {
		r.hours[i] = canvas.NewText(strconv.Itoa(i*6), nil)
	}
	r.Refresh()
	return r
}

type hoursRenderer struct {
	h      *hours
	cells  [7][24]*canvas.Rectangle
	days   [7]*canvas.Text
	hours  [4]*canvas.Text
	cursor *canvas.Rectangle
}

func (r *hoursRenderer) Destroy() {}
func (r *hoursRenderer) MinSize() fyne.Size {
	return fyne.NewSize(hoursLeft+24*10, hoursTop+7*hoursCell+2)
}

func (r *hoursRenderer) Objects() []fyne.CanvasObject {
	var all []fyne.CanvasObject
	for row := range 7 {
		all = append(all, r.days[row])
		for col := range 24 {
			all = append(all, r.cells[row][col])
		}
	}
	for _, t := range r.hours {
		all = append(all, t)
	}
	return append(all, r.cursor)
}

func (r *hoursRenderer) Layout(size fyne.Size) {
	wide := (size.Width - hoursLeft) / 24
	place := func(o fyne.CanvasObject, row, col int) {
		o.Move(fyne.NewPos(hoursLeft+float32(col)*wide+1, hoursTop+float32(row)*hoursCell+1))
		o.Resize(fyne.NewSize(wide-2, hoursCell-2))
	}
	for row := range 7 {
		r.days[row].Move(fyne.NewPos(0, hoursTop+float32(row)*hoursCell+2))
		for col := range 24 {
			place(r.cells[row][col], row, col)
		}
	}
	for i, t := range r.hours {
		t.Move(fyne.NewPos(hoursLeft+float32(i)*6*wide+1, 0))
	}
	place(r.cursor, r.h.row, r.h.col)
}

// dayNames are the days' short names, Monday first.
func dayNames() [7]string {
	return [7]string{tr("Mon"), tr("Tue"), tr("Wed"), tr("Thu"), tr("Fri"), tr("Sat"), tr("Sun")}
}

func (r *hoursRenderer) Refresh() {
	th, v := r.h.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	on, off := th.Color(theme.ColorNamePrimary, v), th.Color(theme.ColorNameButton, v)
	ink, size := th.Color(theme.ColorNameDisabled, v), th.Size(theme.SizeNameCaptionText)
	for row, name := range dayNames() {
		r.days[row].Text, r.days[row].Color, r.days[row].TextSize = name, ink, size
		r.days[row].Refresh()
		for col := range 24 {
			c := r.cells[row][col]
			c.FillColor = off
			if r.h.has(row, col) {
				c.FillColor = on
			}
			c.Refresh()
		}
	}
	for _, t := range r.hours {
		t.Color, t.TextSize = ink, size
		t.Refresh()
	}
	r.cursor.StrokeColor, r.cursor.StrokeWidth, r.cursor.CornerRadius = th.Color(theme.ColorNameForeground, v), 2, 3
	r.cursor.Hidden = !r.h.focused
	r.Layout(r.h.Size())
	r.cursor.Refresh()
}
