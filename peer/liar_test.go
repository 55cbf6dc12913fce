package peer

import (
	"bytes"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

func withdrawOf(st *stream) wire.Withdraw {
	return wire.Withdraw{Contents: []tuber.ContentID{st.content.ID}}
}

// A liar stands between the origin and the rest: it knows the manifests, and
// what it sends is false. Nothing of it may be stored or forwarded.
func TestLiars(t *testing.T) {
	tests := []struct {
		name  string
		frame func(st *stream, old, now []tuber.VerifiedChunk) wire.Chunk
	}{
		{"altered", func(_ *stream, _, now []tuber.VerifiedChunk) wire.Chunk {
			b := bytes.Clone(now[1].Data())
			b[100] ^= 1
			return wire.Chunk{Content: now[1].Content(), Number: now[1].Number(), Payload: b}
		}},
		{"truncated", func(_ *stream, _, now []tuber.VerifiedChunk) wire.Chunk {
			return wire.Chunk{Content: now[1].Content(), Number: now[1].Number(), Payload: now[1].Data()[:500]}
		}},
		{"swapped", func(_ *stream, _, now []tuber.VerifiedChunk) wire.Chunk {
			return wire.Chunk{Content: now[1].Content(), Number: now[1].Number(), Payload: now[2].Data()}
		}},
		{"old", func(_ *stream, old, now []tuber.VerifiedChunk) wire.Chunk {
			return wire.Chunk{Content: now[1].Content(), Number: now[1].Number(), Payload: old[1].Data()}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns := newNodes(t)
			o, liar := ns.add("origin", tuber.RoleOrigin), ns.add("liar", tuber.RoleBooster)
			ann, vic := ns.add("ann", tuber.RoleBooster), ns.add("vic", tuber.RoleViewer)
			st := newStream(t, ns.site, 1)
			// ann is fed by the liar and may ask the origin; vic is fed by ann.
			ns.plan(o, tuber.PeerPlan{Introductions: []tuber.Introduction{liar.intro(false), ann.intro(false)},
				Assignments: []tuber.Assignment{assign(st, liar)}})
			ns.plan(liar, tuber.PeerPlan{Introductions: []tuber.Introduction{o.intro(true), ann.intro(false)},
				Sources: []tuber.Source{source(st, o, false)}})
			ns.plan(ann, tuber.PeerPlan{
				Introductions: []tuber.Introduction{liar.intro(true), o.intro(true), vic.intro(false)},
				Sources:       []tuber.Source{source(st, liar, false), source(st, o, true)},
				Assignments:   []tuber.Assignment{assign(st, vic)},
			})
			ns.plan(vic, tuber.PeerPlan{Introductions: []tuber.Introduction{ann.intro(true)},
				Sources: []tuber.Source{source(st, ann, false)}})
			linked(t, ns, o, liar)
			linked(t, ns, o, ann)
			linked(t, ns, ann, vic)
			l := linked(t, ns, liar, ann)
			old, now := st.segment(4), st.segment(4)
			for _, p := range []Publication{old, now} {
				publish(t, o, ns.Site(), p)
				l.sendUpdate(p.Content.ID, p.Update, p.Playlist, p.Manifests)
			}
			eventually(t, "ann knows the manifests", func() bool {
				return ann.chunks.Manifest(st.content.ID, now.Chunks[0].Number()) != nil
			})
			l.put(true, tt.frame(st, old.Chunks, now.Chunks).Append(nil))

			blamed := tuber.Blame{Content: st.content.ID, Number: now.Chunks[1].Number()}
			ns.until("ann reports the liar", func() bool {
				for _, r := range ns.reports[ann.ID()] {
					for _, x := range r.Links {
						if x.Peer == liar.ID() && x.Bad && x.Blame != nil && *x.Blame == blamed {
							return true
						}
					}
				}
				return false
			})
			ann.has(t, st.content.ID, 8) // from the origin instead
			vic.has(t, st.content.ID, 8)
			st.same(ann)
			st.same(vic)
			s, err := ann.swarm(ns.Site())
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the liar's link is closed", func() bool { return s.link(liar.ID()) == nil })
			s.mu.Lock()
			_, quarantined := s.quarantined[liar.ID()]
			s.mu.Unlock()
			if !quarantined {
				t.Error("the liar is not quarantined")
			}
		})
	}
}

func TestForgedStatements(t *testing.T) {
	tests := []struct {
		name  string
		frame func(st, forged *stream) wire.Update
	}{
		{"update", func(_, forged *stream) wire.Update {
			return wire.Update{Update: forged.update().Raw(), Edit: &tuber.Edit{Head: forged.playlist}}
		}},
		{"manifest", func(_, forged *stream) wire.Update {
			m, _ := forged.run(2)
			return wire.Update{Manifests: [][]byte{m.Raw()}}
		}},
		{"altered update", func(st, _ *stream) wire.Update {
			raw := bytes.Clone(st.update().Raw())
			raw[len(raw)-1] ^= 1
			return wire.Update{Update: raw, Edit: &tuber.Edit{Head: st.playlist}}
		}},
		{"altered playlist", func(st, _ *stream) wire.Update {
			return wire.Update{Update: st.update().Raw(), Edit: &tuber.Edit{Head: []byte("#EXTM3U\n/evil.ts\n")}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ns := newNodes(t)
			liar, ann := ns.add("liar", tuber.RoleBooster), ns.add("ann", tuber.RoleBooster)
			st := newStream(t, ns.site, 1)
			forged := newStream(t, newKey(t), 1)
			forged.content = st.content
			ns.plan(liar, tuber.PeerPlan{Introductions: []tuber.Introduction{ann.intro(false)}})
			ns.plan(ann, tuber.PeerPlan{Introductions: []tuber.Introduction{liar.intro(true)},
				Sources: []tuber.Source{source(st, liar, false)}})
			l := linked(t, ns, liar, ann)
			l.send(tt.frame(st, forged))
			ns.until("ann reports the liar", func() bool {
				for _, r := range ns.reports[ann.ID()] {
					for _, x := range r.Links {
						if x.Peer == liar.ID() && x.Bad {
							return true
						}
					}
				}
				return false
			})
			if u, _ := ann.chunks.Update(st.content.ID); u != nil {
				t.Error("a false playlist was kept")
			}
			if ms := ann.chunks.Manifests(st.content.ID, 0); len(ms) > 0 {
				t.Error("a false manifest was kept")
			}
		})
	}
}

// An old update is no lie, two parents may overlap; but it changes nothing.
func TestReplayedUpdateChangesNothing(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, ann := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(t, ns.site, 1)
	ns.chain(st, o, ann)
	l := linked(t, ns, o, ann)
	old := st.segment(2)
	publish(t, o, ns.Site(), old)
	publish(t, o, ns.Site(), st.segment(2))
	ann.has(t, st.content.ID, 4)
	l.send(wire.Update{Update: old.Update.Raw(), Edit: &tuber.Edit{Head: old.Playlist}})
	publish(t, o, ns.Site(), st.segment(2)) // crosses after it
	ann.has(t, st.content.ID, 6)
	u, playlist := ann.chunks.Update(st.content.ID)
	if u.Update().Sequence != 3 || !bytes.Equal(playlist, st.playlist) {
		t.Errorf("got update %d, want 3", u.Update().Sequence)
	}
	if linked(t, ns, o, ann) != l {
		t.Error("the link was closed")
	}
}

// A chunk before its manifest waits, and is neither stored nor forwarded.
func TestParkedChunks(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	o, ann := ns.add("origin", tuber.RoleOrigin), ns.bare("ann", tuber.RoleBooster)
	ann.parkFor = time.Minute // on a busy machine a second is over before the last has come
	ns.join(ann)
	st := newStream(t, ns.site, 1)
	ns.chain(st, o, ann)
	l := linked(t, ns, o, ann)
	back := linked(t, ns, ann, o)
	p := st.segment(maxParked + 10)
	for _, c := range p.Chunks {
		l.put(true, wire.Chunk{Content: c.Content(), Number: c.Number(), Payload: c.Data()}.Append(nil))
	}
	eventually(t, "chunks are parked", func() bool {
		back.mu.Lock()
		defer back.mu.Unlock()
		return len(back.parked) == maxParked
	})
	if n, _ := ann.chunks.count(st.content.ID); n != 0 {
		t.Errorf("%d chunks without a manifest were stored", n)
	}
	l.sendUpdate(p.Content.ID, p.Update, p.Playlist, p.Manifests)
	ann.has(t, st.content.ID, maxParked)
	st.same(ann)
	ghost := chunksOf(t, 3)
	for _, c := range ghost { // of a content that nobody shares
		l.put(true, wire.Chunk{Content: tuber.ContentID{7}, Number: c.Number(), Payload: c.Data()}.Append(nil))
	}
	eventually(t, "nothing is parked any more", func() bool {
		back.mu.Lock()
		defer back.mu.Unlock()
		return len(back.parked) == 0
	})
	if n, _ := ann.chunks.count(tuber.ContentID{7}); n != 0 {
		t.Error("a chunk of a content that nobody shares was stored")
	}
}

func TestMalformedFrameEndsTheLink(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	liar, ann := ns.add("liar", tuber.RoleBooster), ns.add("ann", tuber.RoleBooster)
	ns.plan(liar, tuber.PeerPlan{Introductions: []tuber.Introduction{ann.intro(false)}})
	ns.plan(ann, tuber.PeerPlan{Introductions: []tuber.Introduction{liar.intro(true)}})
	l := linked(t, ns, liar, ann)
	back := linked(t, ns, ann, liar)
	l.put(false, []byte{0xee, 1, 2, 3}) // an unknown type is ignored
	l.put(false, []byte{byte(wire.TypeAsk), 1})
	<-back.ctx.Done()
	<-l.ctx.Done()
}
