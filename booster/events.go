package booster

import (
	"slices"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
)

// events is the activity log: the last tuber.MaxEvents, in memory only.
type events struct {
	mu   sync.Mutex // guards the field below
	list []tuber.Event
}

func (l *events) add(kind tuber.EventKind, host, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := tuber.Event{At: time.Now().Round(0), Kind: kind, Host: host, Text: text}
	for _, last := range slices.Backward(l.list) {
		if last.Host != e.Host {
			continue
		}
		if last.Kind == e.Kind && last.Text == e.Text && kind != tuber.EventSettings {
			return // what is tried again and again is said once
		}
		break
	}
	if len(l.list) >= tuber.MaxEvents {
		l.list = slices.Delete(l.list, 0, len(l.list)-tuber.MaxEvents+1)
	}
	l.list = append(l.list, e)
}

func (l *events) all() []tuber.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// Events are the last that happened, oldest first, without addresses.
func (b *Booster) Events() []tuber.Event { return b.events.all() }
