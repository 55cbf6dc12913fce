//go:build unix

package peer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"
	"golang.org/x/sys/unix"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/store"
)

// benchChunks is what one round carries: 8 MiB.
const benchChunks = 512

// BenchmarkLink compares the payload goodput of a link, signatures, digests,
// queue and store included, with a bare program over the same pion and sctp, in
// turns within one run, each first every other time. The ratios are the result;
// absolute figures are the machine's. CPU is that of the whole process while one
// of them carries: where other programs want the cores, it is the steadier one.
func BenchmarkLink(b *testing.B) {
	ns := newNodes(b)
	o, a := ns.bare("origin", tuber.RoleOrigin), ns.bare("ann", tuber.RoleBooster)
	kept := newCounted(b)
	o.rest, a.rest = newCounted(b), kept
	ns.join(o)
	ns.join(a)
	st := newStream(b, ns.site, 1)
	ns.chain(st, o, a)
	l := linked(b, ns, o, a)
	l.setRate(1e9) // so that SCTP may hold the most
	bare := newBare(b)
	data := benchData()
	var ours, theirs spent
	for i := 0; b.Loop(); i++ {
		pub := benchSegment(b, st, data)
		turns := []func(){
			func() {
				done := kept.wait(benchChunks)
				publish(b, o, ns.Site(), pub)
				<-done
			},
			func() { bare.round(b, pub.Chunks) },
		}
		if i%2 == 0 {
			ours.add(turns[0])
			theirs.add(turns[1])
		} else {
			theirs.add(turns[1])
			ours.add(turns[0])
		}
	}
	payload := float64(b.N) * benchChunks * tuber.ChunkSize
	mbit := func(s spent) float64 { return payload * 8 / s.wall.Seconds() / 1e6 }
	b.SetBytes(benchChunks * tuber.ChunkSize)
	b.ReportMetric(mbit(ours), "link-Mbit/s")
	b.ReportMetric(mbit(theirs), "bare-Mbit/s")
	b.ReportMetric(mbit(ours)/mbit(theirs), "link/bare")
	b.ReportMetric(theirs.cpu.Seconds()/ours.cpu.Seconds(), "bare/link-CPU")
}

// spent is what one of the two took.
type spent struct{ wall, cpu time.Duration }

func (s *spent) add(f func()) {
	wall, cpu := time.Now(), processCPU()
	f()
	s.cpu += processCPU() - cpu
	s.wall += time.Since(wall)
}

// processCPU is what the process has spent so far, in user and kernel.
func processCPU() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchData() (data [][]byte) {
	for range benchChunks {
		b := make([]byte, tuber.ChunkSize)
		_, _ = rand.Read(b)
		data = append(data, b)
	}
	return data
}

// benchSegment cuts a segment of four runs out of the same bytes as ever: what a
// test keeps to compare with is no part of a link's cost.
func benchSegment(b *testing.B, st *stream, data [][]byte) Publication {
	pub := Publication{Content: st.content}
	for part := range slices.Chunk(data, tuber.MaxRun) {
		m := tuber.Manifest{
			Content: st.content.ID, First: st.next, Expires: tuber.MillisOf(time.Now().Add(time.Minute)),
			URL: fmt.Sprintf("/seg%d.ts", st.next), Length: uint32(len(part) * tuber.ChunkSize), Ends: true,
		}
		for _, d := range part {
			m.Digests = append(m.Digests, sha256.Sum256(d))
		}
		s, err := tuber.SignManifest(st.site, m)
		if err != nil {
			b.Fatal(err)
		}
		for i, d := range part {
			v, err := s.Verify(m.First+tuber.ChunkNumber(i), d)
			if err != nil {
				b.Fatal(err)
			}
			pub.Chunks = append(pub.Chunks, v)
		}
		pub.Manifests = append(pub.Manifests, s)
		st.next = m.Next()
	}
	pub.Update, pub.Playlist = st.update(), st.playlist
	return pub
}

// counted is the store that boosters and hosts have, and tells when it holds so
// many chunks more.
type counted struct {
	*store.Store
	left atomic.Int64
	done chan struct{}
}

func newCounted(b *testing.B) *counted {
	s, err := store.New(store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return &counted{Store: s}
}

func (c *counted) wait(n int64) <-chan struct{} {
	c.done = make(chan struct{})
	c.left.Store(n)
	return c.done
}

func (c *counted) Put(v tuber.VerifiedChunk) (bool, error) {
	fresh, err := c.Store.Put(v)
	if fresh && c.left.Add(-1) == 0 {
		close(c.done)
	}
	return fresh, err
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

// read hashes each message once, as a receiver that trusts nobody must.
func (x *bareLink) read(r io.Reader) {
	buf := make([]byte, readBuffer)
	for {
		n, err := r.Read(buf)
		if err != nil {
			return
		}
		_ = sha256.Sum256(buf[:n])
		x.got <- n
	}
}

// round sends the same bytes over the bare channel.
func (x *bareLink) round(b *testing.B, chunks []tuber.VerifiedChunk) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
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
	for range chunks {
		select {
		case <-x.got:
		case <-ctx.Done():
			b.Fatal("the bare link stalled")
		}
	}
}
