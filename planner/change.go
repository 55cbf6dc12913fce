package planner

import (
	"slices"

	"github.com/tubercdn/tuber"
)

// leave takes a peer out. Its children keep what hangs below them and wait for
// other parents; its place at its own parents is free for them.
func (g *grove) leave(i int32) {
	for n := len(g.links[i]) - 1; n >= 0; n-- {
		if n < len(g.links[i]) && g.links[i][n].helps > 0 {
			g.dropHelp(i, g.links[i][n].peer)
		}
	}
	for _, f := range g.forests {
		for rest := f.needs[i] | f.feeds[i] | f.home[i]; rest != 0; rest &= rest - 1 {
			g.drop(f, first(rest), i)
		}
		g.need(f, i, 0)
		g.leaveHome(f, i)
		f.unqueue(i)
	}
	g.setBase(i, 0)
	g.boosters, g.dialable = g.removeByID(g.boosters, i), g.removeByID(g.dialable, i)
	if i == g.origin {
		g.origin = none
	}
	delete(g.index, g.peers[i].ID)
	g.peers[i], g.shares[i].traits = Peer{}, 0
	g.free = append(g.free, i)
}

// unqueue takes i out of the lists of those who lack a parent.
func (f *forest) unqueue(i int32) {
	if f.queued[i] == inNone {
		return
	}
	f.queued[i] = inNone
	is := func(j int32) bool { return j == i }
	f.fresh, f.waiting = slices.DeleteFunc(f.fresh, is), slices.DeleteFunc(f.waiting, is)
}

// change gives a peer its new qualities. What it carries out stays as far as it
// still can.
func (g *grove) change(i int32, p *Peer) {
	old := g.peers[i]
	g.note(i)
	for _, f := range g.forests { // what it is counted and listed by changes
		for rest := f.home[i]; rest != 0; rest &= rest - 1 {
			f.trees[first(rest)].close(i)
		}
		f.count(g, i, -1)
		if g.shares[i].traits&isSymmetric != 0 {
			f.scarcer[1] -= upload(f.lacks(i).Len()) * f.slot
		}
	}
	base, budget := g.shares[i].base, g.shares[i].budget
	g.spend(i, budget)
	g.peers[i], g.shares[i].traits = *p, traitsOf(p)
	g.spend(i, -budget)
	if (old.Means.Reach == tuber.ReachDialable) != (p.Means.Reach == tuber.ReachDialable) {
		g.dialable = g.removeByID(g.dialable, i)
		if p.Means.Reach == tuber.ReachDialable {
			g.dialable = g.insertByID(g.dialable, i)
		}
	}
	for _, f := range g.forests {
		f.count(g, i, 1)
		if p.needsDialable() {
			f.scarcer[1] += upload(f.lacks(i).Len()) * f.slot
		}
	}
	g.changeNeeds(i)
	g.setBase(i, uploadOf(g.uplink(i)))
	for _, f := range g.forests {
		if main := f.main[i]; main != 0 {
			f.supply[main-1] += g.shares[i].base - base
		}
	}
	g.changeLinks(i, &old)
	if p.Mute {
		g.orphan(i)
	}
	for g.shares[i].budget+g.slack(i) < 0 && !p.Away && g.shed(i) {
	}
	for _, f := range g.forests {
		if f.lacks(i) != 0 && !p.Away {
			f.queue(i)
		}
		if f.main[i] == 0 && f.needs[i] != 0 && g.shares[i].budget >= f.slot {
			g.settleHome(f, i, g.poorest(f, i))
		}
	}
	g.reopen(i)
}

// changeNeeds takes from a viewer what it does not want any more, and has it wait
// for what is new.
func (g *grove) changeNeeds(i int32) {
	p := &g.peers[i]
	if !g.watches(i) {
		return
	}
	for _, f := range g.forests {
		needs := p.needs(&f.Content)
		for rest := f.needs[i] &^ needs; rest != 0; rest &= rest - 1 {
			g.drop(f, first(rest), i)
		}
		g.need(f, i, needs)
		if needs == 0 {
			g.leaveHome(f, i)
			for n := tuber.StandbyLinks - 1; n >= 0; n-- {
				if h := f.helpers[i][n]; h.peer != 0 {
					g.unhelp(f, i, h.peer-1)
				}
			}
		}
	}
}

// changeLinks ends the links that cannot be any more.
func (g *grove) changeLinks(i int32, old *Peer) {
	active, standby := old.links()
	nowActive, nowStandby := g.peers[i].links()
	g.shares[i].room += int32(nowActive - active)
	g.shares[i].spare += int32(nowStandby - standby)
	for n := len(g.links[i]) - 1; n >= 0; n-- {
		if n >= len(g.links[i]) {
			continue
		}
		j := g.links[i][n].peer
		if possible := !g.avoided(i, j) && g.linkable(i, j); possible && g.shares[i].linked <= g.shares[i].room && g.shares[i].spare >= 0 {
			continue
		} else if !possible || g.shares[i].spare < 0 && !g.active(i, j) {
			g.dropHelp(i, j)
		}
		if possible := !g.avoided(i, j) && g.linkable(i, j); !possible || g.shares[i].linked > g.shares[i].room {
			g.unlink(i, j)
		}
	}
}

// unlink ends whatever partitions go between i and j.
func (g *grove) unlink(i, j int32) {
	for _, f := range g.forests {
		for p := range f.trees {
			for _, e := range [][2]int32{{i, j}, {j, i}} {
				if f.trees[p].at(e[1]).parent == e[0] {
					g.castOff(f, p, e[1])
				}
			}
		}
	}
}

// castOff takes child from its parent; what hangs below keeps its place until
// it has another.
func (g *grove) castOff(f *forest, p int, child int32) {
	g.detach(f, p, child)
	g.adrift = true
	if g.shares[child].traits&isAway == 0 {
		f.queue(child)
	} else {
		g.settle(f, p, child, 0)
	}
}

// orphan takes all its children from i.
func (g *grove) orphan(i int32) {
	for _, f := range g.forests {
		for rest := f.feeds[i]; rest != 0; rest &= rest - 1 {
			p := first(rest)
			for k := range f.trees[p].kids(i) {
				g.castOff(f, p, k)
			}
		}
	}
}

// shed takes one child from i, a leaf if there is one. It tells whether there
// was any.
func (g *grove) shed(i int32) bool {
	for _, leaf := range []bool{true, false} {
		for _, f := range g.forests {
			for rest := f.feeds[i]; rest != 0; rest &= rest - 1 {
				p := first(rest)
				for k := range f.trees[p].kids(i) {
					if !leaf || f.trees[p].at(k).first == none {
						g.castOff(f, p, k)
						return true
					}
				}
			}
		}
	}
	return false
}
