package planner

import (
	"math"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

// What the root decides from sums alone. In lists of sums the first cell is the
// first, and all are in the order of their numbers.

// maxFeedDepth is how many cells may feed each other in a row, below the first.
const maxFeedDepth = 6

// shareOut says how much outside may feed each cell but the first: at least one
// copy of what is wanted there, and what it does now. Those that the first cell
// feeds and that lack something have a part of what it has left besides.
func shareOut(sums []sum) map[cellNumber]tuber.BitsPerSecond {
	first, short := sums[0], tuber.BitsPerSecond(0)
	for _, s := range sums[1:] {
		if s.lacks > 0 && s.feeder == firstCell {
			short++
		}
	}
	out := map[cellNumber]tuber.BitsPerSecond{}
	for _, s := range sums[1:] {
		needs := max(s.fed, s.wanted())
		least := uplinkFor(needs)
		lent := least
		if s.feeder == firstCell {
			most := least + max(0, first.left)
			if s.lacks > 0 {
				most = least + max(0, first.left)/short
				lent = min(uplinkFor(needs+s.lacks), most)
			}
			lent = max(lent, min(s.lent, most))
		}
		out[s.cell] = lent
	}
	return out
}

// uplinkFor is how wide an uplink must be for a plan to use so much of it.
func uplinkFor(rate tuber.BitsPerSecond) tuber.BitsPerSecond {
	return tuber.BitsPerSecond(math.Ceil(float64(rate) / useOfUplink))
}

// refeed is a cell that is to be fed by another one than now.
type refeed struct{ cell, feeder cellNumber }

// chooseFeeder finds a cell that had better be fed by another one: because its
// feeder is not there any more; because that has nothing to spare and does not
// give it a whole copy, or has the origin send one more for it; or because the
// first cell could lend it what it lacks. A cell feeds only what comes to it
// anyway.
func chooseFeeder(sums []sum) (refeed, bool) {
	for n := len(sums) - 1; n > 0; n-- {
		s := sums[n]
		now, ok := sumOf(sums, s.feeder)
		if !ok {
			return refeed{s.cell, firstCell}, true
		}
		if s.feeder != firstCell && s.lacks > 0 && sums[0].spare > s.wanted() {
			return refeed{s.cell, firstCell}, true
		}
		v := now.visits[s.cell]
		missed := min(v.needs, s.wanted()) - v.served
		if missed <= 0 || now.spare >= missed {
			continue
		}
		for _, f := range feedersFor(sums, s) {
			if f.cell != s.feeder {
				return refeed{s.cell, f.cell}, true
			}
		}
		if s.feeder != firstCell && sums[0].left > s.wanted() {
			return refeed{s.cell, firstCell}, true
		}
	}
	return refeed{}, false
}

// feedersFor are the cells that could feed s a whole copy, those nearest to the
// origin first.
func feedersFor(sums []sum, s sum) []sum {
	var out []sum
	for depth := range maxFeedDepth {
		for _, f := range sums {
			if d, below := feedDepth(sums, f.cell, s.cell); d != depth || below || f.spare < s.wanted() {
				continue
			}
			if f.cell == firstCell || carriesAll(f.wants, s.wants) {
				out = append(out, f)
			}
		}
	}
	return out
}

// feedDepth is how many cells feed each other from the first one to c, and
// whether above is c or one of them.
func feedDepth(sums []sum, c, above cellNumber) (depth int, below bool) {
	for depth = 0; depth <= len(sums); depth++ {
		below = below || c == above
		s, ok := sumOf(sums, c)
		if c == firstCell || !ok {
			break
		}
		c = s.feeder
	}
	return depth, below
}

func carriesAll(has, wants []tuber.Content) bool {
	for _, w := range wants {
		if !slices.ContainsFunc(has, func(h tuber.Content) bool { return h.ID == w.ID }) {
			return false
		}
	}
	return true
}

func sumOf(sums []sum, c cellNumber) (sum, bool) {
	for _, s := range sums {
		if s.cell == c {
			return s, true
		}
	}
	return sum{}, false
}

// How boosters are moved between cells.
const (
	moveEvery   = 10 * time.Second
	stayFor     = time.Minute // in a cell, at least; twice as long after each move
	stayDoubles = 10          // times: some 17 h at most
)

// move is a booster that is to change to another cell.
type move struct {
	booster  tuber.PeerID
	from, to cellNumber
}

// rebalance finds a booster for the cell that lacks most, of a cell which can do
// without it: one that has more to spare than the booster gives, or than the
// first cell lacks, which will lend it the rest. Of several boosters that may move
// it is the smallest that gives enough, else the largest.
//
// Sums do not tell who of a cell can feed whom, so the cell that gave one may turn
// out to lack: that boosters stay longer each time keeps two such cells from
// passing one to and fro.
func rebalance(sums []sum, hasPlace func(cellNumber) bool, mayMove func(gives) bool) (move, bool) {
	var worst sum
	for _, s := range sums {
		if s.lacks > worst.lacks && hasPlace(s.cell) {
			worst = s
		}
	}
	if worst.lacks == 0 || worst.cell != firstCell && sums[0].spare >= worst.wanted()+worst.lacks {
		return move{}, false // it will be lent that
	}
	best, found := move{}, false
	var gain tuber.BitsPerSecond
	for _, s := range sums {
		if s.cell == worst.cell || s.lacks > 0 {
			continue
		}
		for _, b := range s.boosters {
			suffices := b.upload <= s.spare || worst.cell == firstCell && worst.lacks <= s.spare
			if b.upload == 0 || !suffices || !mayMove(b) {
				continue
			}
			better := b.upload > gain
			if gain >= worst.lacks {
				better = b.upload >= worst.lacks && b.upload < gain
			}
			if better {
				best, gain, found = move{b.id, s.cell, worst.cell}, b.upload, true
			}
		}
	}
	return best, found
}
