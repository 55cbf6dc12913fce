package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/bench/crowd"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

// keyOf is the same in both processes.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("bench control " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func boostersFor(viewers int) int    { return (viewers + perBooster - 1) / perBooster }
func boosterName(n int) string       { return fmt.Sprint("booster ", n) }
func ticketURL(at, f string) string  { return "http://" + at + "/?f=" + f }
func everyone(viewers, n int) string { return fmt.Sprintf("viewer %d of %d", n, viewers) }

// gang is all peers of a planner, in this process.
type gang struct {
	addr, tickets  string
	site           tuber.PublicKey
	viewers, churn int
	made           atomic.Int64
	work           sync.WaitGroup
}

// beCrowd is the peers' process: it says when all have joined, and ends when its
// standard input does.
func beCrowd(about string) error {
	var g gang
	var site string
	if _, err := fmt.Sscan(about, &g.addr, &g.tickets, &site, &g.viewers, &g.churn); err != nil {
		return fmt.Errorf("read %q: %w", about, err)
	}
	if n, err := hex.Decode(g.site[:], []byte(site)); err != nil || n != len(g.site) {
		return errors.New("the site's key is malformed")
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := g.enter(ctx); err != nil {
		cancel()
		return err
	}
	fmt.Println("all have joined")
	_, err := io.Copy(io.Discard, os.Stdin)
	cancel()
	g.work.Wait()
	return err
}

// enter brings everybody in, some at a time.
func (g *gang) enter(ctx context.Context) error {
	const atOnce = 32
	made := crowd.New(1, g.viewers).State.Peers
	queue := make(chan *member, atOnce)
	errs := make(chan error, atOnce)
	var entering sync.WaitGroup
	for range atOnce {
		entering.Go(func() {
			for m := range queue {
				if err := g.bring(ctx, m); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	boosters := 0
	for _, p := range made {
		m := &member{role: p.Role, means: p.Means}
		switch p.Role {
		case tuber.RoleOrigin:
			continue // it is with the planner
		case tuber.RoleBooster:
			m.name = boosterName(boosters)
			boosters++
		default:
			m.name = g.newName()
		}
		queue <- m
	}
	close(queue)
	entering.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func (g *gang) newName() string { return everyone(g.viewers, int(g.made.Add(1))) }

// bring lets one in; a viewer leaves after a while and somebody like it comes.
func (g *gang) bring(ctx context.Context, m *member) error {
	ticket := ""
	print := sha256.Sum256([]byte(m.name))
	m.print = print
	if m.role == tuber.RoleViewer {
		var err error
		if ticket, err = g.ticket(ctx, print); err != nil {
			return err
		}
	}
	conn, err := control.Dial(ctx, control.DialOptions{URL: fmt.Sprintf(reachURL, g.addr)})
	if err != nil {
		return err
	}
	if err := m.join(ctx, conn, g.site, ticket); err != nil {
		return errors.Join(err, conn.Close())
	}
	g.work.Go(func() {
		life, cancel := ctx, func() {}
		if g.churn > 0 && m.role == tuber.RoleViewer {
			mean := float64(time.Minute) * 100 / float64(g.churn)
			life, cancel = context.WithTimeout(ctx, time.Duration(rand.ExpFloat64()*mean))
		}
		m.stay(life, conn)
		cancel()
		if ctx.Err() != nil {
			return
		}
		next := &member{name: g.newName(), role: m.role, means: m.means}
		if err := g.bring(ctx, next); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "bench control: a viewer could not join:", err)
		}
	})
	return nil
}

func (g *gang) ticket(ctx context.Context, f tuber.Fingerprint) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, ticketURL(g.tickets, hex.EncodeToString(f[:])), nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, tuber.MaxControl))
	return string(b), err
}

// member is one peer, as far as the planner can tell.
type member struct {
	name  string
	role  tuber.Role
	means tuber.Means
	print tuber.Fingerprint

	mu   sync.Mutex // guards plan
	plan *tuber.PeerPlan
}

func (m *member) join(ctx context.Context, conn control.Conn, site tuber.PublicKey, ticket string) error {
	_, err := control.Join(ctx, conn, control.Identity{
		Key: keyOf(m.name), Site: site,
		Join: wire.Join{Role: m.role, Name: m.name, Fingerprint: m.print[:], Ticket: ticket, Means: m.means, Changes: true},
	})
	if err != nil || m.role != tuber.RoleViewer {
		return err
	}
	return conn.Send(ctx, wire.Want{Contents: []tuber.ContentID{crowd.Content().ID}})
}

// stay carries out plans and reports until ctx ends; then it says goodbye.
func (m *member) stay(ctx context.Context, conn control.Conn) {
	defer conn.Close()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		var told *tuber.PeerPlan
		for {
			msg, err := conn.Receive(context.Background())
			if err == nil {
				msg, err = wire.WholePlan(msg, &told)
			}
			if err != nil {
				return
			}
			if p, ok := msg.(wire.Plan); ok {
				m.mu.Lock()
				m.plan = &p.PeerPlan
				m.mu.Unlock()
			}
		}
	}()
	// Not everybody reports in the same moment.
	first := time.NewTimer(rand.N(tuber.ReportEvery))
	defer first.Stop()
	t := time.NewTicker(tuber.ReportEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = conn.Send(context.Background(), wire.Leave{})
			_ = conn.Close()
			<-heard
			return
		case <-heard:
			return
		case <-first.C:
			t.Reset(tuber.ReportEvery)
		case <-t.C:
		}
		_ = conn.Send(ctx, wire.Alive{}) // Receive tells if the connection has gone
		_ = conn.Send(ctx, wire.Report{Report: m.report()})
	}
}

// report says of every link that what the plan sends over it was sent and came.
func (m *member) report() tuber.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := tuber.Report{Interval: tuber.ReportEvery}
	if m.plan == nil {
		return r
	}
	content := crowd.Content()
	slot := float64(content.Rate) / 8 / float64(content.K) * tuber.ReportEvery.Seconds()
	at := map[tuber.PeerID]int{}
	for _, in := range m.plan.Introductions {
		at[in.Peer] = len(r.Links)
		r.Links = append(r.Links, tuber.LinkReport{Peer: in.Peer, RTT: 31_234_567, Since: 61 * time.Second})
	}
	for _, a := range m.plan.Assignments {
		if n, ok := at[a.To]; ok {
			r.Links[n].Sent += uint64(float64(a.Partitions.Len()) * slot)
		}
	}
	var parts tuber.Partitions
	for _, s := range m.plan.Sources {
		if n, ok := at[s.From]; ok && !s.Standby {
			r.Links[n].Received += uint64(float64(s.Partitions.Len()) * slot)
			parts |= s.Partitions
		}
	}
	now := tuber.ChunkNumber(time.Now().Unix())
	r.Ranges = []tuber.Range{{Content: content.ID, Partitions: parts, First: now * 30, Next: now*30 + 1800}}
	return r
}
