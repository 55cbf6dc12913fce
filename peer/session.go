package peer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

const (
	firstBackoff = 250 * time.Millisecond
	lastBackoff  = 20 * time.Second // below the lease: a peer is back before it counts as gone
	dialTimeout  = 15 * time.Second
	urgentAfter  = 100 * time.Millisecond // gathers what fails together
)

// Membership is what joins a peer to a swarm.
type Membership struct {
	Site   tuber.PublicKey // pinned
	Name   string          // of a booster, for its host
	Chunks Chunks
	Dial   func(context.Context) (control.Conn, error)
	Host   string // of the control socket, without a port: STUN servers named without a host are there
	Secret []byte // of an invite: enrols the key with the first join
	Means  tuber.Means

	// Uplink is what meters all that is sent in this swarm to a neighbour, by
	// whether that is in the home network; nil: the peer's own Uplink. It is
	// asked for every frame.
	Uplink func(home bool) *tuber.Uplink

	// Ticket gets a viewer's ticket for the peer's fingerprint, before each join.
	Ticket func(context.Context, tuber.Fingerprint) (string, error)
	// Joined is told that a session has begun: after the first, the secret is burnt.
	Joined func()
	// Welcomed is told, at each session, what the host calls itself, which is
	// remote text, and how far the origin's clock is ahead of this machine's.
	Welcomed func(name string, ahead time.Duration)
	// Confirmed is told, now and then, the upload that receivers confirm of
	// this peer to the planner, together.
	Confirmed func(tuber.BitsPerSecond)
	// Contents is told what may be wanted now.
	Contents func([]tuber.Content)
	// Planned is told each plan that is carried out. Read only.
	Planned func(*tuber.PeerPlan)
	// FillReport adds what the peer cannot know (HTTP, stalls, bytes on disk).
	FillReport func(*tuber.Report)
}

// Join keeps the peer in a swarm until ctx ends, or the planner refuses it for
// good: then the error is a *control.RefusedError. Links outlive the session
// with the planner, and end with Join.
func (p *Peer) Join(ctx context.Context, m Membership) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	s := newSwarm(p, ctx, m)
	if err := p.enter(s); err != nil {
		s.cancel()
		return err
	}
	defer p.leave(s)
	s.tasks.Go(s.tick)
	err := s.sessions(ctx)
	s.close()
	return err
}

// close says goodbye to every neighbour and waits for all that was started.
func (s *swarm) close() {
	bye, cancel := context.WithTimeout(context.Background(), lingerBye)
	defer cancel()
	links := s.allLinks()
	for _, l := range links {
		l.current().bye(wire.ByeDone, "leaving")
	}
	for _, l := range links {
		l.current().drain(bye, lingerBye)
	}
	s.cancel()
	for _, l := range links {
		l.current().fail(ErrClosed)
	}
	s.tasks.Wait()
}

// sessions keeps one session after the other.
func (s *swarm) sessions(ctx context.Context) error {
	backoff := firstBackoff
	for ctx.Err() == nil {
		joined, err := s.session(ctx)
		var refused *control.RefusedError
		if errors.As(err, &refused) && final(refused.Code) {
			return fmt.Errorf("join: %w", err)
		}
		if ctx.Err() != nil {
			break
		}
		if joined {
			backoff = firstBackoff
		}
		s.log.Info("no session with the planner, links live on", "err", err)
		pause(ctx, jitter(backoff))
		backoff = min(2*backoff, lastBackoff)
	}
	return nil
}

// final tells whether asking again would be of no use.
func final(c wire.Code) bool {
	switch c {
	case wire.CodeVersion, wire.CodeInvite, wire.CodeUnknown, wire.CodeSuperseded, wire.CodeQuarantine, wire.CodeOff:
		return true
	}
	return false
}

