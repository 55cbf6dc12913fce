package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
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
	se.LoggerFactory = quiet()
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

// quiet keeps the libraries from logging: they would log addresses.
func quiet() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	f.ScopeLevels = map[string]logging.LogLevel{}
	return f
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
	p.mux = newMux(p.cfg.Conn)
	take.SetICEUDPMux(p.mux)
	p.takes = webrtc.NewAPI(webrtc.WithSettingEngine(take))
}

// newMux reads from conn until it is closed.
func newMux(conn net.PacketConn) *ice.UniversalUDPMuxDefault {
	gate := &gatedConn{conn, make(chan struct{})}
	mux := ice.NewUniversalUDPMuxDefault(ice.UniversalUDPMuxParams{
		Logger: quiet().NewLogger("mux"), UDPConn: gate, XORMappedAddrCacheTTL: mappingCache,
	})
	close(gate.open)
	return mux
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

// widen asks for large socket buffers and says, once in a process, what to do
// if the kernel grants less.
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
		warnBuffer.Do(func() {
			p.log.Warn("the UDP socket's buffer is small, links will be slower", "bytes", got, "mend", bufferMend)
		})
	}
}

// warnBuffer keeps a program with several peers from saying twice what is to
// be mended once.
var warnBuffer sync.Once

// roomyNet gives every socket large buffers, and counts what leaves by it.
type roomyNet struct {
	*stdnet.Net
	sent func(net.Addr, int) // nil for nobody
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
	sent func(net.Addr, int)
}

func (c *countedUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.UDPConn.WriteTo(b, to)
	c.sent(to, max(n, 0))
	return n, err
}
