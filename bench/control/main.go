// Command control measures what the control sockets of a swarm cost its host: the
// CPU time of the real planner and its sockets, and the bytes that cross them.
//
// Peers live in a second process and speak over WebSockets on loopback, without
// TLS. They join with tickets, want the one stream, and do what their plans say as
// far as a planner can tell: every ten seconds each reports, of all its links, that
// everything assigned was sent and came. So uplinks are learnt and plans change as
// they do in a swarm that carries chunks. Nothing else is simulated.
//
// Bytes are those of the WebSocket streams, without the headers of TCP and IP.
// Run it with `make bench-control`. The last line is the bytes per second and
// viewer, both ways together, over 20: a report of 200 bytes every ten seconds.
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/planner"
)

const (
	leastBytes = 20 // a second and viewer: the study's 200-byte report each ten seconds
	perBooster = 40 // viewers
	reachURL   = "ws://%s/control"
)

func main() {
	least := flag.Int("least", 100, "leave out smaller swarms")
	most := flag.Int("most", 10_000, "leave out larger swarms")
	warm := flag.Duration("warm", time.Minute, "between the last join and the first measurement: uplinks are learnt")
	long := flag.Duration("for", time.Minute, "of each measurement")
	crowdOf := flag.String("crowd", "", "internal: be the peers of the planner described here")
	flag.Parse()
	var err error
	if *crowdOf != "" {
		err = beCrowd(*crowdOf)
	} else {
		err = measure(*least, *most, *warm, *long)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench control:", err)
		os.Exit(1)
	}
}

func measure(least, most int, warm, long time.Duration) error {
	fmt.Printf("%s, %d cores, K = %d, stream of %s, a booster for each %d viewers; measured for %s, %s after the last join\n\n",
		runtime.Version(), runtime.NumCPU(), crowd.K, crowd.Rate, perBooster, long, warm)
	fmt.Println("| viewers | leave and join a minute | cells | CPU us per viewer and second | bytes in per viewer and second | bytes out | of the host's line, Mbit/s in / out | short of the stream |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	worst := 0.0
	for _, n := range []int{100, 1000, 10_000} {
		if n < least || n > most {
			continue
		}
		for _, churn := range []int{0, 20} {
			r, err := run(n, churn, warm, long)
			if err != nil {
				return fmt.Errorf("%d viewers: %w", n, err)
			}
			fmt.Println(r.row())
			worst = max(worst, (r.in+r.out)/leastBytes)
		}
	}
	fmt.Printf("\ncontrol ratio %.2f\n", worst)
	return nil
}

// result is one row: rates are per viewer and second.
type result struct {
	viewers, churn, cells, short int
	cpu                          time.Duration
	in, out                      float64
}

func (r result) row() string {
	all := 8 * float64(r.viewers) / 1e6
	return fmt.Sprintf("| %d | %d %% | %d | %.1f | %.0f | %.0f | %.2f / %.2f | %d |",
		r.viewers, r.churn, r.cells, float64(r.cpu.Nanoseconds())/1000, r.in, r.out, all*r.in, all*r.out, r.short)
}

// run measures one swarm.
func run(viewers, churn int, warm, long time.Duration) (result, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h, err := newHost(ctx, viewers)
	if err != nil {
		return result{}, err
	}
	defer h.close()
	stop, err := h.startCrowd(viewers, churn)
	if err != nil {
		return result{}, err
	}
	defer stop()
	<-time.After(warm)
	in, out, spent := h.in.Load(), h.out.Load(), cpu()
	<-time.After(long)
	per := 1 / (float64(viewers) * long.Seconds())
	r := result{
		viewers: viewers, churn: churn, cells: h.planner.Cells(),
		cpu: time.Duration(per * float64(cpu()-spent)),
		in:  per * float64(h.in.Load()-in), out: per * float64(h.out.Load()-out),
	}
	_, short := h.planner.Status()
	for _, s := range short {
		r.short += s.Viewers
	}
	return r, nil
}

// host is a planner behind two listeners: one whose bytes count, for control, and
// one for tickets.
type host struct {
	planner  *planner.Planner
	site     ed25519.PrivateKey
	in, out  atomic.Uint64
	control  *http.Server
	tickets  *http.Server
	addr     string
	ticketAt string
	cancel   context.CancelFunc
	work     sync.WaitGroup
}

func newHost(ctx context.Context, viewers int) (*host, error) {
	_, site, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	h := &host{site: site}
	certificate := tuber.SignCertificate(site, tuber.Certificate{
		Planner: tuber.PublicKeyOf(key), Epoch: 1, Expires: tuber.MillisOf(time.Now().Add(tuber.CertificateLife)),
	})
	h.planner = planner.New(planner.Config{
		Key: key, Certificate: func() []byte { return certificate }, Site: tuber.PublicKeyOf(site), Epoch: 1,
		Origin: tuber.PublicKeyOf(keyOf("origin")).PeerID(), Book: newBook(viewers), MaxPeers: 2 * viewers,
	})
	h.planner.SetContents([]tuber.Content{crowd.Content()})
	ctx, h.cancel = context.WithCancel(ctx)
	h.work.Go(func() { _ = h.planner.Run(ctx) }) // it ends with ctx
	return h, errors.Join(h.listen(ctx), h.bringOrigin(ctx))
}

func (h *host) listen(ctx context.Context) error {
	open := func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
	ln, err := open()
	if err != nil {
		return err
	}
	tickets, err := open()
	if err != nil {
		return err
	}
	h.addr, h.ticketAt = ln.Addr().String(), tickets.Addr().String()
	h.control = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := control.Accept(w, r)
		if err != nil {
			return // the response says why
		}
		_ = h.planner.Serve(ctx, conn) // how a session ends is no matter here
	})}
	h.tickets = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var f tuber.Fingerprint
		if n, err := hex.Decode(f[:], []byte(r.URL.Query().Get("f"))); err != nil || n != len(f) {
			http.Error(w, "no fingerprint", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, h.planner.Ticket(f)) // the reader sees what is missing
	})}
	h.work.Go(func() { _ = h.control.Serve(&counted{ln, &h.in, &h.out}) }) // until close
	h.work.Go(func() { _ = h.tickets.Serve(tickets) })
	return nil
}

