package booster

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
	"github.com/tubercdn/tuber/wire"
)

const (
	// answerWithin is how long Join waits for the host before it leaves the
	// trying to Run.
	answerWithin = 10 * time.Second
	// askAgain is when a host is asked anew that refused for now: it switched
	// peers off, or one side must be updated.
	askAgain = 5 * time.Minute
)

// membership is one swarm that the booster is in.
type membership struct {
	b       *Booster
	site    tuber.PublicKey
	uplink  *swarmUplink
	answers chan error // capacity 1: the host's first answer to an invite; nil if nobody waits
	chunks  *store.Store
	ahead   atomic.Int64 // nanoseconds by which the origin's clock is ahead of this one

	stop context.CancelFunc // ends run; nil while it does not run
	done chan struct{}      // closed when run has ended

	meters   meters              // guarded by b.mu
	confirms tuber.BitsPerSecond // of what is sent, by its receivers; guarded by b.mu
	told     *tuber.Means        // to the planner; nil: it is to be told. Guarded by b.mu

	mu     sync.Mutex // guards the fields below
	record tuber.MembershipRecord
	err    error // why there is no session now; nil while there is one
}

func newMembership(b *Booster, r tuber.MembershipRecord) *membership {
	return &membership{b: b, site: r.Site, record: r, uplink: b.newSwarmUplink()}
}

// startLocked runs the membership; b.mu is held and b runs.
func (b *Booster) startLocked(m *membership) {
	ctx, cancel := context.WithCancel(b.running)
	m.stop, m.done = cancel, make(chan struct{})
	b.members.Go(func() {
		defer close(m.done)
		defer cancel()
		m.run(ctx)
	})
}

// run keeps the store open and the peer in the swarm until ctx ends.
func (m *membership) run(ctx context.Context) {
	chunks, err := store.New(store.Options{
		Site: m.site, Path: m.file(m.b.folder()), Quota: m.b.quota(), Now: m.now, Log: m.b.log,
	})
	if err != nil {
		if !m.answer(err) {
			m.b.log.Error("swarm not joined", "host", m.host(), "error", err)
		}
		return
	}
	m.mu.Lock()
	m.chunks = chunks
	m.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { m.problem(chunks.Run(ctx)) })
	for ctx.Err() == nil {
		err := m.join(ctx, chunks)
		if ctx.Err() != nil {
			break
		}
		if !m.answer(err) {
			m.b.log.Warn("the host refused", "host", m.host(), "error", err)
		}
		if !worthAsking(err) {
			<-ctx.Done()
			break
		}
		sleep(ctx, askAgain+rand.N(askAgain/5))
	}
	wg.Wait()
	m.mu.Lock()
	m.chunks = nil
	m.mu.Unlock()
	m.problem(chunks.Close())
}

// join returns when ctx ends or the host refuses for good.
func (m *membership) join(ctx context.Context, chunks *store.Store) error {
	r := m.current()
	p, err := m.b.peerFor(r.Host)
	if err != nil {
		return err
	}
	var secret []byte
	if r.Invite.Host != "" {
		secret = r.Invite.Secret[:]
	}
	return p.Join(ctx, peer.Membership{
		Site: m.site, Name: m.b.name(), Chunks: chunks, Secret: secret, Means: m.b.means(m.site),
		Uplink: m.pick, Welcomed: m.welcomed, Confirmed: m.confirmed,
		Dial:   m.dial,
		Host:   hostname(r.Host),
		Joined: m.joined,
		FillReport: func(rep *tuber.Report) {
			rep.Stored = uint64(chunks.Stored())
		},
	})
}

func (m *membership) dial(ctx context.Context) (control.Conn, error) {
	r := m.current()
	conn, err := control.Dial(ctx, control.DialOptions{URL: "wss://" + r.Host + r.Prefix + "control", Pin: r.Pin})
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		m.answer(fmt.Errorf("%s does not answer: %w (%s)", r.Host, ErrOffline, cause(err)))
	}
	return conn, err
}

// cause is the last and plainest part of a chain of errors about a host. It
// leaves the address out, which is in the host's name or nobody's business.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}

// joined is told of each session: the invite was burnt, so it is forgotten.
func (m *membership) joined() {
	m.mu.Lock()
	m.err = nil
	burnt := m.record.Invite != tuber.Invite{}
	m.record.Invite = tuber.Invite{}
	r := m.record
	m.mu.Unlock()
	if burnt {
		m.b.note(m.b.book.AddMembership(r))
		m.b.log.Info("enrolled with the host", "host", r.Host)
		m.b.events.add(tuber.EventJoined, r.Host, "")
	}
	m.b.events.add(tuber.EventLinked, r.Host, "")
	select {
	case m.answers <- nil:
	default:
	}
	m.retell()
}

// welcomed is told what the host calls itself, and its clock.
func (m *membership) welcomed(name string, ahead time.Duration) {
	m.ahead.Store(int64(ahead))
	name = tuber.Plain(name, tuber.MaxName)
	m.mu.Lock()
	news := m.record.Name != name
	m.record.Name = name
	r := m.record
	m.mu.Unlock()
	if news {
		m.b.note(m.b.book.AddMembership(r))
	}
}

// answer keeps why the host, or this side, refused. It tells whether Join
// passes it on.
func (m *membership) answer(err error) bool {
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
	if err != nil {
		kind := tuber.EventRefused
		if errors.Is(err, ErrOffline) {
			kind = tuber.EventAway
		}
		m.b.events.add(kind, m.host(), tuber.Scrub(plainly(err).Error()))
	}
	select {
	case m.answers <- err:
		return true
	default:
		return false
	}
}

// problem keeps what is in the way now, to be shown.
func (m *membership) problem(err error) {
	if err == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// worthAsking tells whether a refusal may end by itself.
func worthAsking(err error) bool {
	var refused *control.RefusedError
	if !errors.As(err, &refused) {
		return true
	}
	switch refused.Code {
	case wire.CodeOff, wire.CodeVersion, wire.CodeSuperseded:
		return true
	}
	return false
}

func (m *membership) current() tuber.MembershipRecord {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record
}

func (m *membership) host() string { return m.current().Host }

// now is the origin's clock, as far as it is known: what expires goes by it.
func (m *membership) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

// file is where the chunks of the swarm are in a folder.
func (m *membership) file(folder string) string {
	return filepath.Join(folder, "chunks-"+hex.EncodeToString(m.site[:8])+".db")
}

// erase deletes what was kept of the swarm, notes beside the file included.
func (m *membership) erase() error {
	var all []error
	found, err := filepath.Glob(m.file(m.b.cfg.Dir) + "*")
	all = append(all, err)
	if folder := m.b.folder(); folder != m.b.cfg.Dir {
		more, err := filepath.Glob(m.file(folder) + "*")
		found, all = append(found, more...), append(all, err)
	}
	for _, path := range found {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = append(all, fmt.Errorf("delete chunks: %w", err))
		}
	}
	return errors.Join(all...)
}

// hostname is a host, as an invite names it, without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// isPrivate tells whether a host, as an invite names it, is in a private
// network or on this machine. A name that is not an address counts as public,
// except for localhost: what it resolves to is for others to say.
func isPrivate(host string) bool {
	name := hostname(host)
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast())
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
