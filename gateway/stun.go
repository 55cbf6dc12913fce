package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun"
)

const (
	stunHeader = 20   // bytes, RFC 8489 section 5
	maxRequest = 1280 // bytes; a longer datagram is no Binding request of ours
)

// STUNConfig is what a STUN server needs.
type STUNConfig struct {
	// Conns are the sockets to answer on. A client that sees one mapping from
	// two of them has one that does not depend on the destination (RFC 5780
	// section 4.3, with ports in place of addresses). The caller closes them.
	Conns []net.PacketConn
	Log   *slog.Logger
}

// STUN answers Binding requests on its sockets, and nothing else.
type STUN struct {
	conns  []net.PacketConn
	log    *slog.Logger
	limits *limits

	replies, ignored, limited atomic.Uint64
}

// STUNStatus counts datagrams since the start.
type STUNStatus struct {
	Replies uint64 // answered
	Ignored uint64 // malformed, or not a Binding request
	Limited uint64 // well-formed, but over a source's cap or the server's
}

// NewSTUN makes a server; Run runs it.
func NewSTUN(cfg STUNConfig) (*STUN, error) {
	if len(cfg.Conns) == 0 {
		return nil, errors.New("stun server: no socket to answer on")
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &STUN{conns: cfg.Conns, log: log, limits: newLimits()}, nil
}

// Status may be called at any time.
func (s *STUN) Status() STUNStatus {
	return STUNStatus{Replies: s.replies.Load(), Ignored: s.ignored.Load(), Limited: s.limited.Load()}
}

// Run answers until ctx ends, which is not an error, or until a socket fails.
func (s *STUN) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make(chan error, len(s.conns))
	for _, conn := range s.conns {
		stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
		wg.Go(func() {
			defer stop()
			defer cancel() // one socket lost ends them all
			errs <- s.serve(ctx, conn)
		})
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (s *STUN) serve(ctx context.Context, conn net.PacketConn) error {
	buf := make([]byte, maxRequest+1)
	reply := new(stun.Message)
	for failures := 0; ; {
		n, from, err := conn.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("answer stun: %w", err)
		case err != nil:
			// An ICMP message about an earlier reply surfaces here on some systems.
			if failures++; failures > maxReadFailures {
				return fmt.Errorf("answer stun: %w", err)
			}
			continue
		}
		failures = 0
		addr, ok := source(from)
		if !ok || !s.answer(buf[:n], addr, reply) {
			continue
		}
		// A reply that cannot go is like one that was lost: the client asks again.
		if _, err := conn.WriteTo(reply.Raw, from); err == nil {
			s.replies.Add(1)
		}
	}
}

// maxReadFailures in a row mean that a socket is broken for good.
const maxReadFailures = 100

// source is the address that a datagram came from, if one may answer it.
func source(from net.Addr) (netip.AddrPort, bool) {
	udp, ok := from.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	a := udp.AddrPort()
	addr := a.Addr().Unmap()
	if a.Port() == 0 || !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr, a.Port()), true
}

// answer writes the reply to one datagram, or says that there is none.
func (s *STUN) answer(datagram []byte, from netip.AddrPort, reply *stun.Message) bool {
	id, ok := readRequest(datagram)
	if !ok {
		s.ignored.Add(1)
		return false
	}
	if !s.limits.allow(from.Addr(), time.Now()) {
		s.limited.Add(1)
		return false
	}
	reply.Reset()
	reply.TransactionID = id
	reply.SetType(stun.BindingSuccess)
	reply.WriteHeader()
	mapped := stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}
	return mapped.AddTo(reply) == nil
}

// readRequest returns the transaction of a Binding request. It is stricter than
// the library's own reader: the datagram holds exactly one message, attributes
// that must be understood are (RFC 8489 section 6.3.1; the error that names
// the others would be larger than a reply may be, so there is none), and a
// FINGERPRINT is last and right (section 14.7).
func readRequest(datagram []byte) (id [stun.TransactionIDSize]byte, ok bool) {
	if len(datagram) < stunHeader || len(datagram) > maxRequest || len(datagram)%4 != 0 ||
		datagram[0]>>6 != 0 || !stun.IsMessage(datagram) {
		return id, false
	}
	var m stun.Message
	m.Raw = datagram
	if m.Decode() != nil || m.Type != stun.BindingRequest || int(m.Length)+stunHeader != len(datagram) {
		return id, false
	}
	for i, a := range m.Attributes {
		if a.Type.Required() && !understood(a.Type) {
			return id, false
		}
		if a.Type == stun.AttrFingerprint &&
			(i != len(m.Attributes)-1 || stun.Fingerprint.Check(&m) != nil) {
			return id, false
		}
	}
	return m.TransactionID, true
}

// understood tells whether an attribute that a client may insist on is known.
// Credentials are no use to a server that asks for none, and are passed over.
func understood(t stun.AttrType) bool {
	switch t {
	case stun.AttrUsername, stun.AttrMessageIntegrity, stun.AttrRealm, stun.AttrNonce, stun.AttrPriority, stun.AttrUseCandidate:
		return true
	}
	return false
}
