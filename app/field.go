package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// field is one value to type. It is taken over on Enter or when the field is
// left; a bad one gets a sentence beside it and changes nothing.
type field struct {
	u       *ui
	box     *fyne.Container
	entry   *keenEntry
	problem *widget.Label
	shown   string // what is in force
	// read turns the text into a change, or says what is wrong with it.
	read func(text string) (func(*tuber.Settings), string)
}

func newField(u *ui, unit string, read func(string) (func(*tuber.Settings), string)) *field {
	f := &field{u: u, entry: newKeenEntry(u), problem: caution(""), read: read}
	f.entry.OnSubmitted = func(string) { f.commit() }
	f.entry.left = f.commit
	name := soft(unit)
	name.Wrapping = fyne.TextWrapOff
	f.box = container.NewBorder(nil, nil, nil, name, f.entry)
	return f
}

// commit takes the text over, if it is another one.
func (f *field) commit() {
	if f.entry.Text == f.shown {
		f.complain("")
		return
	}
	edit, problem := f.read(f.entry.Text)
	f.complain(problem)
	if problem != "" {
		return
	}
	f.shown = f.entry.Text
	f.u.change(edit, func(err error) {
		if err != nil {
			f.shown = "" // nothing is in force that was seen
			f.complain(errorText(err))
		}
	})
}

func (f *field) complain(problem string) {
	if f.problem.Text != problem {
		setOrHide(f.problem, problem)
		f.u.relayout()
	}
}

// show brings the field up to date, unless it is being edited or is wrong.
func (f *field) show(text string) {
	if f.entry.focused || f.problem.Text != "" || f.shown == text && f.entry.Text == text {
		return
	}
	f.shown = text
	f.entry.SetText(text)
}

// rateField is a cap: a slider for the hand, a field for the exact figure.
type rateField struct {
	*field
	box     *fyne.Container
	slider  *widget.Slider
	setting bool
	of      func(*tuber.Settings) *tuber.BitsPerSecond
}

func newRateField(u *ui, of func(*tuber.Settings) *tuber.BitsPerSecond) *rateField {
	r := &rateField{of: of}
	r.field = newField(u, "Mbit/s", func(text string) (func(*tuber.Settings), string) {
		v, problem := parseRate(text)
		return func(s *tuber.Settings) { *of(s) = v }, problem
	})
	r.slider = widget.NewSlider(0, float64(len(stops)-1))
	r.slider.OnChanged = func(at float64) {
		if !r.setting {
			r.complain("")
			r.entry.SetText(mbitText(stops[int(at)]))
		}
	}
	r.slider.OnChangeEnded = func(float64) {
		if !r.setting {
			r.commit()
		}
	}
	r.box = container.NewBorder(nil, nil, nil, container.New(layout.NewGridWrapLayout(fyne.NewSize(164, 37)), r.field.box), r.slider)
	return r
}

func (r *rateField) show(s *tuber.Settings) {
	r.field.show(mbitText(*r.of(s)))
	if r.entry.focused || r.problem.Text != "" {
		return
	}
	r.setting = true
	r.slider.SetValue(float64(stopOf(*r.of(s))))
	r.setting = false
}

// put gives the cap a value by a button.
func (r *rateField) put(v tuber.BitsPerSecond) {
	r.complain("")
	r.entry.SetText(mbitText(v))
	r.commit()
}

// relayout has the open page measure itself anew.
func (u *ui) relayout() {
	if u.open < len(u.pages) {
		if s, ok := u.pages[u.open].content().(*container.Scroll); ok {
			s.Content.Refresh()
		}
	}
}
