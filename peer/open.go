package peer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	openDeadline = 2 * time.Second // then the PeerConnection is thrown away; each try has twice as long,
	longestOpen  = 8 * time.Second // up to this: behind full lines a handshake's six round trips take seconds
	openTries    = 5               // fresh ones before the link counts as failed
	retryAfter   = 30 * time.Second
	maxSignals   = 32 // waiting for one opening
	maxEarly     = 64 // that came before their introduction
	offerBurst   = 6  // offers taken from one neighbour at once, then one a second
	maxTrickled  = 32 // own candidates told for one lane
)

// errOpen is returned when no fresh PeerConnection opened.
var errOpen = errors.New("the link did not open")

// opening is a lane on its way: signals go in, candidates come out.
type opening struct {
	s       *swarm
	in      tuber.Introduction
	attempt uint32
	signals chan wire.Signal
	cancel  context.CancelFunc

	mu        sync.Mutex // guards the fields below
	described bool       // the description was sent: candidates may follow
	waiting   []string
	told      int

	remote int // candidates taken from the neighbour
	held   []string
}

// begin makes room for one opening with a neighbour; an older one ends.
func (s *swarm) begin(in tuber.Introduction, attempt uint32, cancel context.CancelFunc) *opening {
	o := &opening{s: s, in: in, attempt: attempt, cancel: cancel, signals: make(chan wire.Signal, maxSignals)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.openings[in.Peer]; old != nil {
		old.cancel()
	}
	s.openings[in.Peer] = o
	return o
}

func (s *swarm) end(o *opening) {
	o.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.openings[o.in.Peer] == o {
		delete(s.openings, o.in.Peer)
	}
}

// onSignal gives a signal to its opening; an offer begins one.
func (s *swarm) onSignal(sig wire.Signal) {
	s.mu.Lock()
	in, known := s.intros[sig.Peer]
	_, bad := s.quarantined[sig.Peer]
	o := s.openings[sig.Peer]
	if !known && !bad && len(s.early) < maxEarly {
		s.early = append(s.early, sig) // the plan that introduces it is on its way
	}
	s.mu.Unlock()
	switch {
	case !known || bad || len(sig.Data) > wire.MaxSignal:
	case sig.Kind == wire.SignalOffer:
		if !in.Offer && s.mayOffer(in.Peer) {
			s.answer(in, sig)
		}
	case o != nil && o.attempt == sig.Attempt:
		select {
		case o.signals <- sig:
		default: // more candidates than any honest neighbour has
		}
	}
}

// opens tells whether a lane to the neighbour is on its way.
func (s *swarm) opens(id tuber.PeerID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openings[id] != nil
}

// mayOffer bounds how many PeerConnections a neighbour can make this side begin.
func (s *swarm) mayOffer(id tuber.PeerID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.offered[id]
	if a == nil {
		a = new(allowance)
		s.offered[id] = a
	}
	return a.take(offerBurst, time.Now())
}

// offer opens a lane to a neighbour, the next one after so many failed; the caller attaches it.
func (s *swarm) offer(ctx context.Context, in tuber.Introduction, failed int) (*lane, error) {
	ctx, cancel := context.WithTimeout(ctx, min(openDeadline<<min(failed, openTries), longestOpen))
	defer cancel()
	o := s.begin(in, rand.Uint32(), cancel)
	defer s.end(o)
	ln, err := s.newLane(s.peer.dials, o.trickle)
	if err != nil {
		return nil, err
	}
	desc, err := ln.pc.CreateOffer(nil)
	if err == nil {
		err = ln.pc.SetLocalDescription(desc)
	}
	if err != nil {
		ln.close()
		return nil, fmt.Errorf("make an offer: %w", err)
	}
	o.describe(wire.SignalOffer, desc.SDP, nil)
	return o.finish(ctx, ln)
}

// answer opens the lane that a neighbour offers, in the background. The neighbour's
// next offer ends it, if that comes first.
func (s *swarm) answer(in tuber.Introduction, sig wire.Signal) {
	ctx, cancel := context.WithTimeout(s.ctx, longestOpen)
	o := s.begin(in, sig.Attempt, cancel)
	s.tasks.Go(func() {
		defer s.end(o)
		ln, err := o.accept(ctx, sig.Data)
		if err != nil {
			s.log.Debug("answer an offer", "peer", in.Peer, "err", err)
			return
		}
		if !s.attach(in, ln) {
			ln.close()
		}
	})
}

func (o *opening) accept(ctx context.Context, sdp string) (*lane, error) {
	ln, err := o.s.newLane(o.s.peer.takes, o.trickle)
	if err != nil {
		return nil, err
	}
	err = o.setRemote(ln, webrtc.SDPTypeOffer, sdp)
	var desc webrtc.SessionDescription
	if err == nil {
		desc, err = ln.pc.CreateAnswer(nil)
	}
	if err == nil {
		err = ln.pc.SetLocalDescription(desc)
	}
	if err != nil {
		ln.close()
		return nil, fmt.Errorf("answer: %w", err)
	}
	var lines []string
	if o.s.peer.mux != nil {
		for i, a := range o.s.peer.outside() {
			lines = append(lines, candidateFor(i, a))
		}
	}
	o.describe(wire.SignalAnswer, desc.SDP, lines)
	return o.finish(ctx, ln)
}

// finish takes signals until the lane is open and proved.
func (o *opening) finish(ctx context.Context, ln *lane) (*lane, error) {
	err := o.connect(ctx, ln)
	if err == nil {
		err = o.s.greet(ctx, ln, o.in)
	}
	if err != nil {
		ln.close()
		return nil, err
	}
	return ln, nil
}

func (o *opening) connect(ctx context.Context, ln *lane) error {
	for {
		select {
		case <-ln.opened:
			return nil
		case <-ln.down:
			return ln.reason()
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errOpen, ctx.Err())
		case sig := <-o.signals:
			if err := o.take(ln, sig); err != nil {
				return err
			}
		}
	}
}

