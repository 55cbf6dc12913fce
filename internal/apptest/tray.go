package apptest

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// Tray is a tray host: programs register their icons with it.
type Tray struct {
	conn *dbus.Conn
	host *Service

	mu   sync.Mutex // guards the field below
	last dbus.Sender
}

const (
	trayName = "org.kde.StatusNotifierWatcher"
	itemFace = "org.kde.StatusNotifierItem"
	menuFace = "com.canonical.dbusmenu"
	itemPath = "/StatusNotifierItem"
	menuPath = "/StatusNotifierItem/menu"
)

// StartTray shows tray icons on a bus until the test ends.
func StartTray(t testing.TB, b *Bus) *Tray {
	t.Helper()
	tray := &Tray{conn: b.Connect(t)}
	tray.host = b.Serve(t, trayName, "/StatusNotifierWatcher", trayName, map[string]any{"IsStatusNotifierHostRegistered": true}, watcher{tray})
	return tray
}

// Stop takes the tray away before the test ends.
func (t *Tray) Stop() {
	t.host.Stop()
	_ = t.conn.Close() // nothing more is asked
}

// watcher is what programs see of the tray.
type watcher struct{ t *Tray }

// RegisterStatusNotifierItem takes an icon in.
func (w watcher) RegisterStatusNotifierItem(_ string, sender dbus.Sender) *dbus.Error {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	w.t.last = sender
	return nil
}

// Icon is what a program shows in the tray.
type Icon struct {
	Title   string
	Tooltip string
	Picture string // its digest
	Width   int
}

func (t *Tray) object(path dbus.ObjectPath) (dbus.BusObject, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == "" {
		return nil, fmt.Errorf("no icon was registered")
	}
	return t.conn.Object(string(t.last), path), nil
}

// Icon reads the icon that was registered last.
func (t *Tray) Icon() (icon Icon, err error) {
	o, err := t.object(itemPath)
	if err != nil {
		return icon, err
	}
	if err := o.StoreProperty(itemFace+".Title", &icon.Title); err != nil {
		return icon, err
	}
	tip, err := o.GetProperty(itemFace + ".ToolTip")
	if err != nil {
		return icon, err
	}
	if fields, ok := tip.Value().([]any); ok && len(fields) == 4 {
		icon.Tooltip = fmt.Sprint(fields[2])
	}
	pictures, err := o.GetProperty(itemFace + ".IconPixmap")
	if err != nil {
		return icon, err
	}
	if p, ok := pictures.Value().([][]any); ok && len(p) > 0 && len(p[0]) == 3 {
		icon.Width = int(p[0][0].(int32))
		icon.Picture = fmt.Sprintf("%x", sha256.Sum256(p[0][2].([]byte)))[:12]
	}
	return icon, nil
}

// item is one line of a menu.
type item struct {
	id       int32
	label    string
	disabled bool
	children []item
}

func readItem(layout []any) (it item) {
	it.id = layout[0].(int32)
	for name, v := range layout[1].(map[string]dbus.Variant) {
		switch name {
		case "label":
			it.label = fmt.Sprint(v.Value())
		case "enabled":
			it.disabled = v.Value() == false
		}
	}
	for _, child := range layout[2].([]dbus.Variant) {
		it.children = append(it.children, readItem(child.Value().([]any)))
	}
	return it
}

// menu reads the menu twice, as trays do: the program leaves submenus out of
// what it answers first after a change.
func (t *Tray) menu() (item, dbus.BusObject, error) {
	o, err := t.object(menuPath)
	if err != nil {
		return item{}, nil, err
	}
	var revision uint32
	var layout []any
	for range 2 {
		if err := o.Call(menuFace+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &layout); err != nil {
			return item{}, nil, err
		}
	}
	return readItem(layout), o, nil
}

// Menu is the menu's lines, those of a submenu after a ">".
func (t *Tray) Menu() ([]string, error) {
	root, _, err := t.menu()
	var lines []string
	var walk func(prefix string, list []item)
	walk = func(prefix string, list []item) {
		for _, it := range list {
			if it.label != "" {
				lines = append(lines, prefix+it.label)
			}
			walk(prefix+it.label+" > ", it.children)
		}
	}
	walk("", root.children)
	return lines, err
}

// Click clicks a line of the menu, named as Menu does.
func (t *Tray) Click(line string) error {
	at, o, err := t.menu()
	if err != nil {
		return err
	}
	for _, label := range strings.Split(line, " > ") {
		found := false
		for _, it := range at.children {
			if it.label == label {
				at, found = it, true
				break
			}
		}
		if !found {
			return fmt.Errorf("the menu has no %q", line)
		}
	}
	if at.disabled {
		return fmt.Errorf("%q cannot be clicked now", line)
	}
	return o.Call(menuFace+".Event", 0, at.id, "clicked", dbus.MakeVariant(0), uint32(0)).Err
}