// bringOrigin has the host's own peer join, with no network between.
func (h *host) bringOrigin(ctx context.Context) error {
	ours, theirs := control.Pipe()
	h.work.Go(func() { _ = h.planner.Serve(ctx, theirs) })
	p := &member{name: "origin", role: tuber.RoleOrigin, means: tuber.Means{Upload: 20e6, Relay: true, Reach: tuber.ReachDialable}}
	if err := p.join(ctx, ours, tuber.PublicKeyOf(h.site), ""); err != nil {
		return err
	}
	h.work.Go(func() { p.stay(ctx, ours) })
	return nil
}

// startCrowd starts the other process and waits until everybody has joined.
func (h *host) startCrowd(viewers, churn int) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	site := tuber.PublicKeyOf(h.site)
	about := strings.Join([]string{h.addr, h.ticketAt, hex.EncodeToString(site[:]), strconv.Itoa(viewers), strconv.Itoa(churn)}, " ")
	cmd := exec.Command(self, "-crowd", about)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = in.Close() // it ends when it reads that
		_ = cmd.Wait()
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "all have joined\n" {
		stop()
		return nil, fmt.Errorf("the crowd did not join: %q, %v", line, err)
	}
	return stop, nil
}

func (h *host) close() {
	h.cancel()
	_, _ = h.control.Close(), h.tickets.Close()
	h.work.Wait()
}

// counted counts what crosses a listener's connections.
type counted struct {
	net.Listener
	in, out *atomic.Uint64
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countedConn{c, l.in, l.out}, err
}

type countedConn struct {
	net.Conn
	in, out *atomic.Uint64
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in.Add(uint64(n))
	return n, err
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.out.Add(uint64(n))
	return n, err
}

// book knows all boosters from the start.
type book struct {
	mu       sync.Mutex // guards boosters
	boosters map[tuber.PeerID]tuber.BoosterRecord
}

func newBook(viewers int) *book {
	b := &book{boosters: map[tuber.PeerID]tuber.BoosterRecord{}}
	for n := range boostersFor(viewers) {
		key := tuber.PublicKeyOf(keyOf(boosterName(n)))
		b.boosters[key.PeerID()] = tuber.BoosterRecord{ID: key.PeerID(), Key: key, Name: boosterName(n)}
	}
	return b
}

// Enrol implements planner.Book.
func (b *book) Enrol(tuber.Digest, tuber.BoosterRecord, time.Time) error {
	return tuber.ErrInviteUnknown
}

// Booster implements planner.Book.
func (b *book) Booster(id tuber.PeerID) (tuber.BoosterRecord, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.boosters[id]
	return r, ok, nil
}

// SaveBooster implements planner.Book.
func (b *book) SaveBooster(r tuber.BoosterRecord) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.boosters[r.ID] = r
	return nil
}

// RemoveBooster implements planner.Book.
func (b *book) RemoveBooster(tuber.PeerID) error { return nil }
