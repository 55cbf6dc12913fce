package peer

import (
	"context"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/tubercdn/tuber"
)

// The cap is hard, over all links, and a pause is at once.
func TestUploadCapAndPause(t *testing.T) {
	t.Parallel()
	const cap = 1.6e6 // bits per second: 200 kB/s
	up := tuber.NewUplink(cap)
	ns := newNodes(t)
	o := ns.add("origin", tuber.RoleOrigin, func(c *Config) { c.Uplink = up })
	a, b := ns.add("ann", tuber.RoleBooster), ns.add("ben", tuber.RoleBooster)
	st := newStream(t, ns.site, 1)
	ns.plan(o, tuber.PeerPlan{
		Assignments:   []tuber.Assignment{assign(st, a), assign(st, b)},
		Introductions: []tuber.Introduction{a.intro(false), b.intro(false)},
	})
	for _, n := range []*node{a, b} {
		ns.plan(n, tuber.PeerPlan{Introductions: []tuber.Introduction{o.intro(true)}, Sources: []tuber.Source{source(st, o, false)}})
		linked(t, ns, o, n)
	}
	bytesOf := func() (sum uint64) {
		for _, n := range []*node{a, b} {
			sum += n.Stats()[ns.Site()].Received
		}
		return sum
	}
	begun := time.Now()
	publish(t, o, ns.Site(), st.segment(100)) // 1.6 MB to each: 16 s at the cap
	<-time.After(2500 * time.Millisecond)
	got, took := bytesOf(), time.Since(begun)
	most := uint64(took.Seconds()*cap/8 + cap/8*0.05 + 2*tuber.ChunkSize)
	if got > most || got < most/2 {
		t.Errorf("%d bytes in %v, want at most %d and at least half of that", got, took, most)
	}
	up.SetRate(0)
	<-time.After(time.Second)
	paused := bytesOf()
	<-time.After(700 * time.Millisecond)
	if now := bytesOf(); now != paused {
		t.Errorf("%d bytes came during a pause", now-paused)
	}
	up.SetRate(tuber.Unlimited)
	a.has(t, st.content.ID, 100)
	b.has(t, st.content.ID, 100)
}

func TestDownloadCap(t *testing.T) {
	t.Parallel()
	const cap = 150_000 // bytes per second
	ns := newNodes(t)
	o := ns.add("origin", tuber.RoleOrigin)
	a := ns.add("ann", tuber.RoleBooster, func(c *Config) { c.Download = rate.NewLimiter(cap, 8<<10) })
	st := newStream(t, ns.site, 1)
	ns.chain(st, o, a)
	linked(t, ns, o, a)
	begun := time.Now()
	publish(t, o, ns.Site(), st.segment(100))
	<-time.After(2 * time.Second)
	got, took := a.Stats()[ns.Site()].Received, time.Since(begun)
	if most := uint64(took.Seconds()*cap + 8<<10); got > most || got < most/2 {
		t.Errorf("%d bytes in %v, want at most %d and at least half of that", got, took, most)
	}
}

// A first copy goes at once though the link waited with a repair, for which a line
// that is full has no room.
func TestAFirstCopyDoesNotWaitForARepair(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	up := tuber.NewUplink(8 * 16e3) // 16 kB a second
	o, v := ns.add("origin", tuber.RoleOrigin, func(c *Config) { c.Uplink = up }), ns.add("vic", tuber.RoleViewer)
	st := newStream(t, ns.site, 1)
	ns.plan(o, tuber.PeerPlan{Introductions: []tuber.Introduction{v.intro(false)}})
	ns.plan(v, tuber.PeerPlan{Introductions: []tuber.Introduction{o.intro(true)}})
	l := linked(t, ns, o, v)
	other, done := context.WithCancel(ns.ctx)
	defer done()
	for range 32 { // chunks over HTTP, to others: a minute of the line
		ns.wg.Go(func() { _ = up.Wait(other, tuber.ClassRepair, 32<<10) })
	}
	publish(t, o, ns.Site(), st.segment(2))
	chunk := func(n tuber.ChunkNumber) tuber.VerifiedChunk {
		c, ok := o.chunks.Get(st.content.ID, n)
		if !ok {
			t.Fatalf("chunk %d is not there", n)
		}
		return c
	}
	now := time.Now()
	l.enqueue(&item{chunk: chunk(0), class: tuber.ClassRepair, priority: askPriority, deadline: now.Add(time.Minute), queued: now})
	eventually(t, "the link waits with a repair", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.waits != nil && l.waits.class == tuber.ClassRepair
	})
	l.enqueue(&item{chunk: chunk(1), class: tuber.ClassRoot, priority: 3, deadline: now.Add(time.Minute), queued: now})
	eventually(t, "the first copy has gone", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.flows[st.content.ID].sent.has(1)
	})
}
