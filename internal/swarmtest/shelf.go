package swarmtest

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
)

// shelf is a store that notes when chunks came. A liar's keeps what comes and
// says that it was there already, so that the true chunk is not passed on.
type shelf struct {
	*store.Store
	a *Actor

	mu    sync.Mutex // guards the fields below
	came  map[tuber.ChunkNumber]time.Time
	began time.Time              // when the first one came
	forge chan tuber.ChunkNumber // nil while honest
}

func newShelf(a *Actor, st *store.Store) *shelf {
	return &shelf{Store: st, a: a, came: map[tuber.ChunkNumber]time.Time{}}
}

var _ peer.Chunks = (*shelf)(nil)

func (s *shelf) Put(v tuber.VerifiedChunk) (bool, error) {
	s.mu.Lock()
	if _, ok := s.came[v.Number()]; !ok {
		s.came[v.Number()] = time.Now()
	}
	if s.began.IsZero() {
		s.began = time.Now()
	}
	forge := s.forge
	s.mu.Unlock()
	fresh, err := s.Store.Put(v)
	if forge != nil && fresh {
		select {
		case forge <- v.Number():
		default:
		}
		return false, err
	}
	return fresh, err
}

func (s *shelf) lie() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forge = make(chan tuber.ChunkNumber, 1024)
}

// first is when the first chunk came, zero while there is none. A player fetches
// nothing before, so it came over a link.
func (s *shelf) first() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.came)
}

func (s *shelf) at(n tuber.ChunkNumber) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.came[n]
	return at, ok
}

// falsify passes on other bytes under the number of each chunk that came: a
// manifest of the liar's own key turns them into a chunk in its own process.
func (a *Actor) falsify() {
	for {
		select {
		case <-a.s.ctx.Done():
			return
		case <-a.ended:
			return
		case n := <-a.chunks.forge:
			b := make([]byte, chunkSize)
			_, _ = rand.Read(b)
			m, err := tuber.SignManifest(a.key, a.s.manifest(n, b))
			if err != nil {
				a.s.t.Errorf("forge chunk %d: %v", n, err)
				return
			}
			v, err := m.Verify(n, b)
			if err != nil {
				a.s.t.Errorf("forge chunk %d: %v", n, err)
				return
			}
			// it fails only once the liar was thrown out
			_ = a.peer.Publish(a.s.Site(), peer.Publication{Content: a.s.content(), Chunks: []tuber.VerifiedChunk{v}})
		}
	}
}