// session is one conversation with the planner; it tells whether it joined.
func (s *swarm) session(ctx context.Context) (joined bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := s.join(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	defer s.setConn(nil)
	s.tasks.Go(func() { s.reportLoop(ctx, conn) })
	var heard *tuber.PeerPlan // last, in this session
	for {
		wait, done := context.WithTimeout(ctx, tuber.Lease)
		m, err := conn.Receive(wait)
		done()
		if err != nil {
			return true, fmt.Errorf("planner: %w", err)
		}
		if r, ok := m.(wire.Refused); ok {
			return true, &control.RefusedError{Code: r.Code, Sentence: r.Sentence}
		}
		if m, err = wire.WholePlan(m, &heard); err != nil {
			return true, fmt.Errorf("planner: %w", err)
		}
		s.obey(m)
	}
}

// join dials and proves both ends.
func (s *swarm) join(ctx context.Context) (control.Conn, error) {
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	j := s.joinMessage()
	if s.m.Ticket != nil {
		t, err := s.m.Ticket(dialCtx, s.peer.print)
		if err != nil {
			return nil, fmt.Errorf("ticket: %w", err)
		}
		j.Ticket = t
	}
	conn, err := s.m.Dial(dialCtx)
	if err != nil {
		return nil, fmt.Errorf("dial the planner: %w", err)
	}
	session, err := control.Join(dialCtx, conn, control.Identity{Key: s.peer.cfg.Key, Site: s.site, Join: j})
	if err != nil {
		_ = conn.Close() // it never carried anything
		return nil, err
	}
	s.mu.Lock()
	s.conn, s.offset, s.m.Secret, s.told = conn, session.Offset, nil, j.Means
	want := s.want
	s.mu.Unlock()
	s.tasks.Go(func() { s.takeSTUN(ctx, session.Welcome.STUN) })
	s.tellMeans() // they may have changed while the join was on its way
	if len(want.Contents) > 0 {
		_ = conn.Send(ctx, want) // Receive tells if the connection has gone
	}
	if s.m.Welcomed != nil {
		s.m.Welcomed(session.Welcome.Name, session.Offset)
	}
	if s.m.Joined != nil {
		s.m.Joined()
	}
	return conn, nil
}

// joinMessage says what this side still has, so that the planner adopts it.
func (s *swarm) joinMessage() wire.Join {
	ranges, reach := s.ranges(), s.peer.Reach()
	s.mu.Lock()
	defer s.mu.Unlock()
	j := wire.Join{
		Role: s.peer.cfg.Role, Name: s.m.Name[:min(len(s.m.Name), tuber.MaxName)],
		Fingerprint: s.peer.print[:], Secret: s.m.Secret, Means: s.meansLocked(reach), Ranges: ranges, Plan: s.plan,
		Changes: true,
	}
	for id := range s.links {
		j.Links = append(j.Links, id)
	}
	return j
}

func (s *swarm) setConn(c control.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
}

func (s *swarm) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil
}

// tell sends to the planner if there is a session; what is lost is sent again
// by whoever needs it.
func (s *swarm) tell(m wire.Message) {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn != nil {
		_ = conn.Send(s.ctx, m) // Receive tells if the connection has gone
	}
}

// reportLoop reports every ReportEvery, more often while the planner learns what
// the uplink carries, and at once when a neighbour lied.
func (s *swarm) reportLoop(ctx context.Context, conn control.Conn) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	since, alive := time.Now(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.reports:
			pause(ctx, urgentAfter)
		case now := <-t.C:
			if !s.reportDue(since, now) {
				continue
			}
			if now.Sub(alive) >= tuber.ReportEvery {
				alive = now
				_ = conn.Send(ctx, wire.Alive{}) // as below
			}
		}
		_ = conn.Send(ctx, s.report(since)) // Receive tells if the connection has gone
		since = time.Now()
	}
}

// SetMeans tells the swarm's planner what the peer can give from now on.
func (p *Peer) SetMeans(site tuber.PublicKey, m tuber.Means) error {
	s, err := p.swarm(site)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.means = m
	s.mu.Unlock()
	s.tellMeans()
	return nil
}

// meansLocked are the owner's means, with the reach that was learnt unless the
// owner says one.
func (s *swarm) meansLocked(learnt tuber.Reach) tuber.Means {
	m := s.means
	if m.Reach == tuber.ReachUnknown {
		m.Reach = learnt
	}
	return m
}

// tellMeans tells the planner the means if it does not know them yet.
func (s *swarm) tellMeans() {
	reach := s.peer.Reach()
	s.mu.Lock()
	m := s.meansLocked(reach)
	known := s.conn == nil || m == s.told // else the next join tells them
	if !known {
		s.told = m
	}
	s.mu.Unlock()
	if !known {
		s.tell(wire.Means{Means: m})
	}
}

// SetWant tells the planner what a viewer's player is asking for.
func (p *Peer) SetWant(site tuber.PublicKey, contents []tuber.ContentID) error {
	s, err := p.swarm(site)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.want = wire.Want{Contents: contents}
	s.mu.Unlock()
	s.tell(wire.Want{Contents: contents})
	return nil
}

// Leave tells the planner that the membership ends for good; the caller ends
// Join. With forget the host is asked to strike the key out of its book.
func (p *Peer) Leave(site tuber.PublicKey, forget bool) error {
	s, err := p.swarm(site)
	if err != nil {
		return err
	}
	s.tell(wire.Leave{Forget: forget})
	return nil
}
