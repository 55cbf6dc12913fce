package app

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// card is a box with a thin line round it.
type card struct {
	widget.BaseWidget
	body       fyne.CanvasObject
	fill, line fyne.ThemeColorName
	pad        float32
}

func newCard(objects ...fyne.CanvasObject) *card {
	c := &card{body: container.NewVBox(objects...), fill: colorCard, line: colorLine, pad: 10}
	c.ExtendBaseWidget(c)
	return c
}

// newNote is a card for what needs attention.
func newNote(objects ...fyne.CanvasObject) *card {
	c := newCard(objects...)
	c.fill, c.line, c.pad = colorAmberSoft, colorAmberSoft, 6
	return c
}

func (c *card) CreateRenderer() fyne.WidgetRenderer {
	r := &cardRenderer{c: c, box: &canvas.Rectangle{StrokeWidth: 1, CornerRadius: 12}}
	r.Refresh()
	return r
}

type cardRenderer struct {
	c   *card
	box *canvas.Rectangle
}

func (r *cardRenderer) Destroy()                     {}
func (r *cardRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.box, r.c.body} }
func (r *cardRenderer) MinSize() fyne.Size {
	return r.c.body.MinSize().Add(fyne.NewSquareSize(2 * r.c.pad))
}

func (r *cardRenderer) Layout(size fyne.Size) {
	r.box.Resize(size)
	r.c.body.Move(fyne.NewSquareOffsetPos(r.c.pad))
	r.c.body.Resize(size.Subtract(fyne.NewSquareSize(2 * r.c.pad)))
}

func (r *cardRenderer) Refresh() {
	th, v := r.c.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.box.FillColor, r.box.StrokeColor = th.Color(r.c.fill, v), th.Color(r.c.line, v)
	r.box.Refresh()
	r.c.body.Refresh()
}

// heading is a page's own title.
func heading(text string) *widget.Label {
	return &widget.Label{Text: text, SizeName: theme.SizeNameHeadingText, TextStyle: fyne.TextStyle{Bold: true}, Wrapping: fyne.TextWrapWord}
}

// subheading is the title of a card.
func subheading(text string) *widget.Label {
	return &widget.Label{Text: text, SizeName: theme.SizeNameSubHeadingText, TextStyle: fyne.TextStyle{Bold: true}, Wrapping: fyne.TextWrapWord}
}

// strong is a line in bold.
func strong(text string) *widget.Label {
	return &widget.Label{Text: text, TextStyle: fyne.TextStyle{Bold: true}, Wrapping: fyne.TextWrapWord}
}

// words is running text.
func words(text string) *widget.Label {
	return &widget.Label{Text: text, Wrapping: fyne.TextWrapWord}
}

// soft is running text that may be skipped.
func soft(text string) *widget.Label {
	return &widget.Label{Text: text, Wrapping: fyne.TextWrapWord, Importance: widget.LowImportance}
}

// small is soft text in the small size.
func small(text string) *widget.Label {
	l := soft(text)
	l.SizeName = theme.SizeNameCaptionText
	return l
}

// caution is text about something wrong. It hides while it is empty.
func caution(text string) *widget.Label {
	l := words(text)
	l.Importance = widget.WarningImportance
	if text == "" {
		l.Hide()
	}
	return l
}

// set changes a label only if its text is another one.
func set(l *widget.Label, text string) {
	if l.Text != text {
		l.SetText(text)
	}
}

// setOrHide is set for a label that takes no room while it is empty. It tells
// whether the label came or went.
func setOrHide(l *widget.Label, text string) bool {
	set(l, text)
	return showIf(l, text != "")
}

// showIf shows or hides an object if that changes anything, and tells whether
// it did.
func showIf(o fyne.CanvasObject, on bool) bool {
	if o.Visible() == on {
		return false
	}
	if on {
		o.Show()
	} else {
		o.Hide()
	}
	return true
}

// figure is a number with its name above it.
type figure struct {
	box   fyne.CanvasObject
	value *widget.Label
}

func newFigure(name string) figure {
	value := &widget.Label{SizeName: theme.SizeNameSubHeadingText, TextStyle: fyne.TextStyle{Bold: true}, Truncation: fyne.TextTruncateEllipsis}
	label := small(name)
	label.Wrapping, label.Truncation = fyne.TextWrapOff, fyne.TextTruncateEllipsis
	return figure{newLines(label, value), value}
}

// quiet is a button without a box.
func quiet(text string, tapped func()) *widget.Button {
	b := widget.NewButton(text, tapped)
	b.Importance = widget.LowImportance
	return b
}

// primary is the one button that a screen is about.
func primary(text string, tapped func()) *widget.Button {
	b := widget.NewButton(text, tapped)
	b.Importance = widget.HighImportance
	return b
}

// enlarged is a button that is seen and hit from afar.
func enlarged(b *widget.Button) fyne.CanvasObject {
	return container.NewThemeOverride(b, large{fyne.CurrentApp().Settings().Theme()})
}

// inset indents by as much as a label indents its own text.
func inset(o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(0, 0, 8, 8), o)
}

// space is empty room.
func space(height float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(1, height))
	return r
}

// dot is a small disc whose colour goes with a mood.
type dot struct {
	widget.BaseWidget
	colour fyne.ThemeColorName
}

func newDot() *dot {
	d := &dot{colour: theme.ColorNameDisabled}
	d.ExtendBaseWidget(d)
	return d
}

// show gives the dot a mood's colour.
func (d *dot) show(m mood) {
	colour := theme.ColorNameDisabled
	switch m {
	case moodActive, moodIdle:
		colour = theme.ColorNamePrimary
	case moodLimited, moodRule, moodOffline:
		colour = theme.ColorNameWarning
	case moodError:
		colour = theme.ColorNameError
	}
	if colour != d.colour {
		d.colour = colour
		d.Refresh()
	}
}

func (d *dot) CreateRenderer() fyne.WidgetRenderer {
	r := &dotRenderer{d: d, disc: &canvas.Circle{}}
	r.Refresh()
	return r
}

type dotRenderer struct {
	d    *dot
	disc *canvas.Circle
}

func (r *dotRenderer) Destroy()                     {}
func (r *dotRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.disc} }
func (r *dotRenderer) MinSize() fyne.Size           { return fyne.NewSize(20, 12) }

func (r *dotRenderer) Layout(size fyne.Size) {
	r.disc.Resize(fyne.NewSquareSize(12))
	r.disc.Move(fyne.NewPos(8, (size.Height-12)/2))
}

func (r *dotRenderer) Refresh() {
	r.disc.FillColor = r.d.Theme().Color(r.d.colour, fyne.CurrentApp().Settings().ThemeVariant())
	r.disc.Refresh()
}

// menuUnder opens a menu below a widget.
func (u *ui) menuUnder(o fyne.CanvasObject, items ...*fyne.MenuItem) {
	widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", items...), u.win.Canvas(), fyne.NewPos(0, o.Size().Height+4), o)
}
