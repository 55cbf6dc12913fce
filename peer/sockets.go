package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/logging"
	"github.com/pion/transport/v2"
	"github.com/pion/transport/v2/stdnet"
	"github.com/pion/webrtc/v3"

	"github.com/tubercdn/tuber"
)

const (
	// socketBuffer is asked for, in bytes. The kernel's default (208 KiB on
	// Linux) is below SCTP's window of 1 MiB and costs 3.5 to 7 times in goodput.
	socketBuffer = 8 << 20
	// certificateLife outlives any run; WebRTC refuses expired certificates.
	certificateLife = 10 * 365 * 24 * time.Hour

	mappingEvery   = 25 * time.Second // NATs forget UDP mappings after 30 s at the earliest (RFC 4787, REQ-5 wants 2 min)
	mappingTimeout = 2 * time.Second
)

// newCertificate makes the DTLS certificate of this run.
func newCertificate() (webrtc.Certificate, tuber.Fingerprint, error) {
	fail := func(err error) (webrtc.Certificate, tuber.Fingerprint, error) {
		return webrtc.Certificate{}, tuber.Fingerprint{}, fmt.Errorf("make a DTLS certificate: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fail(err)
	}
	now := time.Now()
	cert, err := webrtc.NewCertificate(key, x509.Certificate{
		SerialNumber: serial, NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(certificateLife),
	})
	if err != nil {
		return fail(err)
	}
	prints, err := cert.GetFingerprints()
	if err != nil {
		return fail(err)
	}
	for _, p := range prints {
		b, err := hex.DecodeString(strings.ReplaceAll(p.Value, ":", ""))
		if p.Algorithm == "sha-256" && err == nil && len(b) == len(tuber.Fingerprint{}) {
			return *cert, tuber.Fingerprint(b), nil
		}
	}
	return fail(errors.New("it has no SHA-256 fingerprint"))
}

// settings are the same for both kinds of socket (design section 4: short
// timers, no acceptance waits, the SCTP receive buffer at its default).
func settings() webrtc.SettingEngine {
	var se webrtc.SettingEngine
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled // it would log addresses
	quiet.ScopeLevels = map[string]logging.LogLevel{}
	se.LoggerFactory = quiet
	se.DetachDataChannels()
	se.SetICETimeouts(2*time.Second, 5*time.Second, time.Second)
	se.SetHostAcceptanceMinWait(0)
	se.SetSrflxAcceptanceMinWait(0)
	se.SetPrflxAcceptanceMinWait(0)
	se.SetRelayAcceptanceMinWait(0)
	se.SetDTLSRetransmissionInterval(150 * time.Millisecond)
	// Browsers hide their host addresses behind .local names; their checks
	// reach the mux all the same, as peer-reflexive ones.
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	se.DisableActiveTCP(true)
	return se
}

// listen sets up the two ways to make a PeerConnection: over the mux, for the
// offers that come, and with a socket of its own for those that this side
// makes, because two PeerConnections between the same two muxes fail.
func (p *Peer) listen() {
	dial := settings()
	if n, err := stdnet.NewNet(); err == nil {
		dial.SetNet(&roomyNet{n, p.cfg.Sent})
	}
	dial.SetIncludeLoopbackCandidate(p.cfg.AllowPrivate)
	p.dials = webrtc.NewAPI(webrtc.WithSettingEngine(dial))
	p.takes = p.dials
	if p.cfg.Conn == nil {
		return
	}
	if a, ok := p.cfg.Conn.LocalAddr().(*net.UDPAddr); ok && !a.IP.IsUnspecified() {
		ip := a.IP
		dial.SetIPFilter(func(own net.IP) bool { return own.Equal(ip) })
		p.dials = webrtc.NewAPI(webrtc.WithSettingEngine(dial))
	}
	p.widen()
	take := settings()
	gate := &gatedConn{p.cfg.Conn, make(chan struct{})}
	p.mux = ice.NewUniversalUDPMuxDefault(ice.UniversalUDPMuxParams{
		Logger: take.LoggerFactory.NewLogger("mux"), UDPConn: gate,
	})
	close(gate.open)
	take.SetICEUDPMux(p.mux)
	p.takes = webrtc.NewAPI(webrtc.WithSettingEngine(take))
}

// gatedConn holds packets back until the mux is made: ice/v2 begins to read
// before it has set all that its reader uses.
type gatedConn struct {
	net.PacketConn
	open chan struct{}
}

func (c *gatedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	<-c.open
	return c.PacketConn.ReadFrom(b)
}

// widen asks for large socket buffers and says once what to do if the kernel
// grants less.
func (p *Peer) widen() {
	c, ok := p.cfg.Conn.(interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	})
	if !ok {
		return
	}
	// The outcome is read back below, errors included.
	_, _ = c.SetReadBuffer(socketBuffer), c.SetWriteBuffer(socketBuffer)
	if got, ok := grantedBuffer(p.cfg.Conn); ok && got < socketBuffer {
		p.log.Warn("the UDP socket's buffer is small, links will be slower",
			"bytes", got, "mend", bufferMend)
	}
}

// roomyNet gives every socket large buffers, and counts what leaves by it.
type roomyNet struct {
	*stdnet.Net
	sent *atomic.Uint64 // nil for nobody
}

func (n *roomyNet) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	_, _ = c.SetReadBuffer(socketBuffer), c.SetWriteBuffer(socketBuffer)
	if n.sent == nil {
		return c, nil
	}
	return &countedUDP{c, n.sent}, nil
}

// countedUDP counts the bytes that ICE and DTLS send; they use WriteTo alone.
type countedUDP struct {
	transport.UDPConn
	sent *atomic.Uint64
}

func (c *countedUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(b, to)
	c.sent.Add(uint64(max(n, 0)))
	return n, err
}

// iceServers are the STUN servers for a socket of its own.
func (p *Peer) iceServers() []webrtc.ICEServer {
	var urls []string
	for _, s := range p.cfg.STUN {
		urls = append(urls, "stun:"+s)
	}
	if urls == nil {
		return nil
	}
	return []webrtc.ICEServer{{URLs: urls}}
}

// watchMapping learns, out of the mux's own socket, how it looks from outside
// (RFC 8489), and keeps the NAT's mapping alive by asking again.
func (p *Peer) watchMapping(ctx context.Context) {
	if p.mux == nil || len(p.cfg.STUN) == 0 {
		return
	}
	for ctx.Err() == nil {
		var seen []netip.AddrPort
		for _, server := range p.cfg.STUN {
			if a, err := p.askMapping(server); err != nil {
				p.log.Debug("ask a STUN server", "err", "no answer")
			} else if !slices.Contains(seen, a) {
				seen = append(seen, a)
			}
		}
		p.mu.Lock()
		p.mapped = seen
		p.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(mappingEvery):
		}
	}
}

func (p *Peer) askMapping(server string) (netip.AddrPort, error) {
	addr, err := net.ResolveUDPAddr("udp", server)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("STUN server: %w", err)
	}
	x, err := p.mux.GetXORMappedAddr(addr, mappingTimeout)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("STUN server: %w", err)
	}
	ip, ok := netip.AddrFromSlice(x.IP)
	if !ok {
		return netip.AddrPort{}, errors.New("STUN server: it answered no address")
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(x.Port)), nil
}

// outside is where the world may reach the mux, apart from its own address.
func (p *Peer) outside() []netip.AddrPort {
	p.mu.Lock()
	out := slices.Clone(p.mapped)
	p.mu.Unlock()
	if p.cfg.Addresses != nil {
		for _, a := range p.cfg.Addresses() {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}
