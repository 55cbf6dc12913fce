package planner

import (
	"cmp"
	"math"
	"slices"

	"github.com/tubercdn/tuber"
)

// How a player is moved. It measures the rate at which it is answered and
// chooses its rendition by that: players stay with one that is some 0.95 of
// what they measured and go up to one that is some 0.7 of it, and playlists
// declare peaks.
const (
	stayAt   = 1.6  // times a rendition's rate: its player keeps up and sees no reason to go up
	waitAt   = 0.95 // times the next higher one's: nor here, but it will need little time to
	riseTo   = 1.3  // times the lowest rendition that does not fit: none goes up to that one
	kinRates = 3    // renditions next to each other differ by less
)

// grants are the rates at which the player of viewer i may be answered: for
// each content that it wants, and under no content's id for all others, so that
// one that it turns to, or begins with, does not come as fast as an idle line
// can for a moment. Nothing is granted where nothing has to be held back.
func (g *grove) grants(i int32) []tuber.Grant {
	if g.peers[i].Role != tuber.RoleViewer || g.visits(i) {
		return nil
	}
	var out []tuber.Grant
	var most tuber.BitsPerSecond
	wants, free := false, false
	for _, f := range g.forests {
		if f.needs[i] == 0 {
			continue
		}
		wants = true
		rate := g.grant(f, i)
		if rate == 0 {
			free = true
			continue
		}
		most = max(most, rate)
		out = append(out, tuber.Grant{Content: f.ID, Rate: rate})
	}
	switch {
	case !wants:
		most = g.grant0
	case free && most == 0:
		return nil
	}
	if most > 0 {
		out = append(out, tuber.Grant{Rate: most})
	}
	return out
}

// grant is the rate at which the player of viewer i may be answered for f; 0
// holds it back not at all, as where every rendition fits. A viewer that is to
// make room for others, or that is short, is granted the next lower rendition,
// if there is one that could be the same pictures.
func (g *grove) grant(f *forest, i int32) tuber.BitsPerSecond {
	if to, down := g.meant[i]; down && to < f.Rate {
		return tuber.BitsPerSecond(stayAt * float64(to))
	}
	if f.needs[i]&^f.has[i] != 0 {
		return f.grants[1]
	}
	return f.grants[0]
}

// setGrants decides anew what grants are made of, and notes those whose grants
// that may change.
func (g *grove) setGrants() {
	for _, f := range g.forests {
		old := f.grants
		f.grants[0] = g.upTo(f.Rate, f.viewers)
		f.grants[1] = tuber.BitsPerSecond(stayAt * float64(g.lowerRate(f.Rate)))
		if f.grants != old {
			g.noteViewers(f)
		}
	}
	// What a viewer may be answered at that wants nothing yet.
	if first := g.upTo(0, 1); first != g.grant0 {
		g.grant0 = first
		for i := range g.peers {
			if g.shares[i].traits&isViewer != 0 {
				g.note(int32(i))
			}
		}
	}
	old := g.meant
	g.meant = g.fit()
	if len(old)+len(g.meant) == 0 {
		return
	}
	for i := range int32(len(g.peers)) {
		if old[i] != g.meant[i] {
			g.note(i)
		}
	}
}

// noteViewers has everybody who wants f told anew.
func (g *grove) noteViewers(f *forest) {
	for i := range g.peers {
		if f.needs[i] != 0 {
			g.note(int32(i))
		}
	}
}

// upTo is the rate for players of a rendition who may go up as far as all of
// them can. Those who cannot are kept near the next one: a player weighs what it
// measures by how long it took, so a few short segments that came quickly hardly
// count, and from far below it would take minutes to believe that it may go up.
func (g *grove) upTo(rate tuber.BitsPerSecond, viewers int) tuber.BitsPerSecond {
	const beyond = tuber.BitsPerSecond(math.MaxInt64)
	fits, next, tooMuch := false, beyond, beyond
	for _, other := range g.forests {
		if other.Rate <= rate {
			continue
		}
		kin := rate == 0 || other.Rate <= rate*kinRates
		if kin {
			next = min(next, other.Rate)
		}
		if float64(other.Rate-rate)*float64(viewers) > g.left.perSecond() {
			tooMuch = min(tooMuch, other.Rate)
		} else if kin {
			fits = true
		}
	}
	switch {
	case tooMuch == beyond:
		return 0
	case fits:
		return tuber.BitsPerSecond(riseTo * float64(tooMuch))
	case rate == 0:
		return tuber.BitsPerSecond(stayAt * float64(tooMuch)) // the lowest of all: nothing fits
	case next == beyond:
		return tuber.BitsPerSecond(stayAt * float64(rate))
	}
	return tuber.BitsPerSecond(max(stayAt*float64(rate), waitAt*float64(next)))
}

// claim is what a viewer receives, or is to come down to.
type claim struct {
	viewer int32
	rate   tuber.BitsPerSecond
}

// fit says which viewers are to come down, and to which rate, so that the means
// suffice for all: those who receive the most first, the newest of them first.
func (g *grove) fit() map[int32]tuber.BitsPerSecond {
	if len(g.forests) < 2 {
		return nil // there is nothing to come down to
	}
	meant := map[int32]tuber.BitsPerSecond{}
	at := map[tuber.BitsPerSecond][]claim{}
	over := -g.left.perSecond() // what is claimed beyond what is there
	for i := range g.peers {
		if c, served := g.claimOf(int32(i)); c.rate > 0 {
			at[c.rate] = append(at[c.rate], c)
			over += float64(c.rate) - served
		}
	}
	for _, rate := range g.ratesDown() {
		to := g.lowerRate(rate)
		if to == 0 {
			continue
		}
		slices.SortFunc(at[rate], func(a, b claim) int {
			return cmp.Or(g.peers[b.viewer].Since.Compare(g.peers[a.viewer].Since), g.compare(a.viewer, b.viewer))
		})
		for _, c := range at[rate] {
			if over <= 0 {
				return meant
			}
			over -= float64(rate - to)
			meant[c.viewer] = to
			at[to] = append(at[to], claim{c.viewer, to})
		}
	}
	return meant
}

// claimOf is the rendition of viewer i, the highest while it turns from one to
// another, and the bits per second that it is served now.
func (g *grove) claimOf(i int32) (c claim, served float64) {
	c.viewer = i
	if g.peers[i].Role != tuber.RoleViewer || g.visits(i) {
		return c, 0
	}
	for _, f := range g.forests {
		if f.needs[i] == 0 {
			continue
		}
		c.rate = max(c.rate, f.Rate)
		served += float64((f.needs[i] & f.has[i]).Len()) * f.slot.perSecond()
	}
	return c, served
}

// ratesDown are the rates of all contents, the highest first.
func (g *grove) ratesDown() []tuber.BitsPerSecond {
	var out []tuber.BitsPerSecond
	for _, f := range g.forests {
		out = append(out, f.Rate)
	}
	slices.SortFunc(out, func(a, b tuber.BitsPerSecond) int { return cmp.Compare(b, a) })
	return slices.Compact(out)
}

// lowerRate is that of the next lower rendition, 0 if there is none.
func (g *grove) lowerRate(rate tuber.BitsPerSecond) tuber.BitsPerSecond {
	var best tuber.BitsPerSecond
	for _, other := range g.forests {
		if other.Rate < rate && other.Rate*kinRates >= rate {
			best = max(best, other.Rate)
		}
	}
	return best
}
