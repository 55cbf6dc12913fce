//go:build !race

// The race detector makes a dozen peers on two cores late by themselves, so
// the stories are told without it; scripts/test.sh runs them apart.

package swarmtest

import (
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestStories tells all stories side by side, each on its own stage.
func TestStories(t *testing.T) {
	stories := map[string]func(*Stage){
		"a flash crowd":         flashCrowd,
		"half leave":            halfLeave,
		"the top booster dies":  topBoosterDies,
		"the top booster hangs": topBoosterHangs,
		"the planner restarts":  plannerRestarts,
		"a third die at once":   aThirdDie,
		"a booster boasts":      boaster,
		"a viewer is slow":      slowViewer,
		"tabs are hidden":       hiddenTabs,
		"the planner is away":   plannerAway,
		"one in ten lies":       liars(1, 0.3),
		"three in ten lie":      liars(3, 0.3),
		"half of them lie":      liars(5, 0.4),
		"nine in ten lie":       liars(9, 0.6), // the one who is left may not be linked to the booster yet
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

// flashCrowd: two watch, eight more come at once. The booster has room for three:
// they have to give to each other.
func flashCrowd(s *Stage) {
	s.As("bea").Boost(3 * rate)
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

// topBoosterDies: without a word to anyone. Until its links are found dead, what
// it would have sent is asked of standbys, one of whom asks the origin.
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
// yet known to be dead, which takes ICE five seconds: a sign of life is asked for
// sooner, and standbys are asked.
const untilFound = 0.1

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

// aThirdDie: three of ten viewers, one of them the busiest, and a booster.
func aThirdDie(s *Stage) {
	s.As("bea").Boost(5e6)
	s.As("bob").Boost(5e6)
	s.watch(viewers...)
	fallen := append(s.Busiest(1, "bea", "bob"), s.Busiest(3, viewers...)...)
	fallen[0].Carries()
	for _, a := range fallen {
		a.Die()
	}
	s.Flow(2 * time.Second)
	s.Recover(s.here(viewers...)...)
	s.Continuous(untilFound)
}

// boaster: its line carries a tenth of what it declares. What it does not send
// in time others do.
func boaster(s *Stage) {
	s.As("bea").Boost(2 * rate)
	s.As("bob").Boast(400e3)
	s.watch(viewers[:6]...)
	s.As("bob").HasCarried().IsTrustedWith(500e3) // which is quick: nobody may hang below it any more
	s.Recover(viewers[:6]...)
	s.Continuous(0.7) // until two reports have come
}

// slowViewer: it declares 10 Mbit/s and has room for a third of the stream. What it
// does not send in time is asked of others, until it is trusted less.
func slowViewer(s *Stage) {
	s.As("bea").Boost(2 * rate)
	slow := home
	slow.rate = rate / 3
	s.As("slow").WatchBehind(slow)
	s.Settle("slow")
	s.watch(viewers[:6]...)
	s.Flow(3 * time.Second)
	s.Recover(viewers[:6]...)
	s.Continuous(0.4)
}

// hiddenTabs: those who carry most go into the background.
func hiddenTabs(s *Stage) {
	s.As("bea").Boost(2e6)
	s.watch(viewers...)
	hidden := s.Busiest(3, viewers...)
	hidden[0].Carries()
	for _, a := range hidden {
		a.Hide()
	}
	for _, a := range hidden {
		a.until("carries nothing any more", func() bool { return a.children() == 0 })
	}
	s.Flow(time.Second)
	s.Recover(viewers...)
	s.Continuous(0.25)
}

// plannerAway: nobody tells anybody anything, for longer than a lease lasts in
// TUBER_LONG, else for some seconds; and one who leaves is not missed.
func plannerAway(s *Stage) {
	s.twoBoosters()
	s.StopPlanner()
	away := 6 * time.Second
	if os.Getenv("TUBER_LONG") != "" {
		away = 10 * time.Minute
	}
	s.Flow(away)
	s.As(viewers[4]).Leave()
	s.Flow(time.Second)
	s.StartPlanner()
	for _, name := range append([]string{"bea", "bob"}, viewers[:4]...) {
		s.As(name).Rejoins(2)
	}
	s.Continuous(0.05)
}

// liars: so many of ten viewers begin to falsify what they pass on. Where most
// lie, an honest booster has room for three viewers, and HTTP gives the rest. In
// any case nothing comes late.
func liars(n int, byHTTP float64) func(*Stage) {
	return func(s *Stage) {
		if n > 3 {
			s.As("bea").Boost(3 * rate)
		}
		s.watch(viewers...)
		lying := slices.DeleteFunc(s.Busiest(n, viewers...), func(a *Actor) bool { return a.children() == 0 }) // they have nobody to lie to
		if len(lying) == 0 {
			s.t.Fatal("void: nobody carries anything")
		}
		for _, a := range lying {
			a.Carries().Lie()
		}
		s.Flow(4 * time.Second)
		s.Shun(n <= 3, lying...) // where most lie nobody's word counts for much
		s.Recover(s.honest(viewers...)...)
		s.Continuous(byHTTP)
	}
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
