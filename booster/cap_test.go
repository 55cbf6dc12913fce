package booster

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
	"github.com/tubercdn/tuber/peer"
)

const (
	newcomerEvery = 2 * time.Second
	maxNewcomers  = 30
)

// crowd is a booster with more to send than it may: the planner is told of an
// upload that the owner does not allow, and so gives it every viewer.
type crowd struct {
	*Booster
	h       *host.Host
	viewers []func() peer.SwarmStats
}

func newCrowd(t *testing.T, viewers int, change func(*tuber.Settings)) crowd {
	t.Helper()
	c := crowd{h: beHost(t)}
	c.Booster, _ = begin(t, stateDir(t), change)
	if err := c.Join(t.Context(), invited(t, c.h)); err != nil {
		t.Fatalf("join: %v", err)
	}
	c.boast(t)
	for range viewers {
		c.viewers = append(c.viewers, watching(t, c.h))
	}
	return c
}

// boast tells the planner of means that are not true.
func (c crowd) boast(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	m := c.swarms[c.h.Site()]
	means := c.meansLocked(m.site)
	c.mu.Unlock()
	eventually(t, "the session has begun", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return m.told != nil
	})
	means.Upload = 50e6
	if err := c.peerOf(m).SetMeans(m.site, means); err != nil {
		t.Fatal(err)
	}
}

// received is what the viewers have got from the booster, payload alone.
func (c crowd) received() uint64 {
	var sum uint64
	for _, v := range c.viewers {
		for _, l := range v().Links {
			if l.Role == tuber.RoleBooster {
				sum += l.Received
			}
		}
	}
	return sum
}

// onLine is what has left the booster's sockets, headers included.
func (c crowd) onLine() uint64 { return c.line.far.Load() + c.line.home.Load() }

// keeps looks at every stretch of ten seconds, until one is used up to 95 %: none
// may go over the cap. Viewers keep coming: a plan alone asks for no more than it has
// learnt that the line carries, and newcomers want the recent past as well.
func (c crowd) keeps(t *testing.T, limit tuber.BitsPerSecond) {
	t.Helper()
	const stretch = 10 * time.Second
	type look struct {
		at    time.Time
		bytes uint64
	}
	var looks []look
	<-time.After(time.Second) // what was on its way under another cap
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	most, begin, more := 0.0, time.Now(), 0
	for most < 0.95 {
		<-tick.C
		if coming := int(time.Since(begin) / newcomerEvery); more < min(coming, maxNewcomers) {
			watching(t, c.h)
			more++
		}
		looks = append(looks, look{time.Now(), c.onLine()})
		now := looks[len(looks)-1]
		for len(looks) > 1 && now.at.Sub(looks[1].at) >= stretch {
			looks = looks[1:]
		}
		if now.at.Sub(looks[0].at) >= stretch {
			used := float64(now.bytes-looks[0].bytes) / now.at.Sub(looks[0].at).Seconds() / limit.BytesPerSecond()
			most = max(most, used)
			if used > 1 {
				t.Fatalf("got %.3f of the cap on the line over ten seconds, want at most all of it", used)
			}
		}
		if now.at.Sub(begin) > 3*time.Minute {
			t.Fatalf("got at most %.3f of the cap on the line over ten seconds, want 0.95", most)
		}
	}
	t.Logf("%.3f of the cap on the line", most)
}

// The cap is one of the line, and it is kept over links to real viewers.
func TestCapIsKeptOnTheLine(t *testing.T) {
	c := newCrowd(t, 6, func(s *tuber.Settings) { s.Limits.Upload = 2e6 })
	c.keeps(t, 2e6)
	if got := c.received(); got < 1e6 {
		t.Errorf("the viewers got %d bytes from the booster, want a good part of 2.5 MB", got)
	}
	st := c.Status()
	if st.Upload > 2e6 || st.Cap != 2e6 || st.Sent < c.received() || st.Sent > c.onLine() {
		t.Errorf("got %+v, want what is on the line", st)
	}
	if sw := st.Swarms[0]; sw.Sent > st.Sent || sw.Sent < st.Sent*9/10 || st.Today != st.Month || st.Month < st.Sent {
		t.Errorf("got %+v in %+v, want the swarm to account for nearly all", sw, st)
	}
	eventually(t, "it is told what the viewers confirm", func() bool { return c.Status().Proven > 5e5 })
	if got := c.Status().Proven; got > 2e6 {
		t.Errorf("the viewers confirm %v, want no more than the cap", got)
	}
	// A pause is there within a second, for what is queued too.
	if err := c.Pause(c.h.Site(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	over(time.Second, c.onLine)
	if got := over(time.Second, c.onLine); got > 8<<10 {
		t.Errorf("a second after the swarm was paused: got %d bytes on the line, want next to nothing", got)
	}
	if st := c.Status(); st.Reason != tuber.ReasonNone || !st.Swarms[0].Paused {
		t.Errorf("got %+v, want one swarm paused and no more", st)
	}
	if err := c.Resume(c.h.Site()); err != nil {
		t.Fatal(err)
	}
	before := c.received()
	eventually(t, "it sends again", func() bool { return c.received() > before+segmentBytes })
}

func TestShareIsKeptOnTheLine(t *testing.T) {
	c := newCrowd(t, 4, func(s *tuber.Settings) { s.Limits.Upload = 3e6 })
	s := c.Settings()
	s.Shares = []tuber.Share{{Site: c.h.Site(), Percent: 50}}
	if err := c.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	c.boast(t)
	c.keeps(t, 1.5e6)
	if st := c.Status(); st.Swarms[0].Share != 50 || st.Cap != 3e6 {
		t.Errorf("got %+v, want a share of 50 %%", st)
	}
}

// What goes to the home network is left out of the cap and of the allowance,
// and is told all the same. A pause holds for it, too.
func TestHomeNetworkIsLeftOut(t *testing.T) {
	c := newCrowd(t, 4, func(s *tuber.Settings) { s.Limits.Upload, s.LANExempt = 1e5, true })
	boasted := time.Now()
	eventually(t, "the viewers get far more than the cap lets through", func() bool {
		// The booster tells its true means whenever a session begins, and those
		// feed nobody.
		if now := time.Now(); now.Sub(boasted) > time.Second {
			c.boast(t)
			boasted = now
		}
		return c.received() > 1<<20
	})
	eventually(t, "it is told", func() bool { st := c.Status(); return st.Sent > 1<<20 && st.Swarms[0].Today > 1<<20 })
	if st := c.Status(); st.Month > st.Sent/4 {
		t.Errorf("got %d of %d bytes counted against the allowance, want next to nothing", st.Month, st.Sent)
	}
	if err := c.Pause(all, time.Time{}); err != nil {
		t.Fatal(err)
	}
	over(time.Second, c.onLine)
	if got := over(time.Second, c.onLine); got > 8<<10 {
		t.Errorf("a second after the pause: got %d bytes on the line, want next to nothing", got)
	}
}
