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

// acquaintances are those whom a viewer may be linked to if it may meet nobody
// new, else nil.
func (m *member) acquaintances() []tuber.PeerID {
	if len(m.met) <= metAnHour-tuber.MaxLinks {
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
	before := len(m.met)
	for id, t := range m.met {
		k, ok := m.known[id]
		if now.Sub(t) > metFor && (!ok || !k.ended.IsZero()) {
			delete(m.met, id)
		}
	}
	const most = metAnHour - tuber.MaxLinks
	return before > most && len(m.met) <= most
}

// readMet prepares linkable.
func (g *grove) readMet() {
	g.met = map[int32]map[int32]bool{}
	for i := range g.peers {
		if g.peers[i].Met == nil || g.peers[i].Role != tuber.RoleViewer {
			continue
		}
		met := map[int32]bool{}
		for _, id := range g.peers[i].Met {
			if j, ok := g.index[id]; ok {
				met[j] = true
			}
		}
		g.met[int32(i)] = met
	}
}

// linkable tells whether a link between a and b may and can be opened, and
// shows neither a viewer's address that it may not see.
func (g *grove) linkable(a, b int32) bool {
	return canLink(&g.peers[a], &g.peers[b]) && g.maySee(a, b) && g.maySee(b, a)
}

func (g *grove) maySee(a, b int32) bool {
	met, full := g.met[a]
	return !full || met[b] || g.peers[b].Role != tuber.RoleViewer
}