func (o *opening) take(ln *lane, sig wire.Signal) error {
	switch sig.Kind {
	case wire.SignalAnswer:
		return o.setRemote(ln, webrtc.SDPTypeAnswer, sig.Data)
	case wire.SignalCandidate:
		o.addRemote(ln, sig.Data)
	}
	return nil
}

func (o *opening) setRemote(ln *lane, t webrtc.SDPType, sdp string) error {
	rest, candidates := splitSDP(sdp)
	if err := ln.pc.SetRemoteDescription(webrtc.SessionDescription{Type: t, SDP: rest}); err != nil {
		return fmt.Errorf("read the neighbour's %s: %w", t, err)
	}
	for _, line := range append(candidates, o.held...) {
		o.addRemote(ln, line)
	}
	o.held = nil
	return nil
}

// addRemote lets a candidate in that a link may use; the others are dropped
// without a word.
func (o *opening) addRemote(ln *lane, line string) {
	a, err := parseCandidate(line)
	if err != nil || !usable(a.Addr(), o.s.peer.cfg.AllowPrivate) || o.remote >= maxRemoteCandidates {
		return
	}
	if ln.pc.RemoteDescription() == nil {
		if len(o.held) < maxRemoteCandidates {
			o.held = append(o.held, line)
		}
		return
	}
	o.remote++
	if err := ln.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: line}); err != nil {
		o.s.log.Debug("a candidate was not taken", "peer", o.in.Peer)
	}
}

// describe sends the description and lets the candidates follow.
func (o *opening) describe(kind wire.SignalKind, sdp string, extra []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.described = true
	o.tellLocked(kind, sdp)
	for _, line := range append(o.waiting, extra...) {
		o.candidateLocked(line)
	}
	o.waiting = nil
}

// trickle is called by ICE for each of this side's candidates.
func (o *opening) trickle(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.described {
		o.candidateLocked(line)
	} else if len(o.waiting) < maxTrickled {
		o.waiting = append(o.waiting, line)
	}
}

// candidateLocked tells a candidate that the other side may use: a private
// address is nobody's business outside its own network.
func (o *opening) candidateLocked(line string) {
	a, err := parseCandidate(line)
	if err != nil || !usable(a.Addr(), o.s.peer.cfg.AllowPrivate) || o.told >= maxTrickled {
		return
	}
	o.told++
	o.tellLocked(wire.SignalCandidate, line)
}

func (o *opening) tellLocked(kind wire.SignalKind, data string) {
	o.s.tell(wire.Signal{Peer: o.in.Peer, Kind: kind, Attempt: o.attempt, Data: data})
}
