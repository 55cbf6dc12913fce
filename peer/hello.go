package peer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// lingerBye is how long a lane is kept so that its goodbye arrives.
const lingerBye = 300 * time.Millisecond

// byeError is why a link ended, as one side told the other.
type byeError struct {
	code   wire.ByeCode
	reason string
}

func (e *byeError) Error() string { return fmt.Sprintf("bye (%d): %s", e.code, e.reason) }

// greet exchanges hellos over a lane that has just opened. Until it returns nil
// nothing else is read; on an error the other side was told why.
func (s *swarm) greet(ctx context.Context, ln *lane, in tuber.Introduction) error {
	own, other := s.peer.print, ln.remotePrint()
	mine := wire.Hello{
		Version: s.peer.speaks, Role: s.peer.cfg.Role, Site: s.site, Key: tuber.PublicKeyOf(s.peer.cfg.Key),
		Signature: tuber.Sign(s.peer.cfg.Key, tuber.KindHello, wire.HelloStatement(s.site, own, other)),
	}
	if err := ln.write(false, mine.Append(nil)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { ln.fail(ctx.Err()) })
	defer stop()
	theirs, err := s.readHello(ctx, ln)
	if err == nil {
		err = checkHello(theirs, in, s.site, wire.HelloStatement(s.site, other, own))
	}
	var bye *byeError
	if errors.As(err, &bye) && bye.code != wire.ByeDone {
		ln.bye(bye.code, bye.reason)
		ln.drain(ctx, lingerBye)
	}
	return err
}

func (s *swarm) readHello(ctx context.Context, ln *lane) (wire.Hello, error) {
	ctl := ln.ctl // set before opened was closed, and never again
	deadline, _ := ctx.Deadline()
	if err := ctl.SetReadDeadline(deadline); err != nil {
		return wire.Hello{}, fmt.Errorf("hello: %w", err)
	}
	b, err := ln.read(false, make([]byte, readBuffer))
	if err != nil {
		return wire.Hello{}, fmt.Errorf("hello: %w", err)
	}
	if err := ctl.SetReadDeadline(time.Time{}); err != nil {
		return wire.Hello{}, fmt.Errorf("hello: %w", err)
	}
	f, err := wire.ReadFrame(b)
	switch f := f.(type) {
	case wire.Hello:
		return f, nil
	case wire.Bye:
		return wire.Hello{}, &byeError{f.Code, f.Reason}
	}
	return wire.Hello{}, &byeError{wire.ByeProof, fmt.Sprintf("the first frame must be a hello (%v)", err)}
}

// checkHello holds a hello against the introduction and this DTLS session.
func checkHello(h wire.Hello, in tuber.Introduction, site tuber.PublicKey, statement []byte) error {
	switch {
	case h.Version < wire.Oldest:
		return &byeError{wire.ByeVersion, fmt.Sprintf(
			"you speak version %d, this peer version %d and newer: update your program or reload the page", h.Version, wire.Oldest)}
	case h.Site != site:
		return &byeError{wire.ByeProof, "the hello is for another swarm"}
	case h.Key != in.Key || h.Key.PeerID() != in.Peer:
		return &byeError{wire.ByeProof, "the hello has another key than the one introduced"}
	}
	if err := h.Key.Check(tuber.KindHello, statement, h.Signature); err != nil {
		return &byeError{wire.ByeProof, "the hello does not prove its key for this link"}
	}
	return nil
}
