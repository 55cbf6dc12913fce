package planner

import "github.com/tubercdn/tuber"

// maxBarred is how many quarantined peers are remembered. A viewer's key is
// made anew with each profile, so an older one says little; boosters that were
// quarantined stand in the book.
const maxBarred = 1 << 14

// barred are the peers that were quarantined last.
type barred struct {
	ids   map[tuber.PeerID]bool
	order []tuber.PeerID // a ring once it is full
	next  int
}

// add tells whether the peer was not barred before.
func (b *barred) add(id tuber.PeerID) bool {
	if b.ids[id] {
		return false
	}
	if b.ids == nil {
		b.ids = map[tuber.PeerID]bool{}
	}
	b.ids[id] = true
	if len(b.order) < maxBarred {
		b.order = append(b.order, id)
		return true
	}
	delete(b.ids, b.order[b.next])
	b.order[b.next] = id
	b.next = (b.next + 1) % maxBarred
	return true
}

func (b *barred) has(id tuber.PeerID) bool { return b.ids[id] }
