package peer

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"

	"github.com/tubercdn/tuber"
)

// benchChunks is what one round carries: 8 MiB.
const benchChunks = 512

// BenchmarkLink compares the payload goodput of a link, signatures, digests,
// queue and store included, with a bare program over the same pion and sctp,
// in turns within one run. The ratio is the result; absolute figures are the
// machine's.
func BenchmarkLink(b *testing.B) {
	ns := newNodes(b)
	o, a := ns.add("origin", tuber.RoleOrigin), ns.add("ann", tuber.RoleBooster)
	st := newStream(b, ns.site, 1)
	ns.chain(st, o, a)
	l := linked(b, ns, o, a)
	l.setRate(1e9) // so that SCTP may hold the most
	bare := newBare(b)
	payload := int64(0)
	var ours, theirs time.Duration
	for b.Loop() {
		pub := st.segment(benchChunks / 4)
		for range 3 {
			more := st.segment(benchChunks / 4)
			pub.Update, pub.Playlist = more.Update, more.Playlist
			pub.Manifests = append(pub.Manifests, more.Manifests...)
			pub.Chunks = append(pub.Chunks, more.Chunks...)
		}
		begun := time.Now()
		publish(b, o, ns.Site(), pub)
		a.has(b, st.content.ID, int(st.next))
		ours += time.Since(begun)
		theirs += bare.round(b, pub.Chunks)
		payload += benchChunks * tuber.ChunkSize
	}
	mbit := func(d time.Duration) float64 { return float64(payload) * 8 / d.Seconds() / 1e6 }
	b.SetBytes(benchChunks * tuber.ChunkSize)
	b.ReportMetric(mbit(ours), "link-Mbit/s")
	b.ReportMetric(mbit(theirs), "bare-Mbit/s")
	b.ReportMetric(mbit(ours)/mbit(theirs), "link/bare")
}

// bareLink is the comparison: pion's own example in short, with large sockets.
type bareLink struct {
	out *datachannel.DataChannel
	low chan struct{}
	got chan int
}

func newBare(b *testing.B) *bareLink {
	x := &bareLink{low: make(chan struct{}, 1), got: make(chan int, 1024)}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	_, _ = conn.SetReadBuffer(socketBuffer), conn.SetWriteBuffer(socketBuffer)
	take := settings()
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn})
	take.SetICEUDPMux(mux)
	dial := settings()
	dial.SetIncludeLoopbackCandidate(true)
	dial.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	left, right := barePC(b, dial), barePC(b, take)
	b.Cleanup(func() {
		err := errors.Join(left.GracefulClose(), right.GracefulClose(), mux.Close())
		if err != nil {
			b.Log(err)
		}
	})
	opened := make(chan *datachannel.DataChannel, 2)
	for _, pc := range []*webrtc.PeerConnection{left, right} {
		ordered, negotiated, id := false, true, uint16(1)
		dc, err := pc.CreateDataChannel("data", &webrtc.DataChannelInit{Ordered: &ordered, Negotiated: &negotiated, ID: &id})
		if err != nil {
			b.Fatal(err)
		}
		dc.OnOpen(func() {
			raw, err := dc.Detach()
			if err != nil {
				return
			}
			if pc == left {
				opened <- raw.(*datachannel.DataChannel)
			} else {
				go x.read(raw)
			}
		})
	}
	connectBare(b, left, right)
	x.out = <-opened
	x.out.SetBufferedAmountLowThreshold(maxHold - tuber.MaxFrame)
	x.out.OnBufferedAmountLow(func() { wake(x.low) })
	return x
}

func barePC(b *testing.B, se webrtc.SettingEngine) *webrtc.PeerConnection {
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(se)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		b.Fatal(err)
	}
	return pc
}

func connectBare(b *testing.B, left, right *webrtc.PeerConnection) {
	describe := func(pc *webrtc.PeerConnection, make func() (webrtc.SessionDescription, error)) webrtc.SessionDescription {
		d, err := make()
		if err != nil {
			b.Fatal(err)
		}
		gathered := webrtc.GatheringCompletePromise(pc)
		if err := pc.SetLocalDescription(d); err != nil {
			b.Fatal(err)
		}
		<-gathered
		return *pc.LocalDescription()
	}
	offer := describe(left, func() (webrtc.SessionDescription, error) { return left.CreateOffer(nil) })
	if err := right.SetRemoteDescription(offer); err != nil {
		b.Fatal(err)
	}
	answer := describe(right, func() (webrtc.SessionDescription, error) { return right.CreateAnswer(nil) })
	if err := left.SetRemoteDescription(answer); err != nil {
		b.Fatal(err)
	}
}

func (x *bareLink) read(r io.Reader) {
	buf := make([]byte, readBuffer)
	for {
		n, err := r.Read(buf)
		if err != nil {
			return
		}
		x.got <- n
	}
}

// round sends the same bytes over the bare channel. It hashes each chunk once,
// as a receiver that trusts nobody must.
func (x *bareLink) round(b *testing.B, chunks []tuber.VerifiedChunk) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	begun := time.Now()
	go func() {
		for _, c := range chunks {
			for x.out.BufferedAmount() > maxHold-tuber.MaxFrame {
				select {
				case <-x.low:
				case <-ctx.Done():
					return
				}
			}
			if _, err := x.out.Write(c.Data()); err != nil {
				return
			}
		}
	}()
	for _, c := range chunks {
		select {
		case <-x.got:
			_ = sha256.Sum256(c.Data())
		case <-ctx.Done():
			b.Fatal("the bare link stalled")
		}
	}
	return time.Since(begun)
}
