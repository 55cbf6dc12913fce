package planner

import "slices"

// rest puts everything that was listed as it came into the order of the peers'
// indices, and begins all turns anew. What is looked for next is then looked for
// as in a plan that was read back: where nothing is found now, nothing will be.
func (g *grove) rest() {
	g.turn = 0
	for _, f := range g.forests {
		for p := range f.trees {
			f.trees[p].rest(int32(len(g.peers)))
		}
	}
	for i := range int32(len(g.peers)) {
		g.reopen(i)
	}
}

func (t *tree) rest(peers int32) {
	for i := range peers {
		t.at(i).first = none
	}
	for i := peers - 1; i >= 0; i-- {
		n := t.at(i)
		if n.open = 0; n.parent == none {
			continue
		}
		up := t.at(n.parent)
		if n.prev, n.next = none, up.first; up.first != none {
			t.at(up.first).prev = i
		}
		up.first = i
	}
	for d := range t.levels {
		l := &t.levels[d]
		l.turn = [2]uint32{}
		for class := range l.free {
			l.free[class] = l.free[class][:0]
		}
		for _, list := range [][]int32{l.leaves, l.inner} {
			slices.Sort(list)
			for n, i := range list {
				t.at(i).at = int32(n)
			}
		}
	}
	t.opened = 0
}
