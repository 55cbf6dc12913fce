package planner

import (
	"slices"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// across finds somebody of another cell than the first and who feeds it from
// there; both are as they must be, or the test is void.
func (w *town) across(role tuber.Role) (child, parent *resident) {
	for _, id := range w.ids() {
		p := w.people[id]
		if p.cell.number == firstCell || p.plan == nil {
			continue
		}
		for _, s := range p.plan.Sources {
			if q := w.people[s.From]; !s.Standby && q.cell != p.cell && q.join.Role == role {
				return p, q
			}
		}
	}
	w.t.Fatalf("void: no %s feeds another cell", role)
	return nil, nil
}

func (w *town) ids() []tuber.PeerID {
	var out []tuber.PeerID
	for id := range w.people {
		out = append(out, id)
	}
	slices.SortFunc(out, comparePeers)
	return out
}

func (p *resident) signals() []wire.Signal {
	var out []wire.Signal
	for _, m := range p.heard {
		if s, ok := m.(wire.Signal); ok {
			out = append(out, s)
		}
	}
	return out
}

func (p *resident) reports(l tuber.LinkReport) {
	p.says(wire.Report{Report: tuber.Report{Interval: tuber.ReportEvery, Links: []tuber.LinkReport{l}}})
}

func TestSignalsPassBetweenCellsInOrder(t *testing.T) {
	w := newTown(t, 8, 20e6, testContent("/live.m3u8", 4, 800e3))
	w.fills(20, 0)
	child, parent := w.across(tuber.RoleViewer)
	say := func(from, to *resident, kind wire.SignalKind, data string) {
		from.says(wire.Signal{Peer: to.id, Kind: kind, Attempt: 1, Data: data})
	}
	say(child, parent, wire.SignalCandidate, "early")
	say(parent, child, wire.SignalAnswer, "to nothing")
	if n := len(parent.signals()) + len(child.signals()); n != 0 {
		t.Errorf("%d signals came through before an offer", n)
	}
	say(child, parent, wire.SignalOffer, "offer")
	say(parent, child, wire.SignalAnswer, "answer")
	say(parent, child, wire.SignalCandidate, "late")
	want := []wire.Signal{{Peer: child.id, Kind: wire.SignalOffer, Attempt: 1, Data: "offer"}, {Peer: child.id, Kind: wire.SignalCandidate, Attempt: 1, Data: "early"}}
	if got := parent.signals(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	want = []wire.Signal{{Peer: parent.id, Kind: wire.SignalAnswer, Attempt: 1, Data: "answer"}, {Peer: parent.id, Kind: wire.SignalCandidate, Attempt: 1, Data: "late"}}
	if got := child.signals(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var stranger *resident
	for _, id := range w.ids() {
		if q := w.people[id]; q.cell != child.cell && !child.member.knows(id) {
			stranger = q
		}
	}
	say(child, stranger, wire.SignalOffer, "who are you")
	if got := stranger.signals(); len(got) != 0 {
		t.Errorf("somebody to whom no plan introduced it got %v", got)
	}
}

func TestASenderIsCreditedByReceiversOfOtherCells(t *testing.T) {
	w := newTown(t, 8, 20e6, testContent("/live.m3u8", 4, 800e3))
	w.fills(20, 8)
	child, parent := w.across(tuber.RoleBooster)
	child.reports(tuber.LinkReport{Peer: parent.id, Received: 1 << 20})
	if got := parent.member.ledger.sent; got != 1<<20 {
		t.Errorf("the sender has %d bytes to its credit", got)
	}
	parent.reports(tuber.LinkReport{Peer: child.id, Received: 1 << 20, Sent: 1 << 20})
	if got := child.member.ledger.sent; got != 0 {
		t.Errorf("a visitor has %d bytes to its credit, and gives nothing", got)
	}
	if s := w.r.share(); s.Peers != 1<<20 && child.join.Role == tuber.RoleViewer {
		t.Errorf("viewers had %d bytes from peers", s.Peers)
	}
}

// A booster of another cell has a bad chunk of its parent: the parent is barred in
// all cells, those opened later too, and the booster is fed by somebody else.
func TestAProofOfAnotherCellQuarantinesEverywhere(t *testing.T) {
	c := testContent("/live.m3u8", 4, 800e3)
	w := newTown(t, 8, 20e6, c)
	bad := w.boosts(20e6)
	w.fills(7, 0)
	w.fills(5, 5)
	w.passes(5e9)
	child, parent := w.across(tuber.RoleBooster)
	if parent != bad || child.join.Role != tuber.RoleBooster {
		t.Fatalf("void: a %s is fed by another", child.join.Role)
	}
	child.reports(tuber.LinkReport{Peer: parent.id, Bad: true, Blame: &tuber.Blame{Content: c.ID, Number: 7}})
	if !parent.gone {
		t.Fatal("the liar is here still")
	}
	delete(w.people, parent.id)
	for _, cell := range append(w.r.all(), func() *cell { w.r.mu.Lock(); defer w.r.mu.Unlock(); return w.r.openLocked() }()) {
		if cell.bar(parent.id) == nil {
			t.Errorf("cell %d would have it", cell.number)
		}
	}
	for _, id := range w.ids() {
		if !slices.ContainsFunc(w.people[id].heard, func(m wire.Message) bool {
			q, ok := m.(wire.Quarantine)
			return ok && slices.Contains(q.Peers, parent.id)
		}) {
			t.Errorf("%s was not told", id)
		}
	}
	w.plans()
	w.check()
}

// Viewers of one cell that accuse a peer of another without proof count there as
// viewers do; one that accuses too many has no links for a while.
func TestViewersOfAnotherCellAreNoProof(t *testing.T) {
	c := testContent("/live.m3u8", 4, 800e3)
	w := newTown(t, 8, 20e6, c)
	w.fills(20, 0)
	child, parent := w.across(tuber.RoleViewer)
	child.reports(tuber.LinkReport{Peer: parent.id, Bad: true, Blame: &tuber.Blame{Content: c.ID, Number: 7}})
	if parent.gone {
		t.Fatal("one viewer's word had another sent away")
	}
	if n := len(parent.cell.accusers[parent.id]); n != 1 {
		t.Errorf("%d accusers are known", n)
	}
	w.plans()
	for _, s := range child.plan.Sources {
		if s.From == parent.id {
			t.Error("they are linked still")
		}
	}
	w.check()
}
