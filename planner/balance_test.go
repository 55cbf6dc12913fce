package planner

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

func TestWhoFeedsACell(t *testing.T) {
	a, b := testContent("/a", 4, 1e6), testContent("/b", 4, 1e6)
	one := []tuber.Content{a}
	both := []tuber.Content{a, b}
	served := map[cellNumber]visits{2: {1e6, 1e6}}
	half := map[cellNumber]visits{2: {1e6, 5e5}}
	nothing := map[cellNumber]visits{2: {1e6, 0}}
	tests := map[string]struct {
		sums []sum
		want refeed
		ok   bool
	}{
		"all is well": {sums: []sum{{wants: one, spare: 9e6, visits: served}, {cell: 1, wants: one}, {cell: 2, wants: one}}},
		"the first has nothing to spare": {
			[]sum{{wants: one, visits: half}, {cell: 1, wants: one, spare: 2e6}, {cell: 2, wants: one}}, refeed{2, 1}, true,
		},
		"nor has any other": {sums: []sum{{wants: one, visits: half}, {cell: 1, wants: one, spare: 9e5}, {cell: 2, wants: one}}},
		"another has it, but not all that is wanted": {
			sums: []sum{{wants: both, visits: half}, {cell: 1, wants: one, spare: 9e6}, {cell: 2, wants: both}},
		},
		"it is not the slots that are missing": {sums: []sum{{wants: one, spare: 9e6, visits: nothing}, {cell: 1, wants: one, spare: 9e6}, {cell: 2, wants: one}}},
		"the other is fed by the cell itself": {
			sums: []sum{{wants: one, visits: half}, {cell: 1, feeder: 2, wants: one, spare: 9e6}, {cell: 2, wants: one}},
		},
		"the feeder is closed": {[]sum{{wants: one}, {cell: 2, feeder: 1, wants: one}}, refeed{2, 0}, true},
		"the feeder cannot any more, the origin can": {
			[]sum{{wants: one, left: 5e6}, {cell: 1, wants: one, visits: half}, {cell: 2, feeder: 1, wants: one}}, refeed{2, 0}, true,
		},
		"it lacks what the first could lend": {
			[]sum{{wants: one, spare: 9e6}, {cell: 1, wants: one, visits: served}, {cell: 2, feeder: 1, wants: one, lacks: 3e6}}, refeed{2, 0}, true,
		},
	}
	for name, tt := range tests {
		if got, ok := chooseFeeder(tt.sums); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %+v, %v, want %+v, %v", name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestNoMoreThanSixCellsFeedEachOtherInARow(t *testing.T) {
	one := []tuber.Content{testContent("/a", 4, 1e6)}
	sums := []sum{{wants: one}}
	for n := range cellNumber(8) {
		sums = append(sums, sum{cell: n + 1, feeder: n, wants: one, spare: 5e6})
	}
	able := feedersFor(sums, sum{cell: 99, wants: one})
	if len(able) != maxFeedDepth-1 || able[len(able)-1].cell != maxFeedDepth-1 {
		t.Errorf("%d cells could feed one more", len(able))
	}
}

func TestWhatIsLent(t *testing.T) {
	one := []tuber.Content{testContent("/a", 4, 950e3)}
	tests := map[string]struct {
		sums []sum
		want map[cellNumber]tuber.BitsPerSecond
	}{
		"a copy":               {[]sum{{left: 5e6}, {cell: 1, wants: one}}, map[cellNumber]tuber.BitsPerSecond{1: 1e6}},
		"what it has":          {[]sum{{left: 0}, {cell: 1, wants: one, fed: 1.9e6}}, map[cellNumber]tuber.BitsPerSecond{1: 2e6}},
		"what it lacks":        {[]sum{{left: 5e6}, {cell: 1, wants: one, lacks: 950e3}}, map[cellNumber]tuber.BitsPerSecond{1: 2e6}},
		"what there is":        {[]sum{{left: 500e3}, {cell: 1, wants: one, lacks: 950e3}}, map[cellNumber]tuber.BitsPerSecond{1: 1.5e6}},
		"to each a part":       {[]sum{{left: 1e6}, {cell: 1, wants: one, lacks: 5e6}, {cell: 2, wants: one, lacks: 5e6}}, map[cellNumber]tuber.BitsPerSecond{1: 1.5e6, 2: 1.5e6}},
		"no less than before":  {[]sum{{left: 9e6}, {cell: 1, wants: one, lent: 3e6}}, map[cellNumber]tuber.BitsPerSecond{1: 3e6}},
		"unless it is gone":    {[]sum{{left: 1e6}, {cell: 1, wants: one, lent: 3e6}}, map[cellNumber]tuber.BitsPerSecond{1: 2e6}},
		"by others one copy":   {[]sum{{left: 9e6}, {cell: 1, wants: one}, {cell: 2, feeder: 1, wants: one, lacks: 5e6}}, map[cellNumber]tuber.BitsPerSecond{1: 1e6, 2: 1e6}},
		"nothing if not asked": {[]sum{{left: 9e6}, {cell: 1}}, map[cellNumber]tuber.BitsPerSecond{1: 0}},
	}
	for name, tt := range tests {
		got := shareOut(tt.sums)
		for c, want := range tt.want {
			if got[c] != want {
				t.Errorf("%s: cell %d is lent %v, want %v", name, c, got[c], want)
			}
		}
	}
}

func TestWhichBoosterIsMoved(t *testing.T) {
	long := epochStart.Add(-time.Hour)
	id := func(n byte) tuber.PeerID { return tuber.PeerID{n} }
	boosters := []gives{{id(1), 20e6, long}, {id(2), 5e6, long}, {id(3), 3e6, long}, {id(4), 8e6, epochStart.Add(-time.Second)}}
	anywhere := func(cellNumber) bool { return true }
	tests := map[string]struct {
		sums []sum
		has  func(cellNumber) bool
		want move
		ok   bool
	}{
		"nobody lacks anything":             {sums: []sum{{}, {cell: 1, spare: 50e6, boosters: boosters}}},
		"the smallest that gives enough":    {[]sum{{lacks: 4e6}, {cell: 1, spare: 50e6, boosters: boosters}}, anywhere, move{id(2), 1, 0}, true},
		"else the largest":                  {[]sum{{lacks: 90e6}, {cell: 1, spare: 50e6, boosters: boosters}}, anywhere, move{id(1), 1, 0}, true},
		"of what its cell can do without":   {[]sum{{}, {cell: 1, lacks: 4e6}, {cell: 2, spare: 4e6, boosters: boosters}}, anywhere, move{id(3), 2, 1}, true},
		"where the first lends, none":       {sums: []sum{{spare: 9e6}, {cell: 1, lacks: 4e6}, {cell: 2, spare: 50e6, boosters: boosters}}},
		"the first lends back what is left": {[]sum{{lacks: 4e6}, {cell: 1, spare: 19e6, boosters: boosters[:1]}}, anywhere, move{id(1), 1, 0}, true},
		"there is no place":                 {sums: []sum{{lacks: 4e6}, {cell: 1, spare: 50e6, boosters: boosters}}, has: func(cellNumber) bool { return false }},
		"who lacks gives none":              {sums: []sum{{lacks: 4e6}, {cell: 1, lacks: 1e6, spare: 50e6, boosters: boosters}}},
		"who has just come stays":           {sums: []sum{{lacks: 4e6}, {cell: 1, spare: 50e6, boosters: boosters[3:]}}},
	}
	for name, tt := range tests {
		if tt.has == nil {
			tt.has = anywhere
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for n := range tt.sums {
			tt.sums[n].boosters = slices.Clone(tt.sums[n].boosters)
		}
		for range 5 {
			for _, s := range tt.sums { // in any order
				rng.Shuffle(len(s.boosters), func(i, j int) { s.boosters[i], s.boosters[j] = s.boosters[j], s.boosters[i] })
			}
			if got, ok := rebalance(tt.sums, tt.has, func(b gives) bool { return epochStart.Sub(b.since) >= stayFor }); got != tt.want || ok != tt.ok {
				t.Errorf("%s: got %+v, %v, want %+v, %v", name, got, ok, tt.want, tt.ok)
			}
		}
	}
}
