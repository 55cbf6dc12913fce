package app

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/tubercdn/tuber"
)

// hostSetup asks what to serve, and starts it.
type hostSetup struct {
	u      *ui
	box    *fyne.Container
	kind   *widget.RadioGroup
	ended  *card
	why    *widget.Label
	start  *widget.Button
	loaded bool
	busy   bool

	upstream, folder, name, public, proxy, uplink typed
	https                                         *widget.Check
	choose                                        *widget.Button
}

// typed is a text field with a place for what is wrong with it.
type typed struct {
	box     *fyne.Container
	entry   *keenEntry
	problem *widget.Label
}

func newTyped(u *ui, name, hint, example string, beside fyne.CanvasObject) typed {
	t := typed{entry: newKeenEntry(u), problem: caution("")}
	t.entry.SetPlaceHolder(example)
	t.box = container.NewVBox(newLines(strong(name), small(hint)), inset(container.NewBorder(nil, nil, nil, beside, t.entry)), t.problem)
	return t
}

func (t *typed) text() string { return strings.TrimSpace(t.entry.Text) }

func newHostSetup(u *ui) *hostSetup {
	h := &hostSetup{u: u, why: words("")}
	h.ended = newNote(h.why)
	h.ended.Hide()
	h.choose = widget.NewButton(tr("Choose …"), func() {
		dialog.NewFolderOpen(func(uri fyne.ListableURI, err error) {
			if err == nil && uri != nil {
				h.folder.entry.SetText(uri.Path())
			}
		}, u.win).Show()
	})
	h.upstream = newTyped(u, tr("Its address"), tr("As you open it on this computer. The site is not changed."), "http://127.0.0.1:8000", nil)
	h.folder = newTyped(u, tr("The folder"), tr("Its files are public for everybody."), "", h.choose)
	h.name = newTyped(u, tr("Name"), tr("What friends see."), "", nil)
	h.public = newTyped(u, tr("Address from outside"), tr("The name or address by which others reach this computer. Empty: found out by itself."), "tv.example", nil)
	h.proxy = newTyped(u, tr("The proxy’s address"), tr("It is believed about who visits. Empty: the proxy or tunnel runs on this computer."), "192.168.1.2", nil)
	h.https = widget.NewCheck(tr("Https by a proxy or tunnel"), func(bool) { h.pick() })
	h.uplink = newTyped(u, tr("What your line can send"), tr("All that is sent together stays below it. Empty: not limited."), "10", plainUnit("Mbit/s"))
	h.kind = widget.NewRadioGroup([]string{tr("A site that runs on this computer"), tr("A folder of files")}, func(string) { h.pick() })
	h.start = widget.NewButtonWithIcon(tr("Start"), iconOf(theme.IconNameMediaPlay), h.begin)
	h.start.Importance = widget.HighImportance
	h.kind.SetSelected(h.kind.Options[0])
	h.box = container.New(&column{most: 720, gap: 12}, h.ended,
		newCard(subheading(tr("What to serve")), h.kind, h.upstream.box, h.folder.box),
		newCard(subheading(tr("How others see it")), h.name.box, h.public.box,
			newLines(h.https, small(tr("Tick this if visitors come through one. Browsers link to peers on https only: without it, visitors from elsewhere see the site as it is, and all of it leaves over your own line."))), h.proxy.box,
			h.uplink.box),
		inset(newWrap(h.start)))
	return h
}

func plainUnit(text string) *widget.Label {
	l := soft(text)
	l.Wrapping = fyne.TextWrapOff
	return l
}

// pick shows the fields that go with the choices.
func (h *hostSetup) pick() {
	folder := h.kind.Selected == h.kind.Options[1]
	showIf(h.upstream.box, !folder)
	showIf(h.folder.box, folder)
	showIf(h.proxy.box, h.https.Checked)
	h.u.relayout()
}

func (h *hostSetup) show(v *view) bool {
	why := ""
	if v.hostErr != nil && !v.hosting {
		why = tr("The host ended: {{.Why}}", "Why", errorText(v.hostErr))
	}
	set(h.why, why)
	moved := showIf(h.ended, why != "")
	enableIf(h.start, v.begun == begun && !h.busy)
	if !h.loaded && v.begun == begun {
		h.loaded = true
		h.load(v.own.Hosting)
		moved = true
	}
	return moved
}

// load puts what was served the last time into the fields.
func (h *hostSetup) load(s tuber.HostSetup) {
	if s.Folder != "" {
		h.kind.SetSelected(h.kind.Options[1])
	}
	h.upstream.entry.SetText(s.Upstream)
	h.folder.entry.SetText(s.Folder)
	h.name.entry.SetText(s.Name)
	h.public.entry.SetText(s.Public)
	h.https.SetChecked(s.OuterHTTPS)
	h.proxy.entry.SetText(s.Proxy)
	if s.Uplink > 0 {
		h.uplink.entry.SetText(mbitText(s.Uplink))
	}
}

// read is what the fields ask for; it says beside each what is wrong, and
// whether nothing is.
func (h *hostSetup) read() (tuber.HostSetup, bool) {
	s := h.u.seen.own.Hosting // keeps what has no field here
	s.Upstream, s.Folder = siteAddress(h.upstream.text()), ""
	source, other := &h.upstream, &h.folder
	if h.kind.Selected == h.kind.Options[1] {
		s.Upstream, s.Folder = "", h.folder.text()
		source, other = other, source
	}
	s.Name, s.Public = h.name.text(), h.public.text()
	s.OuterHTTPS, s.Proxy = h.https.Checked, ""
	if s.OuterHTTPS {
		s.Proxy = h.proxy.text()
	}
	uplink, slow := parseUplink(h.uplink.text())
	s.Uplink = uplink
	setOrHide(other.problem, "")
	ok := true
	for _, field := range []struct {
		t       *typed
		problem string
	}{
		{source, sourceProblem(&s)}, {&h.name, nameProblem(s.Name)}, {&h.public, publicProblem(&s)},
		{&h.proxy, proxyProblem(s.Proxy)}, {&h.uplink, slow},
	} {
		setOrHide(field.t.problem, field.problem)
		ok = ok && field.problem == ""
	}
	h.u.relayout()
	return s, ok
}

// begin starts the host, and remembers what was asked for if it serves.
func (h *hostSetup) begin() {
	s, ok := h.read()
	if !ok {
		return
	}
	h.busy = true
	h.start.Disable()
	h.u.act(func() error { return h.u.cfg.Hosting.Start(s) }, func(err error) {
		h.busy = false
		h.start.Enable()
		if err != nil {
			set(h.why, tr("The host did not start: {{.Why}}", "Why", errorText(err)))
			showIf(h.ended, true)
			h.u.relayout()
			return
		}
		h.u.changeOwn(func(o *tuber.AppSettings) { o.Hosting = s }, nil)
	})
}
