package peer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v3"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// The two channels of a lane are made by both sides under these ids, so that
// none waits for the other's word (RFC 8831, section 6.5).
const (
	ctlID  uint16 = 0 // ordered, reliable
	dataID uint16 = 1 // unordered, reliable
)

// recordPayload is about what one DTLS record carries of our bytes: SCTP cuts a
// message to fit an MTU of 1228.
const recordPayload = 1150

// readBuffer holds any SCTP message that a neighbour may send: a longer one
// than pion announces ends the lane.
const readBuffer = 64 << 10

var (
	errSealed = errors.New("lane is being replaced")
	errGone   = errors.New("the neighbour has gone")
)

// lane is one PeerConnection with its two channels.
type lane struct {
	pc      *webrtc.PeerConnection
	born    time.Time
	opened  chan struct{} // closed when both channels are open
	down    chan struct{} // closed when the lane is of no use any more
	goodbye chan struct{} // closed when the other side has said that it sends no more here
	records atomic.Uint64
	home    atomic.Bool // the other side is in this machine's own network

	dismissed atomic.Bool // the plan has ended its link

	once, byeOnce sync.Once

	mu     sync.Mutex // guards the fields below, and every write
	ctl    *datachannel.DataChannel
	data   *datachannel.DataChannel
	sealed bool
	err    error
}

// newLane makes a PeerConnection; trickle is called for each local candidate.
func (s *swarm) newLane(api *webrtc.API, trickle func(line string)) (*lane, error) {
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{s.peer.cert}, ICEServers: s.iceServers(api),
	})
	if err != nil {
		return nil, fmt.Errorf("make a PeerConnection: %w", err)
	}
	ln := &lane{
		pc: pc, born: time.Now(), opened: make(chan struct{}), down: make(chan struct{}), goodbye: make(chan struct{}),
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateFailed || s == webrtc.PeerConnectionStateClosed {
			ln.fail(errGone)
		}
	})
	pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(func(pair *webrtc.ICECandidatePair) {
		if pair == nil || pair.Remote == nil {
			return
		}
		a, err := netip.ParseAddr(pair.Remote.Address)
		ln.home.Store(err == nil && IsHome(a))
	})
	pc.OnDataChannel(func(*webrtc.DataChannel) { ln.fail(errors.New("the neighbour opened a channel of its own")) })
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c != nil {
			trickle(c.ToJSON().Candidate)
		}
	})
	err = ln.channel("ctl", ctlID, true, &ln.ctl)
	if err == nil {
		err = ln.channel("data", dataID, false, &ln.data)
	}
	if err != nil {
		ln.close()
		return nil, err
	}
	return ln, nil
}

func (ln *lane) channel(label string, id uint16, ordered bool, to **datachannel.DataChannel) error {
	negotiated := true
	dc, err := ln.pc.CreateDataChannel(label, &webrtc.DataChannelInit{
		ID: &id, Ordered: &ordered, Negotiated: &negotiated,
	})
	if err != nil {
		return fmt.Errorf("make channel %s: %w", label, err)
	}
	dc.OnOpen(func() {
		rw, err := dc.Detach()
		if err != nil {
			ln.fail(fmt.Errorf("detach channel %s: %w", label, err))
			return
		}
		raw, ok := rw.(*datachannel.DataChannel)
		if !ok {
			panic("peer: internal error: a detached channel is of another type")
		}
		ln.mu.Lock()
		defer ln.mu.Unlock()
		*to = raw
		if ln.ctl != nil && ln.data != nil {
			close(ln.opened)
		}
	})
	return nil
}

// fail marks the lane as down; the first reason stays.
func (ln *lane) fail(err error) {
	ln.once.Do(func() {
		ln.mu.Lock()
		ln.err = err
		ln.mu.Unlock()
		close(ln.down)
	})
}

func (ln *lane) reason() error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.err
}

// close ends the PeerConnection and waits for its goroutines. pion v3's
// ICETransport.stop looks at its mux twice, the second time without its lock:
// closed in the very moment in which ICE connects, it calls a nil mux. One
// neighbour's PeerConnection must not end the program.
func (ln *lane) close() {
	ln.fail(errGone)
	defer func() { _ = recover() }()
	_ = ln.pc.GracefulClose() // what it could not close is gone already
}

// remotePrint is the fingerprint of the certificate that the other side proved
// in the DTLS handshake.
func (ln *lane) remotePrint() tuber.Fingerprint {
	return sha256.Sum256(ln.pc.SCTP().Transport().GetRemoteCertificate())
}

// write sends one message; it never waits. ErrSealed means: use the newer lane.
func (ln *lane) write(data bool, b []byte) error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.sealed {
		return errSealed
	}
	return ln.writeLocked(data, b)
}

func (ln *lane) writeLocked(data bool, b []byte) error {
	ch := ln.ctl
	if data {
		ch = ln.data
	}
	ln.count(len(b))
	if _, err := ch.Write(b); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func (ln *lane) count(n int) { ln.records.Add(uint64(n/recordPayload + 1)) }

// buffered is how much SCTP holds of what was written, in bytes.
func (ln *lane) buffered(data bool) int {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if data {
		return int(ln.data.BufferedAmount())
	}
	return int(ln.ctl.BufferedAmount())
}

// read returns one whole message, in buf.
func (ln *lane) read(data bool, buf []byte) ([]byte, error) {
	ln.mu.Lock()
	ch := ln.ctl
	if data {
		ch = ln.data
	}
	ln.mu.Unlock()
	n, err := ch.Read(buf)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errGone, err)
	}
	ln.count(n)
	return buf[:n], nil
}

// seal ends all writing here but a last goodbye.
func (ln *lane) seal() {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	ln.sealed = true
}

// bye says why nothing more comes, and seals the lane.
func (ln *lane) bye(code wire.ByeCode, reason string) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	ln.sealed = true
	if ln.ctl != nil {
		_ = ln.writeLocked(false, wire.Bye{Code: code, Reason: reason}.Append(nil)) // the lane ends either way
	}
}

// heardBye notes that the other side sends no more here; it tells whether that
// is news.
func (ln *lane) heardBye() (first bool) {
	ln.byeOnce.Do(func() {
		close(ln.goodbye)
		first = true
	})
	return first
}

// endedWell tells whether the other side only had no more use for the lane: that
// is no failure, whatever closed first.
func (ln *lane) endedWell() bool {
	select {
	case <-ln.goodbye:
	default:
		return false
	}
	var bye *byeError
	return !errors.As(ln.reason(), &bye) || bye.code == wire.ByeDone
}

// drain waits until everything written has arrived, or the time is over.
func (ln *lane) drain(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ln.buffered(true)+ln.buffered(false) > 0 {
		select {
		case <-tick.C:
		case <-ln.down:
			return
		case <-ctx.Done():
			return
		}
	}
}
