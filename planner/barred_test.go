package planner

import (
	"encoding/binary"
	"testing"

	"github.com/tubercdn/tuber"
)

// The newest stay barred, however many come; the memory does not grow.
func TestBarredAreBounded(t *testing.T) {
	var b barred
	id := func(n int) (p tuber.PeerID) {
		binary.BigEndian.PutUint64(p[:], uint64(n))
		return p
	}
	for n := range 3 * maxBarred {
		if !b.add(id(n)) || b.add(id(n)) {
			t.Fatalf("peer %d is news once", n)
		}
	}
	if len(b.ids) != maxBarred || len(b.order) != maxBarred {
		t.Fatalf("%d and %d remembered, want %d", len(b.ids), len(b.order), maxBarred)
	}
	if !b.has(id(3*maxBarred-1)) || !b.has(id(2*maxBarred)) || b.has(id(2*maxBarred-1)) {
		t.Error("not the newest are remembered")
	}
}
