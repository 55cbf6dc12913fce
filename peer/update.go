package peer

import (
	"fmt"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// wholeEvery is how often one link is asked for a whole playlist at most.
const wholeEvery = time.Second

// onUpdate checks each statement by itself, keeps what is new and passes it on.
func (l *link) onUpdate(f wire.Update) error {
	var content tuber.ContentID
	var update *tuber.SignedUpdate
	var playlist []byte
	if len(f.Update) > 0 {
		u, err := tuber.OpenUpdate(l.s.site, f.Update)
		if err != nil {
			return &liarError{fmt.Sprintf("an update that the site did not sign: %v", err), nil}
		}
		content = u.Update().Content
		if l.s.shares(content) && u.Update().Expires >= l.s.now() {
			if playlist, err = l.follow(u, f.Edit); err != nil {
				return err
			}
			if playlist != nil && l.s.m.Chunks.AddUpdate(u, playlist) {
				update = u
			}
		}
	}
	fresh, err := l.onManifests(&content, f.Manifests)
	if err != nil {
		return err
	}
	if update == nil && len(fresh) == 0 {
		l.s.askPast(l, content)
		return nil
	}
	l.s.expect(content, fresh)
	l.s.pushUpdate(l, content, update, playlist, fresh)
	l.s.askPast(l, content)
	return l.s.retryParked(content, l)
}

// onManifests returns those that were not known; all are of one content.
func (l *link) onManifests(content *tuber.ContentID, raws [][]byte) ([]*tuber.SignedManifest, error) {
	var fresh []*tuber.SignedManifest
	for _, raw := range raws {
		m, err := tuber.OpenManifest(l.s.site, raw)
		if err != nil {
			return nil, &liarError{fmt.Sprintf("a manifest that the site did not sign: %v", err), nil}
		}
		c := m.Manifest().Content
		if *content == (tuber.ContentID{}) {
			*content = c
		}
		if c != *content {
			return nil, fmt.Errorf("%w: an update of two contents", wire.ErrFrame)
		}
		if !l.s.shares(c) || m.Manifest().Expires < l.s.now() {
			continue
		}
		l.mu.Lock()
		if flow := l.flowLocked(c); flow != nil {
			flow.known.add(m.Manifest().First)
		}
		l.mu.Unlock()
		if l.s.m.Chunks.AddManifest(m) {
			fresh = append(fresh, m)
		}
	}
	return fresh, nil
}

// follow finds the playlist that an update states: the edit's result on what
// came over this link before, or on what is held. A gap asks for the whole and
// returns nil; a whole playlist that does not match is a lie.
func (l *link) follow(u *tuber.SignedUpdate, e *tuber.Edit) ([]byte, error) {
	c := u.Update().Content
	held, heldPlaylist := l.s.m.Chunks.Update(c)
	l.s.setK(c, int(u.Update().K))
	p, gap := l.rebuild(u, e, heldPlaylist)
	switch {
	case p != nil || !gap:
		return p, nil
	case e != nil && e.From == e.To:
		return nil, &liarError{"a playlist that is not the one the update states", nil}
	case held == nil || newer(u, held):
		l.askWhole(c)
	}
	return nil, nil
}

// rebuild applies an edit; gap says that it fits nothing that is here.
func (l *link) rebuild(u *tuber.SignedUpdate, e *tuber.Edit, held []byte) (playlist []byte, gap bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	flow := l.flowLocked(u.Update().Content)
	if flow == nil {
		return nil, false
	}
	for _, base := range [][]byte{flow.inPlaylist, held} {
		p := base
		if e != nil {
			var err error
			if p, err = e.Apply(base); err != nil {
				continue
			}
		}
		if u.Update().Matches(p) {
			if newer(u, flow.in) {
				flow.in, flow.inPlaylist = u, p
			}
			return p, false
		}
	}
	return nil, true
}

// askWhole asks for the newest playlist and the manifests that are missing, but
// no chunks: those come by assignment and repair.
func (l *link) askWhole(c tuber.ContentID) {
	from, now := l.s.nextNumber(c), time.Now()
	l.mu.Lock()
	flow := l.flowLocked(c)
	due := flow != nil && now.Sub(flow.wholeAsked) >= wholeEvery
	if due {
		flow.wholeAsked = now
	}
	l.mu.Unlock()
	if due {
		l.send(wire.Past{Content: c, From: from})
	}
}
