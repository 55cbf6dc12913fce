//go:build !race

package swarmtest

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// cellBound is small, so that a dozen viewers need three cells.
const cellBound = 6

// TestCells: one host, three cells. The origin sends its copy to the first one,
// which feeds the second by its booster and the third by whoever has room.
func TestCells(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("of a swarm", func(t *testing.T) {
		for name, tell := range map[string]func(*Stage){
			"a cell's booster dies":              cellBoosterDies,
			"the booster that feeds all dies":    feedingBoosterDies,
			"cells are adopted by a new planner": cellsAreAdopted,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tell(NewOfCells(t, cellBound))
			})
		}
	})
}

// threeCells: a booster and five viewers in each of two, and two viewers in one
// more.
func (s *Stage) threeCells() {
	s.t.Helper()
	s.As("bea").Boost(5e6)
	s.watch(viewers[:5]...)
	s.As("bob").Boost(5e6)
	s.watch(viewers[5:]...)
	s.watch("kim", "leo")
	s.As("bea").Carries()
	s.As("bob").Carries()
	s.InCells(3)
}

// cellBoosterDies: the second cell is fed by its booster alone, until that dies.
func cellBoosterDies(s *Stage) {
	s.threeCells()
	s.OriginSends(1.15, 2*time.Second)
	s.As("bob").Die()
	s.Flow(2 * time.Second)
	s.Recover(viewers...)
	s.Recover("kim", "leo")
	s.OriginSends(1.15, 2*time.Second)
	s.Continuous(untilFound)
	s.InCells(3)
}

// feedingBoosterDies: the first cell's booster is a parent of the others' roots.
func feedingBoosterDies(s *Stage) {
	s.threeCells()
	s.As("bea").feedsOtherCells()
	s.As("bea").Die()
	s.Flow(2 * time.Second)
	s.Recover(viewers...)
	s.Recover("kim", "leo")
	s.Continuous(untilFound)
	s.InCells(3)
}

// cellsAreAdopted: everybody is in the cell again in which it was.
func cellsAreAdopted(s *Stage) {
	s.threeCells()
	before := s.Cells()
	s.StopPlanner()
	s.Flow(time.Second)
	s.StartPlanner()
	all := append([]string{"bea", "bob", "kim", "leo"}, viewers...)
	for _, name := range all {
		s.As(name).Rejoins(2)
	}
	s.Continuous(0.05)
	after := s.Cells()
	for number, names := range before {
		together := false
		for _, other := range after {
			together = together || slices.Equal(names, other)
		}
		if !together {
			s.t.Errorf("cell %d had %v, and now there are %v", number, names, after)
		}
	}
}

// feedsOtherCells waits until it sends to somebody of another cell.
func (a *Actor) feedsOtherCells() {
	a.s.t.Helper()
	a.until("sends to another cell", func() bool {
		cells := a.s.Cells()
		a.mu.Lock()
		defer a.mu.Unlock()
		for number, names := range cells {
			for _, name := range names {
				for _, as := range a.plan.Assignments {
					if number != a.plan.Cell && as.To == a.s.As(name).id {
						return true
					}
				}
			}
		}
		return false
	})
}
