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
	m, ctx, err := p.enter(ctx, conn, join)
	if err != nil {
		return err
	}
	err = p.listen(ctx, conn, m)
	p.cell.exit(m, conn)
	return err
}

// enter makes the peer a member, or takes its membership up again.
func (p *Planner) enter(ctx context.Context, conn control.Conn, join wire.Join) (*member, context.Context, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	m, refused, err := p.enterCell(arrival{join: join, conn: conn, cancel: cancel})
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
	return m, ctx, err
}

func (p *Planner) enterCell(a arrival) (*member, *wire.Refused, error) {
	if a.join.Role == tuber.RoleBooster {
		p.book.Lock()
		defer p.book.Unlock()
		record, ok, err := p.cfg.Book.Booster(a.join.Key.PeerID())
		if err != nil {
			return nil, nil, fmt.Errorf("read book: %w", err)
		}
		if !ok { // removed since it was checked
			return nil, &refusedUnknown, nil
		}
		a.record = record
	}
	m, refused := p.cell.enter(a)
	return m, refused, nil
}

func (p *Planner) listen(ctx context.Context, conn control.Conn, m *member) error {
	limit := rate.NewLimiter(messagesSecond, messagesBurst)
	for {
		msg, err := conn.Receive(ctx)
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
			return p.leave(m, conn, leave)
		}
		if p.cell.hear(m, conn, msg) {
			p.saveBoosters()
		}
	}
}

func (p *Planner) leave(m *member, conn control.Conn, l wire.Leave) error {
	if !l.Forget || !m.isBooster() {
		p.cell.leave(m, conn)
		return nil
	}
	p.book.Lock()
	defer p.book.Unlock()
	if !p.cell.leave(m, conn) {
		return nil
	}
	p.cell.strike(m.id)
	if err := p.cfg.Book.RemoveBooster(m.id); err != nil {
		return fmt.Errorf("forget booster: %w", err)
	}
	return nil
}
