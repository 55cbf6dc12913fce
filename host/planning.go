package host

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/planner"
	"github.com/tubercdn/tuber/store"
)

// errNoPlanner ends a control socket while the planner is stopped.
var errNoPlanner = errors.New("the planner is not running")

// planning starts and stops planners. Each has a new epoch and knows nothing of
// the one before it but what the book holds; they share one key, which lasts
// for this start of the host.
type planning struct {
	site   ed25519.PrivateKey
	key    ed25519.PrivateKey
	origin tuber.PeerID
	book   *store.Book
	stun   []string // told to members
	name   string   // of the host, told to members
	cell   int      // peers of one cell, 0 for the planner's own bound
	log    *slog.Logger

	mu       sync.Mutex      // guards the fields below
	ctx      context.Context // of Run; nil before and after it
	now      *plannerRun     // nil while stopped
	contents []tuber.Content
}

// plannerRun is one planner between its start and its stop.
type plannerRun struct {
	*planner.Planner
	began  time.Time
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup // Run and every Serve
}

func newPlanning(site ed25519.PrivateKey, origin tuber.PeerID, book *store.Book, log *slog.Logger) (*planning, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make planner key: %w", err)
	}
	return &planning{site: site, key: key, origin: origin, book: book, log: log}, nil
}

// start allows planners, and begins the first one if on. All end with ctx at the latest.
func (p *planning) start(ctx context.Context, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx = ctx
	if !on {
		return nil
	}
	return p.beginLocked()
}

// stop ends the planner for good and waits for it.
func (p *planning) stop() {
	p.mu.Lock()
	p.ctx = nil
	p.mu.Unlock()
	_ = p.set(false) // only a start can fail
}

// set stops or starts the planner really: its sockets close, its state is gone.
func (p *planning) set(on bool) error {
	p.mu.Lock()
	if on {
		defer p.mu.Unlock()
		return p.beginLocked()
	}
	old := p.now
	p.now = nil
	p.mu.Unlock()
	if old != nil {
		old.cancel()
		old.work.Wait()
	}
	return nil
}

func (p *planning) beginLocked() error {
	if p.now != nil {
		return nil
	}
	if p.ctx == nil {
		return errors.New("start planner: the host is not running")
	}
	epoch, err := p.book.NextEpoch("planner")
	if err != nil {
		return fmt.Errorf("start planner: %w", err)
	}
	pl := planner.New(planner.Config{
		Key: p.key, Certificate: p.certificates(epoch), Site: tuber.PublicKeyOf(p.site),
		Epoch: epoch, Origin: p.origin, Book: p.book, STUN: p.stun, Name: p.name, MaxCell: p.cell, Log: p.log,
	})
	pl.SetContents(p.contents)
	run := &plannerRun{Planner: pl, began: time.Now()}
	run.ctx, run.cancel = context.WithCancel(p.ctx)
	run.work.Go(func() {
		if err := pl.Run(run.ctx); err != nil && run.ctx.Err() == nil {
			p.log.Error("the planner failed", "err", err)
		}
	})
	p.now = run
	return nil
}

// certificates makes the site key's word for the planner's key, and renews it
// when half of its life is over.
func (p *planning) certificates(epoch tuber.Epoch) func() []byte {
	var mu sync.Mutex // guards the fields below
	var raw []byte
	var renew time.Time
	return func() []byte {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.After(renew) {
			raw = tuber.SignCertificate(p.site, tuber.Certificate{
				Planner: tuber.PublicKeyOf(p.key), Epoch: epoch,
				Expires: tuber.MillisOf(now.Add(tuber.CertificateLife)),
			})
			renew = now.Add(tuber.CertificateLife / 2)
		}
		return raw
	}
}

func (p *planning) current() *plannerRun {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *planning) running() bool { return p.current() != nil }

// serve gives conn to the planner until either ends.
func (p *planning) serve(ctx context.Context, conn control.Conn) error {
	p.mu.Lock()
	run := p.now
	if run == nil {
		p.mu.Unlock()
		return errNoPlanner
	}
	run.work.Add(1)
	p.mu.Unlock()
	defer run.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(run.ctx, cancel)()
	return run.Serve(ctx, conn)
}

// dial is how the host's own peer reaches the planner: no network between them.
func (p *planning) dial(ctx context.Context) (control.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	run := p.now
	if run == nil {
		return nil, errNoPlanner
	}
	ours, theirs := control.Pipe()
	run.work.Go(func() {
		defer theirs.Close()
		if err := run.Serve(run.ctx, theirs); err != nil && run.ctx.Err() == nil {
			p.log.Debug("the origin's own session ended", "err", err)
		}
	})
	return ours, nil
}

// Ticket admits a viewer; empty while the planner is stopped.
func (p *planning) Ticket(f tuber.Fingerprint) string {
	if run := p.current(); run != nil {
		return run.Planner.Ticket(f)
	}
	return ""
}

// free is what the plan leaves of the host's uplink; false while that is not known.
func (p *planning) free() (tuber.BitsPerSecond, bool) {
	run := p.current()
	if run == nil {
		return 0, false
	}
	return run.Free()
}

// SetContents tells the planner, and the next ones, what may be wanted.
func (p *planning) SetContents(list []tuber.Content) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.contents = list
	if p.now != nil {
		p.now.SetContents(list)
	}
}

// status is empty while the planner is stopped.
func (p *planning) status() (peers []tuber.PeerStatus, short []tuber.Shortage, fromPeers float64) {
	run := p.current()
	if run == nil {
		return nil, nil, 0
	}
	peers, short = run.Status()
	return peers, short, run.Share().Recent
}

// cells is how many cells the planner has; 0 while it is stopped.
func (p *planning) cells() int {
	if run := p.current(); run != nil {
		return run.Cells()
	}
	return 0
}

// streams are what is followed now.
func (p *planning) streams() []tuber.Content {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.contents
}

// longestSegment is that of the streams which are followed now.
func (p *planning) longestSegment() time.Duration {
	longest := tuber.Millis(0)
	for _, c := range p.streams() {
		longest = max(longest, c.Target)
	}
	return time.Duration(longest) * time.Millisecond
}

// remove takes a booster out of the book, and out of the swarm if a planner runs.
func (p *planning) remove(id tuber.PeerID) error {
	if run := p.current(); run != nil {
		return run.Remove(id)
	}
	return p.book.RemoveBooster(id)
}
