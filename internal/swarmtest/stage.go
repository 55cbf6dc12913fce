package swarmtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/planner"
)

const (
	patience = 20 * time.Second        // for what must come about
	deadline = 2500 * time.Millisecond // after it was cut, a viewer's player needs a chunk
	httpAt   = 1800 * time.Millisecond // after it was cut, a viewer fetches it outside the swarm
	grace    = 2 * time.Second         // from joining until a viewer is owed every chunk
	lookEach = 20 * time.Millisecond
)

// viewers are those who watch, in the stories.
var viewers = []string{"ann", "ben", "cleo", "dan", "eve", "finn", "gil", "hana", "ivo", "jo"}

// Stage is where a story plays: people join, leave, hang and lie around an
// origin that signs random bytes and the real planner over pipes, with real
// peers over loopback sockets that have a home line's delay, rate and loss. A
// story fails with the line of the step that went wrong.
//
// A fault counts only after chunks flowed through whom it befalls: else the
// story is void, and fails. Every honest viewer has every chunk by its deadline,
// and what it had to fetch outside the swarm is counted. Everything a stage
// started has ended when its test has.
type Stage struct {
	t      testing.TB
	ctx    context.Context
	log    *slog.Logger // shown where a story fails
	seed   uint64
	site   ed25519.PrivateKey
	book   *book
	wg     sync.WaitGroup
	origin *Actor
	bound  int // peers of one cell; 0 for the planner's own

	mu      sync.Mutex // guards the fields below
	planner *planner.Planner
	epoch   tuber.Epoch
	stopOld func() // the planner that runs
	cast    map[string]*Actor
	pieces  []piece
}

// New opens a stage; the stream runs as soon as the origin has joined.
func New(t testing.TB) *Stage {
	t.Helper()
	return NewOfCells(t, 0)
}

// NewOfCells is New with a planner whose cells hold at most so many peers.
func NewOfCells(t testing.TB, bound int) *Stage {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Stage{
		t: t, ctx: ctx, log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), bound: bound, seed: 7, site: keyOf("site"), book: &book{boosters: map[tuber.PeerID]tuber.BoosterRecord{}},
		cast: map[string]*Actor{},
	}
	t.Cleanup(func() {
		cancel()
		s.StopPlanner()
		s.wg.Wait()
	})
	s.StartPlanner()
	s.origin = s.As("origin")
	s.origin.enter(tuber.RoleOrigin, 3*rate, home)
	s.origin.until("the origin has joined", func() bool { return s.origin.joins() > 0 })
	s.wg.Go(s.publish)
	return s
}

// Site is the site's key, which everybody pins.
func (s *Stage) Site() tuber.PublicKey { return tuber.PublicKeyOf(s.site) }

// As is somebody of that name.
func (s *Stage) As(name string) *Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.cast[name]
	if a == nil {
		a = newActor(s, name)
		s.cast[name] = a
	}
	return a
}

// StopPlanner ends the planner and every session with it.
func (s *Stage) StopPlanner() {
	s.mu.Lock()
	stop := s.stopOld
	s.planner, s.stopOld = nil, nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// StartPlanner starts one that knows nothing but the book.
func (s *Stage) StartPlanner() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	epoch, key := s.epoch, keyOf(fmt.Sprint("planner", s.epoch))
	p := planner.New(planner.Config{
		Key: key, Site: s.Site(), Epoch: epoch, Log: s.log, Origin: tuber.PublicKeyOf(keyOf("origin")).PeerID(), Book: s.book, MaxCell: s.bound,
		Certificate: func() []byte {
			return tuber.SignCertificate(s.site, tuber.Certificate{
				Planner: tuber.PublicKeyOf(key), Epoch: epoch, Expires: tuber.MillisOf(time.Now().Add(tuber.CertificateLife)),
			})
		},
	})
	p.SetContents([]tuber.Content{s.content()})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	s.planner, s.stopOld = p, func() { cancel(); wg.Wait() }
}

var errAway = errors.New("no planner is running")

// dial is how everybody reaches the planner of the moment.
func (s *Stage) dial(ctx context.Context) (control.Conn, error) {
	s.mu.Lock()
	p := s.planner
	s.mu.Unlock()
	if p == nil {
		return nil, errAway
	}
	ours, theirs := control.Pipe()
	s.wg.Go(func() { _ = p.Serve(s.ctx, theirs) }) // the other end is told
	return ours, nil
}

func (s *Stage) ticket(_ context.Context, f tuber.Fingerprint) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.planner == nil {
		return "", errAway
	}
	return s.planner.Ticket(f), nil
}

// Flow lets the stream run on.
func (s *Stage) Flow(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.t.Context().Done():
	}
}

// step is the line of the story that called, for failures.
func step() string {
	for skip := 1; ; skip++ {
		_, file, line, ok := runtime.Caller(skip)
		if !ok {
			return "?"
		}
		if name := filepath.Base(file); name != "stage.go" && name != "actor.go" && name != "judge.go" {
			return fmt.Sprintf("%s:%d", name, line)
		}
	}
}

// await looks again and again until ok, or fails after a while.
func (s *Stage) await(at, what string, within time.Duration, ok func() bool) {
	s.t.Helper()
	t := time.NewTicker(lookEach)
	defer t.Stop()
	for limit := time.After(within); !ok(); {
		select {
		case <-t.C:
		case <-limit:
			s.t.Fatalf("%s: gave up waiting until %s", at, what)
		}
	}
}

// keyOf is the same in every run.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("swarmtest " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// book is a planner.Book that forgets with its stage.
type book struct {
	mu       sync.Mutex // guards the fields below
	boosters map[tuber.PeerID]tuber.BoosterRecord
}

func (b *book) Enrol(tuber.Digest, tuber.BoosterRecord, time.Time) error {
	return tuber.ErrInviteUnknown // boosters here are in the book from the start
}

func (b *book) Booster(id tuber.PeerID) (tuber.BoosterRecord, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.boosters[id]
	return r, ok, nil
}

func (b *book) SaveBooster(r tuber.BoosterRecord) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.boosters[r.ID] = r
	return nil
}

func (b *book) RemoveBooster(id tuber.PeerID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.boosters, id)
	return nil
}
