package swarmtest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// play is a viewer's player: what is not there in time is fetched outside the
// swarm, and counted.
func (a *Actor) play() {
	t := time.NewTicker(lookEach)
	defer t.Stop()
	next := 0
	for {
		select {
		case <-a.ended:
			return
		case now := <-t.C:
			pieces := a.s.cutSoFar()
			for ; next < len(pieces) && now.Sub(pieces[next].at) >= httpAt; next++ {
				if !a.owed(pieces[next]) {
					continue
				}
				if _, ok := a.chunks.at(tuber.ChunkNumber(next)); !ok {
					a.fetch(tuber.ChunkNumber(next), pieces[next])
				}
			}
		}
	}
}

// fetch gets a chunk by HTTP, as far as a swarm can tell.
func (a *Actor) fetch(n tuber.ChunkNumber, p piece) {
	a.mu.Lock()
	a.http = append(a.http, n)
	a.mu.Unlock()
	// it fails only once the peer has gone
	_ = a.peer.Give(a.s.Site(), p.chunk.Content(), []*tuber.SignedManifest{p.manifest}, []tuber.VerifiedChunk{p.chunk})
}

// owed tells whether the viewer should have had the chunk by its deadline: the
// swarm had been serving it for a while when it was cut, and it stayed.
func (a *Actor) owed(p piece) bool {
	first := a.chunks.first()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.role != tuber.RoleViewer || a.liar || first.IsZero() || p.at.Before(first.Add(grace)):
		return false
	case !a.left.IsZero() && p.at.Add(deadline).After(a.left):
		return false
	}
	return true
}

// Continuous waits for the last deadline and fails unless every honest viewer
// had every chunk by its own, at most this share of them by HTTP.
func (s *Stage) Continuous(byHTTP float64) {
	s.t.Helper()
	at := step()
	pieces := s.cutSoFar()
	s.Flow(deadline + lookEach)
	s.mu.Lock()
	var cast []*Actor
	for _, a := range s.cast {
		cast = append(cast, a)
	}
	s.mu.Unlock()
	owed, fetched := 0, 0
	var late []string
	for _, a := range cast {
		a.mu.Lock()
		http := slices.Clone(a.http)
		a.mu.Unlock()
		for n, p := range pieces {
			if !a.owed(p) {
				continue
			}
			owed++
			if slices.Contains(http, tuber.ChunkNumber(n)) {
				fetched++
			}
			switch came, ok := a.chunks.at(tuber.ChunkNumber(n)); {
			case !ok:
				late = append(late, fmt.Sprintf("%s never had chunk %d", a.name, n))
			case came.Sub(p.at) > deadline:
				late = append(late, fmt.Sprintf("%s had chunk %d after %v", a.name, n, came.Sub(p.at).Round(time.Millisecond)))
			}
		}
	}
	s.t.Logf("%s: %d chunks owed to viewers, %d fetched by HTTP, %d late", at, owed, fetched, len(late))
	switch {
	case owed == 0:
		s.t.Errorf("%s: void: no viewer was owed a chunk", at)
	case len(late) > 0:
		s.t.Errorf("%s: %d of %d chunks were late:\n%s", at, len(late), owed, strings.Join(late[:min(len(late), 10)], "\n"))
	case float64(fetched) > byHTTP*float64(owed):
		s.t.Errorf("%s: %d of %d chunks came by HTTP, at most %.0f %% should", at, fetched, owed, 100*byHTTP)
	}
}

// Settle waits until the swarm serves each of them, and until each is owed
// every chunk.
func (s *Stage) Settle(names ...string) {
	s.t.Helper()
	for _, name := range names {
		a := s.As(name)
		a.until("is served by the swarm", func() bool { return !a.chunks.first().IsZero() })
	}
	s.Flow(grace)
}

