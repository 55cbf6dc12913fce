package planner

import (
	"bytes"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// A viewer is shown at most this many addresses of viewers it had not seen in
// the hour before. One plan introduces it to tuber.MaxLinks at most, so it meets
// no more once fewer than those are left.
const (
	metAnHour = 120
	metFor    = time.Hour
)

// meet notes an introduction of a viewer to a viewer.
func (m *member) meet(in tuber.Introduction, now time.Time) {
	if m.role != tuber.RoleViewer || in.Role != tuber.RoleViewer {
		return
	}
	if _, ok := m.met[in.Peer]; !ok && len(m.met) < metAnHour {
		m.met[in.Peer] = now
	}
}

// acquainted tells whether a viewer has met so many that it may meet nobody new.
func (m *member) acquainted() bool { return len(m.met) > metAnHour-tuber.MaxLinks }

// acquaintances are those whom a viewer may be linked to if it may meet nobody
// new, else nil.
func (m *member) acquaintances() []tuber.PeerID {
	if !m.acquainted() {
		return nil
	}
	out := make([]tuber.PeerID, 0, len(m.met))
	for id := range m.met {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b tuber.PeerID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// forgetMet drops whom a viewer met over an hour ago and is not linked to. It
// tells whether it may meet others again.
func (m *member) forgetMet(now time.Time) bool {
	before := m.acquainted()
	for id, t := range m.met {
		k, ok := m.known[id]
		if now.Sub(t) > metFor && (!ok || !k.ended.IsZero()) {
			delete(m.met, id)
		}
	}
	return before && !m.acquainted()
}
