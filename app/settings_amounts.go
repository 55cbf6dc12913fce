package app

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// allowancePart is how much may be sent in a month.
type allowancePart struct {
	u       *ui
	box     *card
	most    *field
	given   *widget.Label
	bar     *bar
	day     *widget.Select
	setting bool
}

func newAllowancePart(u *ui) *allowancePart {
	p := &allowancePart{u: u, given: soft(""), bar: newBar()}
	p.most = newField(u, tr("GB a month"), func(text string) (func(*tuber.Settings), string) {
		v, problem := parseAllowance(text)
		return func(s *tuber.Settings) { s.Limits.Allowance = v }, problem
	})
	var days []string
	for d := 1; d <= 28; d++ {
		days = append(days, strconv.Itoa(d))
	}
	p.day = widget.NewSelect(days, func(text string) {
		day, err := strconv.Atoi(text)
		if err == nil && !p.setting {
			u.change(func(s *tuber.Settings) { s.ResetDay = day }, nil)
		}
	})
	begins := words(tr("Begins anew on day"))
	begins.Wrapping = fyne.TextWrapOff
	p.box = newCard(subheading(tr("Monthly allowance")),
		small(tr("When it is used up nothing is sent until it begins anew. 0 means no limit.")),
		inset(container.NewHBox(wide(p.most.box, 190))), p.most.problem,
		container.NewHBox(begins, wide(p.day, 84)),
		p.given, inset(p.bar), space(2))
	return p
}

func (p *allowancePart) card() fyne.CanvasObject { return p.box }

func (p *allowancePart) show(v *view) bool {
	most := v.settings.Limits.Allowance
	p.most.show(amountText(float64(most) / 1e9))
	p.setting = true
	p.day.SetSelected(strconv.Itoa(v.settings.ResetDay))
	p.setting = false
	set(p.given, givenText(v))
	part := 0.0
	if most > 0 {
		part = min(float64(v.status.Month)/float64(most), 1)
	}
	p.bar.show(part)
	return showIf(p.bar, most > 0)
}

// givenText is the allowance's counter.
func givenText(v *view) string {
	given := monthText(v.status.Month, v.settings.Limits.Allowance)
	if v.status.Resets.IsZero() {
		return tr("Given: {{.Amount}}.", "Amount", given)
	}
	return tr("Given: {{.Amount}}. It begins anew on {{.Day}}.", "Amount", given, "Day", dayText(v.status.Resets, v.now))
}

// amountText is a number for a field: without needless digits.
func amountText(v float64) string { return local(strconv.FormatFloat(v, 'f', -1, 64)) }

// diskPart is how much may rest on disk, and where.
type diskPart struct {
	u      *ui
	box    *card
	quota  *field
	folder *field
	stored *widget.Label
	free   *widget.Label
	asked  string // the folder whose free space is shown
}

func newDiskPart(u *ui) *diskPart {
	p := &diskPart{u: u, stored: soft(""), free: soft("")}
	p.quota = newField(u, "GiB", func(text string) (func(*tuber.Settings), string) {
		v, problem := parseDisk(text)
		return func(s *tuber.Settings) { s.Limits.Disk = v }, problem
	})
	p.folder = newField(u, "", func(text string) (func(*tuber.Settings), string) {
		return func(s *tuber.Settings) { s.Folder = text }, badFolder(text)
	})
	p.folder.entry.SetPlaceHolder(tr("beside Tuber’s own files"))
	choose := widget.NewButton(tr("Choose …"), p.choose)
	p.box = newCard(subheading(tr("Disk")),
		newLines(strong(tr("Keep at most")), p.stored),
		inset(container.NewHBox(wide(p.quota.box, 190))), p.quota.problem,
		newLines(strong(tr("In the folder")), p.free),
		inset(container.NewBorder(nil, nil, nil, choose, p.folder.entry)), p.folder.problem, space(2))
	return p
}

// badFolder is what is wrong with a folder's name itself. Whether it can be
// written to, the engine says.
func badFolder(text string) string {
	if text != plainUpTo(text, 4096) {
		return tr("That is no name of a folder.")
	}
	return ""
}

func (p *diskPart) card() fyne.CanvasObject { return p.box }

func (p *diskPart) show(v *view) bool {
	p.quota.show(amountText(float64(v.settings.Limits.Disk) / (1 << 30)))
	p.folder.show(v.settings.Folder)
	set(p.stored, tr("{{.Amount}} of public video are kept now.", "Amount", bytesText(v.status.Stored)))
	if v.settings.Folder != p.asked {
		p.opened()
	}
	return false
}

// opened asks how much room the folder has.
func (p *diskPart) opened() {
	folder := p.u.seen.settings.Folder
	p.asked = folder
	p.u.off(func() {
		free, err := p.u.cfg.Desk.FreeDisk(folder)
		p.u.on(func() {
			if err != nil {
				set(p.free, tr("How much room is free there is not known."))
				return
			}
			set(p.free, tr("{{.Amount}} are free there.", "Amount", bytesText(free)))
		})
	})
}

func (p *diskPart) choose() {
	d := dialog.NewFolderOpen(func(uri fyne.ListableURI, err error) {
		if err == nil && uri != nil {
			p.folder.entry.SetText(uri.Path())
			p.folder.commit()
		}
	}, p.u.win)
	d.Show()
}