// Recover waits until the swarm serves each of them again: what is held before
// HTTP would be asked for came over links.
func (s *Stage) Recover(names ...string) {
	s.t.Helper()
	for _, name := range names {
		a := s.As(name)
		a.until("is served by the swarm again", func() bool {
			held, now := 0, time.Now()
			for n, p := range s.cutSoFar() {
				if age := now.Sub(p.at); age < httpAt/2 || age >= httpAt {
					continue
				}
				if _, ok := a.chunks.at(tuber.ChunkNumber(n)); !ok {
					return false
				}
				held++
			}
			return held > 2
		})
	}
}

// Shun waits until the plan has none of them send to anybody honest, standbys
// included if standby is set: one that was never asked has lied to nobody there,
// and only others' word can tell of it.
func (s *Stage) Shun(standby bool, liars ...*Actor) {
	s.t.Helper()
	for _, name := range s.honest(viewers...) {
		a := s.As(name)
		a.until("leans on no liar any more", func() bool {
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.plan != nil && !slices.ContainsFunc(a.plan.Sources, func(x tuber.Source) bool {
				return (standby || !x.Standby) && slices.ContainsFunc(liars, func(l *Actor) bool { return l.id == x.From })
			})
		})
	}
}

// OriginSent fails if more copies of the stream left the origin over links.
func (s *Stage) OriginSent(copies float64) {
	s.t.Helper()
	stream := float64(len(s.cutSoFar()) * chunkSize)
	if got := float64(s.origin.sent()) / stream; got > copies {
		s.t.Errorf("%s: the origin sent %.2f copies, at most %.2f should leave", step(), got, copies)
	}
}

// OriginSends lets the stream run for a while and fails if more copies of it
// leave the origin over links meanwhile.
func (s *Stage) OriginSends(copies float64, d time.Duration) {
	s.t.Helper()
	sent, pieces := s.origin.sent(), len(s.cutSoFar())
	s.Flow(d)
	stream := float64((len(s.cutSoFar()) - pieces) * chunkSize)
	got := float64(s.origin.sent()-sent) / stream
	s.t.Logf("%s: %.2f copies left the origin", step(), got)
	if got > copies {
		s.t.Errorf("%s: the origin sends %.2f copies, at most %.2f should leave", step(), got, copies)
	}
}

// Cells are those who are here, by the cell that their plan names.
func (s *Stage) Cells() map[int][]string {
	s.mu.Lock()
	names := slices.Sorted(maps.Keys(s.cast))
	s.mu.Unlock()
	out := map[int][]string{}
	for _, name := range s.here(names...) {
		a := s.As(name)
		a.mu.Lock()
		if a != s.origin && a.plan != nil {
			out[a.plan.Cell] = append(out[a.plan.Cell], name)
		}
		a.mu.Unlock()
	}
	return out
}

// InCells fails unless all are in so many cells, none above its bound.
func (s *Stage) InCells(n int) {
	s.t.Helper()
	cells := s.Cells()
	if len(cells) != n {
		s.t.Errorf("%s: %d cells, want %d: %v", step(), len(cells), n, cells)
	}
	for number, names := range cells {
		if len(names) > s.bound {
			s.t.Errorf("%s: cell %d has %d peers, at most %d: %v", step(), number, len(names), s.bound, names)
		}
	}
}

// Busiest are the n among these who send most by the plan.
func (s *Stage) Busiest(n int, names ...string) []*Actor {
	all := make([]*Actor, len(names))
	for i, name := range names {
		all[i] = s.As(name)
	}
	slices.SortStableFunc(all, func(a, b *Actor) int { return cmp.Compare(b.children(), a.children()) })
	return all[:n]
}

// honest are those of them who do not lie.
func (s *Stage) honest(names ...string) []string {
	return slices.DeleteFunc(s.here(names...), func(name string) bool {
		a := s.As(name)
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.liar
	})
}

// here are those of them who did not go.
func (s *Stage) here(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		a := s.As(name)
		a.mu.Lock()
		defer a.mu.Unlock()
		return !a.left.IsZero()
	})
}

// Rejoins waits until it carries out a plan of the planner of that epoch.
func (a *Actor) Rejoins(epoch tuber.Epoch) {
	a.s.t.Helper()
	a.until("follows the new planner", func() bool { return a.planEpoch() == epoch })
}
