package booster

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// What the machine says takes hold at once, in the order of the reasons, and
// what it does not know changes nothing.
func TestFactsTakeHold(t *testing.T) {
	facts := make(chan tuber.Facts)
	b, err := New(Config{Dir: stateDir(t), Listen: "127.0.0.1:0", WatchFacts: func(ctx context.Context, tell func(tuber.Facts)) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case f := <-facts:
				tell(f)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	<-b.ready
	pour(t, b)
	is := func(f tuber.Facts, want tuber.Reason, ask bool) {
		t.Helper()
		facts <- f
		facts <- f // the first was taken in
		st := b.Status()
		if st.Reason != want || st.Ask != ask || st.Facts != f || st.Cap != tuber.DefaultLimits().Upload {
			t.Errorf("%+v: got %+v, want %q", f, st, want)
		}
		if rate := b.uplink.Rate(); (rate == 0) != (want != tuber.ReasonNone) {
			t.Errorf("%+v: got an uplink of %v", f, rate)
		}
	}
	const yes, no = tuber.FactYes, tuber.FactNo
	is(tuber.Facts{}, tuber.ReasonNone, false)
	is(tuber.Facts{Battery: no, Metered: no, VPN: no}, tuber.ReasonNone, false)
	is(tuber.Facts{Battery: yes}, tuber.ReasonBattery, false)
	is(tuber.Facts{Battery: yes, Metered: yes, VPN: yes}, tuber.ReasonMetered, false)
	is(tuber.Facts{Battery: no, VPN: yes}, tuber.ReasonVPN, true)
	sent := b.uplink.Total()
	if got := over(300*time.Millisecond, b.uplink.Total); got != 0 {
		t.Errorf("got %d bytes sent before the owner chose, want 0", got)
	}
	s := b.Settings()
	s.Rules.OnVPN = tuber.Send
	if err := b.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it sends once that is chosen", func() bool { return b.uplink.Total() > sent })
	// All the week is in the schedule: the second cap, and then silence.
	s.Schedule = tuber.Schedule{On: true, Cap: 1e6}
	for day := range s.Schedule.Hours {
		s.Schedule.Hours[day] = 1<<24 - 1
	}
	if err := b.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if st := b.Status(); !st.Second || st.Cap != 1e6 || st.Reason != tuber.ReasonNone || b.uplink.Rate() != tuber.OnLine(1e6) {
		t.Errorf("got %+v, want the schedule's cap", st)
	}
	s.Schedule.Cap = 0
	if err := b.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if st := b.Status(); st.Reason != tuber.ReasonSchedule || b.uplink.Rate() != 0 {
		t.Errorf("got %+v, want silence by the schedule", st)
	}
	var said []string
	for _, e := range b.Events() {
		if e.Kind == tuber.EventStopped {
			said = append(said, e.Text)
		}
	}
	want := []string{string(tuber.ReasonBattery), string(tuber.ReasonMetered), string(tuber.ReasonVPN), string(tuber.ReasonSchedule)}
	if !slices.Equal(said, want) {
		t.Errorf("got %q in the log, want %q", said, want)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Pauses are of one swarm or of all, end by themselves, and outlive a restart.
func TestPauseOfOneSwarm(t *testing.T) {
	dir := stateDir(t)
	b, stop := begin(t, dir, nil)
	sites := make([]tuber.PublicKey, 2)
	for i := range sites {
		v := nobody(t)
		v.Site = tuber.PublicKey{byte(i + 1)}
		sites[i] = v.Site
		_ = b.Join(t.Context(), v.URL()) // nobody answers
	}
	paused := func(b *Booster) (out []bool) {
		for _, s := range b.Status().Swarms {
			out = append(out, s.Paused)
		}
		return out
	}
	if err := b.Pause(sites[0], time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Pause(sites[1], time.Now().Add(500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got := paused(b); !slices.Equal(got, []bool{true, true}) || b.Status().Reason != tuber.ReasonNone {
		t.Errorf("got %v, want both paused, each for itself", got)
	}
	if got := b.means(sites[0]).Upload; got != 0 {
		t.Errorf("got %v to tell the planner of a paused swarm, want 0", got)
	}
	eventually(t, "one pause ends by itself", func() bool { return slices.Equal(paused(b), []bool{true, false}) })
	if b.swarms[sites[0]].uplink.line.Rate() != 0 || b.swarms[sites[1]].uplink.line.Rate() != tuber.Unlimited {
		t.Error("the swarms' uplinks do not say the same")
	}
	stop()
	b, _ = begin(t, dir, nil)
	if got := paused(b); !slices.Equal(got, []bool{true, false}) || b.swarms[sites[0]].uplink.line.Rate() != 0 {
		t.Errorf("after a restart: got %v, want the first one paused", got)
	}
	if err := b.Resume(all); err != nil {
		t.Fatal(err)
	}
	if got := paused(b); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("after all were resumed: got %v, want the one that was paused alone still so", got)
	}
	if err := b.Resume(sites[0]); err != nil {
		t.Fatal(err)
	}
	if got := paused(b); !slices.Equal(got, []bool{false, false}) {
		t.Errorf("got %v, want none paused", got)
	}
	if err := b.Pause(tuber.PublicKey{9}, time.Time{}); err == nil {
		t.Error("a swarm that was not joined: got nil, want an error")
	}
}
