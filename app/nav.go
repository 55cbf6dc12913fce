package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// nav is the list of pages: beside the content where there is room, else a row
// of icons above it.
type nav struct {
	items []*navItem
}

func newNav(pages []page, open func(int)) *nav {
	n := &nav{}
	for i, p := range pages {
		item := &navItem{text: p.name(), icon: p.icon(), tapped: func() { open(i) }}
		item.ExtendBaseWidget(item)
		n.items = append(n.items, item)
	}
	return n
}

// mark shows which page is open.
func (n *nav) mark(open int) {
	for i, item := range n.items {
		if item.current != (i == open) {
			item.current = i == open
			item.Refresh()
		}
	}
}

// frame lays out the pages' list and the content.
type frame struct {
	side int // of the objects, how many are the list's
}

func newFrame(n *nav, body fyne.CanvasObject) *fyne.Container {
	c := &fyne.Container{Layout: frame{len(n.items)}}
	for _, item := range n.items {
		c.Objects = append(c.Objects, item)
	}
	mark := canvas.NewImageFromResource(appIcon())
	mark.FillMode = canvas.ImageFillContain
	mark.SetMinSize(fyne.NewSquareSize(32))
	name := subheading("Tuber")
	name.Wrapping = fyne.TextWrapOff
	c.Objects = append(c.Objects, body, container.NewHBox(mark, name))
	return c
}

const (
	narrow   = 640 // below this width the list is a row of icons
	navWidth = 196
	navHigh  = 42
	navTop   = 72 // for the program's name
)

func (f frame) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	body, brand := objects[f.side], objects[f.side+1]
	showIf(brand, size.Width >= narrow)
	if size.Width >= narrow {
		brand.Move(fyne.NewPos(20, 20))
		brand.Resize(brand.MinSize())
		for i, o := range objects[:f.side] {
			o.(*navItem).squeeze(false)
			o.Move(fyne.NewPos(12, navTop+float32(i)*(navHigh+4)))
			o.Resize(fyne.NewSize(navWidth-16, navHigh))
		}
		body.Move(fyne.NewPos(navWidth, 0))
		body.Resize(fyne.NewSize(size.Width-navWidth, size.Height))
		return
	}
	each := (size.Width - 16) / float32(f.side)
	for i, o := range objects[:f.side] {
		o.(*navItem).squeeze(true)
		o.Move(fyne.NewPos(8+float32(i)*each+2, 6))
		o.Resize(fyne.NewSize(each-4, navHigh))
	}
	body.Move(fyne.NewPos(0, navHigh+6))
	body.Resize(fyne.NewSize(size.Width, size.Height-navHigh-6))
}

func (f frame) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(fyne.Max(objects[f.side].MinSize().Width, 320), 320)
}

// navItem is one page in the list.
type navItem struct {
	widget.BaseWidget
	text                               string
	icon                               fyne.Resource
	tapped                             func()
	current, focused, hovered, iconish bool
}

var (
	_ fyne.Focusable    = (*navItem)(nil)
	_ desktop.Hoverable = (*navItem)(nil)
)

func (n *navItem) Tapped(*fyne.PointEvent)        { n.tapped() }
func (n *navItem) FocusGained()                   { n.focused = true; n.Refresh() }
func (n *navItem) FocusLost()                     { n.focused = false; n.Refresh() }
func (n *navItem) MouseIn(*desktop.MouseEvent)    { n.hovered = true; n.Refresh() }
func (n *navItem) MouseMoved(*desktop.MouseEvent) {}
func (n *navItem) MouseOut()                      { n.hovered = false; n.Refresh() }
func (n *navItem) TypedRune(rune)                 {}

func (n *navItem) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		n.tapped()
	}
}

// squeeze leaves the text away.
func (n *navItem) squeeze(on bool) {
	if n.iconish != on {
		n.iconish = on
		n.Refresh()
	}
}

func (n *navItem) CreateRenderer() fyne.WidgetRenderer {
	r := &navRenderer{n: n, box: &canvas.Rectangle{CornerRadius: 10}, icon: canvas.NewImageFromResource(nil), text: canvas.NewText("", nil)}
	r.icon.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

type navRenderer struct {
	n    *navItem
	box  *canvas.Rectangle
	icon *canvas.Image
	text *canvas.Text
}

func (r *navRenderer) Destroy()           {}
func (r *navRenderer) MinSize() fyne.Size { return fyne.NewSize(44, navHigh) }
func (r *navRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.box, r.icon, r.text}
}

func (r *navRenderer) Layout(size fyne.Size) {
	r.box.Resize(size)
	r.icon.Resize(fyne.NewSquareSize(20))
	left := float32(14)
	if r.n.iconish {
		left = (size.Width - 20) / 2
	}
	r.icon.Move(fyne.NewPos(left, (size.Height-20)/2))
	r.text.Move(fyne.NewPos(left+30, (size.Height-r.text.MinSize().Height)/2))
}

func (r *navRenderer) Refresh() {
	th, v := r.n.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	ink, fill := theme.ColorNameDisabled, fyne.ThemeColorName("")
	switch {
	case r.n.current:
		ink, fill = theme.ColorNamePrimary, colorLeafSoft
	case r.n.hovered:
		ink, fill = theme.ColorNameForeground, theme.ColorNameHover
	}
	r.box.FillColor, r.box.StrokeWidth = nil, 0
	if fill != "" {
		r.box.FillColor = th.Color(fill, v)
	}
	if r.n.focused {
		r.box.StrokeColor, r.box.StrokeWidth = th.Color(theme.ColorNamePrimary, v), 2
	}
	r.icon.Resource = theme.NewColoredResource(r.n.icon, ink)
	r.text.Text, r.text.Hidden = r.n.text, r.n.iconish
	r.text.Color, r.text.TextSize = th.Color(ink, v), th.Size(theme.SizeNameText)
	r.text.TextStyle = fyne.TextStyle{Bold: r.n.current}
	r.Layout(r.n.Size())
	r.box.Refresh()
	r.icon.Refresh()
	r.text.Refresh()
}
