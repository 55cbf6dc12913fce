//go:build !race

// The race detector makes a dozen peers on two cores late by themselves, so
// the stories are told without it; scripts/test.sh runs them apart.

package swarmtest

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

var viewers = []string{"ann", "ben", "cleo", "dan", "eve", "finn", "gil", "hana", "ivo", "jo"}

// TestStories tells all stories side by side, each on its own stage.
func TestStories(t *testing.T) {
	stories := map[string]func(*Stage){
		"a flash crowd":         flashCrowd,
		"half leave":            halfLeave,
		"the top booster dies":  topBoosterDies,
		"the top booster hangs": topBoosterHangs,
		"the planner restarts":  plannerRestarts,
		"three in ten lie":      liars,
	}
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("of a swarm", func(t *testing.T) {
		for name, tell := range stories {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tell(New(t))
			})
		}
	})
}

// flashCrowd: two watch, eight more come at once.
func flashCrowd(s *Stage) {
	s.As("bea").Boost(5e6)
	s.watch(viewers[:2]...)
	s.As("bea").Carries()
	s.watch(viewers[2:]...)
	s.Flow(time.Second)
	s.Continuous(0.05)
	s.OriginSent(2)
}

// halfLeave: eight watch without any booster, four of them leave at once.
func halfLeave(s *Stage) {
	s.watch(viewers[:8]...)
	s.Busiest(1, viewers[:8]...)[0].Carries()
	for _, name := range viewers[:4] {
		s.As(name).Leave()
	}
	s.Flow(time.Second)
	s.Recover(viewers[4:8]...)
	s.Continuous(0.25)
}

// topBoosterDies: without a word to anyone. Until its links are found dead,
// what it would have sent comes by HTTP.
func topBoosterDies(s *Stage) {
	s.twoBoosters().Die()
	s.Flow(2 * time.Second)
	s.Recover(viewers[:5]...)
	s.Continuous(untilFound)
}

// topBoosterHangs: the planner still believes in it.
func topBoosterHangs(s *Stage) {
	s.twoBoosters().Hang()
	s.Flow(2 * time.Second)
	s.Recover(viewers[:5]...)
	s.Continuous(untilFound)
}

// untilFound is the share that may come by HTTP while a silent booster is not
// yet known to be dead: ICE takes five seconds (package peer, settings).
const untilFound = 0.6

// plannerRestarts: the swarm goes on without it, and is adopted by the next.
func plannerRestarts(s *Stage) {
	s.twoBoosters()
	s.StopPlanner()
	s.Flow(time.Second)
	s.StartPlanner()
	for _, name := range append([]string{"bea", "bob"}, viewers[:5]...) {
		s.As(name).Rejoins(2)
	}
	s.Continuous(0.05)
	s.OriginSent(2)
}

// liars: three of ten viewers begin to falsify what they pass on.
func liars(s *Stage) {
	s.watch(viewers...)
	for _, a := range s.Busiest(3, viewers...) {
		a.Carries().Lie()
	}
	s.Flow(time.Second)
	s.Continuous(0.4)
}

// watch lets them watch, and waits until the swarm serves each.
func (s *Stage) watch(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.As(name).Watch()
	}
	s.Settle(names...)
}

// twoBoosters: five viewers lean on two boosters; the busier one is returned.
func (s *Stage) twoBoosters() *Actor {
	s.As("bea").Boost(5e6)
	s.As("bob").Boost(5e6)
	s.watch(viewers[:5]...)
	return s.Busiest(1, "bea", "bob")[0].Carries()
}
