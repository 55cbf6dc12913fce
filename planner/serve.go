package planner

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

// A member may say this much: a newcomer opens all its links at once.
const (
	messagesBurst  = 2000
	messagesSecond = 100
)

// Serve admits the peer at the other end of conn and serves it until either
// side ends it. It closes conn.
func (p *Planner) Serve(ctx context.Context, conn control.Conn) error {
	defer conn.Close()
	join, err := control.Admit(ctx, conn, p.authority(), p.check)
	if err != nil {
		return err
	}
	s, ctx, err := p.enter(ctx, conn, join)
	if err != nil {
		return err
	}
	err = p.listen(ctx, s)
	s.cell.exit(s.member, conn)
	p.root.post(s.cell)
	return err
}

// session is a member's connection to its cell.
type session struct {
	conn   control.Conn
	cell   *cell
	member *member
}

// enter makes the peer a member, or takes its membership up again.
func (p *Planner) enter(ctx context.Context, conn control.Conn, join wire.Join) (session, context.Context, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	c, m, refused, err := p.enterCell(arrival{join: join, conn: conn, cancel: cancel})
	switch {
	case err != nil:
	case refused != nil:
		err = control.Refuse(ctx, conn, *refused)
	case m == nil:
		err = ErrStopped
	}
	if err != nil {
		cancel(nil)
	}
	return session{conn, c, m}, ctx, err
}

func (p *Planner) enterCell(a arrival) (*cell, *member, *wire.Refused, error) {
	if a.join.Role == tuber.RoleBooster {
		p.book.Lock()
		defer p.book.Unlock()
		record, ok, err := p.cfg.Book.Booster(a.join.Key.PeerID())
		if err != nil {
			return nil, nil, nil, fmt.Errorf("read book: %w", err)
		}
		if !ok { // removed since it was checked
			return nil, nil, &refusedUnknown, nil
		}
		a.record = record
	}
	c, m, refused := p.root.enter(a)
	return c, m, refused, nil
}

func (p *Planner) listen(ctx context.Context, s session) error {
	limit := rate.NewLimiter(messagesSecond, messagesBurst)
	for {
		msg, err := s.conn.Receive(ctx)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			return cause
		}
		if err != nil {
			return err
		}
		if !limit.AllowN(p.cfg.Now(), 1) {
			return errors.New("a member sends more messages than any peer needs to")
		}
		if leave, ok := msg.(wire.Leave); ok {
			return p.leave(s, leave)
		}
		save := s.cell.hear(s.member, s.conn, msg)
		p.root.post(s.cell)
		if save {
			p.saveBoosters()
		}
	}
}

func (p *Planner) leave(s session, l wire.Leave) error {
	defer p.root.post(s.cell)
	if !l.Forget || !s.member.isBooster() {
		s.cell.leave(s.member, s.conn)
		return nil
	}
	p.book.Lock()
	defer p.book.Unlock()
	if !s.cell.leave(s.member, s.conn) {
		return nil
	}
	s.cell.strike(s.member.id)
	if err := p.cfg.Book.RemoveBooster(s.member.id); err != nil {
		return fmt.Errorf("forget booster: %w", err)
	}
	return nil
}
