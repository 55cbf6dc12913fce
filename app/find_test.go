package app

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// walk visits every object that is shown, those of overlays last.
func (s *stand) walk(visit func(fyne.CanvasObject)) {
	walk(s.u.win.Canvas().Content(), visit)
	for _, o := range s.u.win.Canvas().Overlays().List() {
		walk(o, visit)
	}
}

// walk visits every object that is shown in one.
func walk(from fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	var down func(o fyne.CanvasObject)
	down = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		visit(o)
		switch o := o.(type) {
		case *widget.Label, *widget.Button, *widget.Check, *widget.Select, *keenEntry: // whole in themselves
		case *fyne.Container:
			for _, c := range o.Objects {
				down(c)
			}
		case *container.Scroll:
			down(o.Content)
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				down(c)
			}
		}
	}
	down(from)
}

// texts are all texts that are shown, one a line.
func (s *stand) texts() string {
	var b strings.Builder
	s.walk(func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Label:
			b.WriteString(o.Text + "\n")
		case *widget.Button:
			b.WriteString("[" + o.Text + "]\n")
		case *widget.Check:
			b.WriteString("[ ] " + o.Text + "\n")
		case *widget.Select:
			b.WriteString("<" + o.Selected + ">\n")
		case *keenEntry:
			b.WriteString("_" + o.Text + "_\n")
		case *canvas.Text:
			b.WriteString(o.Text + "\n")
		}
	})
	return b.String()
}

// sees says that each text is shown.
func (s *stand) sees(want ...string) {
	s.Helper()
	all := s.texts()
	for _, w := range want {
		if !strings.Contains(all, w) {
			s.Errorf("%q is not shown; shown is:\n%s", w, all)
		}
	}
}

// misses says that none of the texts is shown.
func (s *stand) misses(none ...string) {
	s.Helper()
	all := s.texts()
	for _, n := range none {
		if strings.Contains(all, n) {
			s.Errorf("%q is shown; shown is:\n%s", n, all)
		}
	}
}

// tap presses the last shown button, menu entry or check of that name.
func (s *stand) tap(name string) {
	s.Helper()
	var found fyne.Tappable
	s.walk(func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Button:
			if o.Text == name {
				found = o
			}
		case *widget.Check:
			if o.Text == name {
				found = o
			}
		case *navItem:
			if o.text == name {
				found = o
			}
		case *canvas.Text:
			if found == nil && o.Text == name {
				found = tapAt{s, o}
			}
		}
	})
	if found == nil {
		s.Fatalf("no %q to tap; shown is:\n%s", name, s.texts())
	}
	if d, ok := found.(fyne.Disableable); ok && d.Disabled() {
		s.Fatalf("%q is disabled", name)
	}
	if c, ok := found.(*widget.Check); ok {
		c.SetChecked(!c.Checked)
		return
	}
	if at, ok := found.(tapAt); ok {
		at.Tapped(nil)
		return
	}
	test.Tap(found)
}

// tapAt taps the canvas where a text stands, as for an entry of a menu.
type tapAt struct {
	s *stand
	o fyne.CanvasObject
}

func (t tapAt) Tapped(*fyne.PointEvent) {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(t.o)
	test.TapCanvas(t.s.u.win.Canvas(), at.AddXY(2, 2))
}

// entry is the shown field with that placeholder or, if there is none, text.
func (s *stand) entry(match string) *keenEntry {
	s.Helper()
	var found *keenEntry
	s.walk(func(o fyne.CanvasObject) {
		if e, ok := o.(*keenEntry); ok && (e.PlaceHolder == match || e.Text == match) {
			found = e
		}
	})
	if found == nil {
		s.Fatalf("no field %q", match)
	}
	return found
}
